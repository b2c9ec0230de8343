// `npm run bench:stats -- [frontends] [requests a second each] [seconds]`: what it costs a node to tell what it counts of many busy
// frontends. A supervisor with two workers, a Redis, and no requests but in numbers. Its workers count from the start and tell from
// some time on: what they use more from then on is what telling, adding up and writing cost.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../../src/config/load.js';
import { createLogger } from '../../../src/observe/logger.js';
import { createForkWorker } from '../../../src/proxy/fork-worker.js';
import { createNodeIdentity } from '../../../src/proxy/node-identity.js';
import { Supervisor } from '../../../src/proxy/supervisor.js';
import { startRedis } from '../../../test/helpers/redis.js';
import { readUsage } from '../cpu-time.js';
import { type BenchOrder, orderVariable } from './order.js';

const [frontends = 10_000, perSecond = 2, seconds = 20] = process.argv.slice(2).map(Number);
/** What is promised of a worker, in CPU-milliseconds a second. */
const most = 20;
/** Seconds in which code is compiled and everything is named. */
const warmUp = 10;

const wait = (time: number) => new Promise((resolve) => setTimeout(resolve, time * 1000));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-stats-'));
const redis = await startRedis();
const begun = Date.now();
const order: BenchOrder = { frontends, perSecond, tellsFrom: begun + (warmUp + seconds) * 1000 };
process.env[orderVariable] = JSON.stringify(order);
const settings = { server: { workers: 2, accessLog: join(folder, 'access.log') }, driver: redis.url, http: { port: 0 } };
const config = loadConfig({ settings, env: {} });
const identity = createNodeIdentity(config);
const workers: number[] = [];
const fork = createForkWorker(fileURLToPath(new URL('worker.ts', import.meta.url)));
const supervisor = new Supervisor(
  config,
  (events) => {
    const handle = fork(events);
    workers.push(handle.pid);
    return handle;
  },
  createLogger(config.logLevel),
  identity,
);

/** CPU-milliseconds a second of each process: the workers, then this one, which is the supervisor. */
async function measure(): Promise<number[]> {
  const read = () => [...workers.map((pid) => readUsage(pid).cpuMicroseconds), ownMicroseconds()];
  const before = read();
  await wait(seconds);
  return read().map((used, at) => (used - (before[at] as number)) / 1000 / seconds);
}

function ownMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** When the record of the node was written, each time. */
const writtenAt = new Set<string>();
const watch = setInterval(() => {
  void redis.client.hget(`stats:${identity.id}`, 'node').then((head) => writtenAt.add(/"at":\d+/.exec(head ?? '')?.[0] ?? ''));
}, 50);

await supervisor.start();
await wait(Math.max(0, (begun - Date.now()) / 1000 + warmUp));
const counting = await measure();
await wait(Math.max(0, (order.tellsFrom - Date.now()) / 1000 + warmUp));
writtenAt.clear();
const telling = await measure();
const writes = writtenAt.size / seconds;
clearInterval(watch);
const cost = telling.map((used, at) => used - (counting[at] as number));
const ofWorkers = cost.slice(0, -1);
const written = Number(await redis.cli('memory', 'usage', `stats:${identity.id}`));
say(`${frontends} frontends, each asked for ${perSecond} times a second by each of two workers; CPU-milliseconds a second:`);
say(`  counting alone                            ${counting.map((used) => used.toFixed(1)).join(', ')} (workers, supervisor)`);
say(`  the workers, which tell and in turn write ${ofWorkers.map((used) => used.toFixed(1)).join(', ')}`);
say(`  the supervisor, which adds up             ${(cost.at(-1) as number).toFixed(1)}`);
say(`  writes of the record a second             ${writes.toFixed(2)}`);
say(`  the record in Redis                       ${(written / 1024 / 1024).toFixed(1)} MiB`);
say(`a worker within ${most}: ${Math.max(...ofWorkers) <= most ? 'holds' : 'DOES NOT HOLD'}`);
await supervisor.stop();
await redis.stop();
rmSync(folder, { recursive: true, force: true });
