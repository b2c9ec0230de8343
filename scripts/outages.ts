// `npm run outages`: what an outage of Redis costs those who ask for known hosts, and how soon those who ask for others are told.
//
//   npm run outages -- [--seconds 8] [--rate 300]
//
// Load, node, backend and Redis are processes of their own. For each way in which Redis fails: requests for a known host before and while it
// does, and hosts that nobody has asked for. Fails on any failed request, on more than 2 ms added at p99, and on a stranger who
// waited for 50 ms to be told that nobody knows. A machine that does something else besides fails it too: it says so itself, by what it was before.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startCutWire } from '../test/helpers/cut-wire.js';
import { eventually, pause } from '../test/helpers/eventually.js';
import { freePort } from '../test/helpers/free-port.js';
import { KeepAliveLoad } from '../test/helpers/keep-alive-load.js';
import { ChaosRedis } from './chaos/redis.js';
import { startNode } from './node-process.js';

const { values } = parseArgs({ options: { seconds: { type: 'string' }, rate: { type: 'string' } } });
const seconds = Number(values.seconds ?? 8);
const rate = Number(values.rate ?? 300);
const mostAdded = 2;
const mostForStrangers = 50;
/** Milliseconds that a command may take: so long a server that is frozen, or cut off, is believed to be there. */
const timeout = 1_000;
const known = 'known.example';

const folder = await mkdtemp(join(tmpdir(), 'cjs-proxy-outages-'));
const redis = new ChaosRedis(await freePort(), folder);
await redis.start();
const backend = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('echo-backend.ts', import.meta.url))], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const [printed] = (await once(backend.stdout, 'data')) as [Buffer];
const write = async (): Promise<void> => void (await redis.ask('RPUSH', `frontend:${known}`, 'known', printed.toString().trim()));
await write();
const wire = await startCutWire();
const node = await startNode({
  driver: wire.to(redis.port),
  server: { workers: 2, accessLog: 'none', debugHeaders: 'everyone' },
  redis: { timeout: timeout / 1000, emptyMeans: 'keep' },
});

interface Outage {
  readonly name: string;
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
  /** Redis can be asked all the same. */
  readonly answers?: boolean;
}

const outages: readonly Outage[] = [
  { name: 'killed', begin: () => redis.kill(), end: () => redis.start() },
  { name: 'frozen', begin: async () => redis.freeze(), end: async () => redis.thaw() },
  { name: 'cut off', begin: async () => wire.cut(), end: async () => wire.mend() },
  { name: 'flushed', begin: () => redis.ask('FLUSHALL'), end: write },
  {
    name: 'started again, empty',
    begin: async () => {
      await redis.ask('FLUSHALL');
      await redis.kill();
      await redis.start();
    },
    end: write,
  },
  {
    ...{ name: 'read only', answers: true },
    begin: () => redis.ask('REPLICAOF', '127.0.0.1', '1'),
    end: () => redis.ask('REPLICAOF', 'NO', 'ONE'),
  },
  {
    ...{ name: 'out of memory', answers: true },
    begin: () => redis.ask('CONFIG', 'SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction'),
    end: () => redis.ask('CONFIG', 'SET', 'maxmemory', '0'),
  },
];

interface Reply {
  readonly status: number;
  /** Milliseconds until its head. */
  readonly took: number;
  readonly stale: boolean;
}

function ask(host: string): Promise<Reply> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: node.port, path: '/1/1', headers: { host, 'x-debug': '1' }, agent: false };
    const sent = request(options, (response) => {
      const took = performance.now() - begun;
      const stale = response.headers['x-debug-stale'] !== undefined;
      response.resume().once('end', () => resolve({ status: response.statusCode ?? 0, took, stale }));
    });
    sent.once('error', reject);
    sent.end();
  });
}

let strangers = 0;
/** Hosts that nobody has asked for, one after the other. */
async function askAsStrangers(milliseconds: number): Promise<Reply[]> {
  const replies: Reply[] = [];
  const until = performance.now() + milliseconds;
  while (performance.now() < until) {
    replies.push(await ask(`stranger-${strangers++}.example`));
    await pause(100);
  }
  return replies;
}

const at = (part: number, numbers: readonly number[]): number =>
  [...numbers].sort((one, other) => one - other)[Math.floor(part * (numbers.length - 1))] ?? Number.NaN;
const failures: string[] = [];
const load = new KeepAliveLoad({ port: node.port, host: known, clients: 16, rate });
process.stdout.write(
  '\n| Redis is | requests | failed | p50 before | during | p99 before | during | strangers | longest of them, noticed | before that |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n',
);
try {
  // Code is compiled, caches are filled, and both workers have looked up enough to know what is usual.
  await askAsStrangers(3_000);
  for (const outage of outages) {
    const calmFrom = load.latencies.length;
    await pause(seconds * 1000);
    const calm = load.latencies.slice(calmFrom);
    const [from, failedBefore] = [load.latencies.length, load.failures.length];
    await outage.begin();
    // What is found out only by waiting for it is told apart.
    const early = await askAsStrangers(timeout + 500);
    const late = await askAsStrangers(seconds * 1000 - timeout - 500);
    const during = load.latencies.slice(from);
    const { stale } = await ask(known);
    await outage.end();
    const failed = load.failures.length - failedBefore;
    const [longest, longestEarly] = [late, early].map((replies) => Math.max(...replies.map(({ took }) => took))) as [
      number,
      number,
    ];
    const cells = [
      ...[during.length, failed, at(0.5, calm).toFixed(2), at(0.5, during).toFixed(2), at(0.99, calm).toFixed(2)],
      ...[at(0.99, during).toFixed(2), early.length + late.length, longest.toFixed(1), longestEarly.toFixed(1)],
    ];
    process.stdout.write(`| ${outage.name} | ${cells.join(' | ')} |\n`);
    if (failed > 0) failures.push(`${outage.name}: ${failed} requests failed: ${load.failures.at(-1)?.reason}`);
    const added = at(0.99, during) - at(0.99, calm);
    if (added > mostAdded) failures.push(`${outage.name}: p99 grew by ${added.toFixed(2)} ms`);
    if (outage.answers !== true && longest > mostForStrangers)
      failures.push(`${outage.name}: a stranger waited for ${longest.toFixed(1)} ms`);
    const wrong = late.find(({ status }) => (outage.answers === true ? status >= 500 : status !== 503));
    if (wrong !== undefined) failures.push(`${outage.name}: a stranger was answered ${wrong.status}`);
    if (stale === (outage.answers === true)) failures.push(`${outage.name}: x-debug-stale is ${stale ? 'there' : 'missing'}`);
    await eventually('fresh answers', async () => !(await ask(known)).stale, 20_000);
  }
} finally {
  await load.stop();
  await node.stop();
  wire.close();
  backend.kill();
  await redis.kill();
  await rm(folder, { recursive: true, force: true });
}
for (const failure of failures) process.stderr.write(`DOES NOT HOLD: ${failure}\n`);
process.exit(failures.length === 0 ? 0 : 1);
