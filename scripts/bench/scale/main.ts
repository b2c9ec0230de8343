// `npm run bench:scale`: a million frontends in Redis, a hundred thousand of them hot: start to the first answer, what a request costs
// against one frontend, memory, and a flood of invented hosts that must not push out the hot ones.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../../../test/helpers/free-port.js';
import { startBackend } from '../backend.js';
import { readUsage, residentOfChild } from '../cpu-time.js';
import { describeMachine, prepareMachine } from '../machine.js';
import { loadCore, Processes, proxyCore, type StartedProcess } from '../processes.js';
import { ask, waitUntilReady } from '../ready.js';
import { type BenchRedis, startRedis } from '../redis.js';
import { callsOf, fill, hostOf, wildcardSuffix } from './frontends.js';

/** What is promised. */
const mostStartSeconds = 3;
const mostCost = 1.1;
const mostMebibytes = 250;

const frontends = Number(process.argv[2] ?? 1_000_000);
const hot = Math.min(frontends, Number(process.argv[3] ?? 100_000));
const rounds = Number(process.argv[4] ?? 5);

const run = promisify(execFile);
const processes = new Processes();
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const verdict = (holds: boolean): string => (holds ? 'holds' : 'DOES NOT HOLD');
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

interface Node {
  readonly port: number;
  readonly server: StartedProcess;
  readonly startSeconds: number;
}

async function startNode(folder: string, redis: BenchRedis): Promise<Node> {
  const port = await freePort();
  const file = join(folder, 'node.json');
  const stderr = join(folder, 'node.err');
  const settings = {
    server: { workers: 1, accessLog: join(folder, 'access.log'), maxSockets: 0 },
    http: { port, bind: ['127.0.0.1'] },
    driver: `redis://127.0.0.1:${redis.port}`,
    redis: { cacheEntries: hot },
  };
  writeFileSync(file, JSON.stringify(settings));
  const command = fileURLToPath(new URL('../../../dist/bin/cjs-proxy.js', import.meta.url));
  const begun = performance.now();
  const server = processes.start(process.execPath, [command, '--config', file], { core: proxyCore, stdout: stderr, stderr });
  const first = hostOf(frontends - 1);
  await waitUntilReady('the node', server, async () => (await ask(port, '/small', 'GET', { Host: first })).status === 200);
  return { port, server, startSeconds: (performance.now() - begun) / 1000 };
}

interface Asked {
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly p99: number;
}

/** Asks for `count` hosts, each once. @param how `%` stands for the number */
async function askFor(port: number, how: string, count: number, from = 0): Promise<Asked> {
  const script = fileURLToPath(new URL('load.mjs', import.meta.url));
  const words = [script, String(port), how, '64', String(from), String(count)];
  const { stdout } = await run('taskset', ['-c', String(loadCore), process.execPath, ...words]);
  return JSON.parse(stdout) as Asked;
}

/** CPU-microseconds of a request while wrk asks for the first `hosts` hosts by chance, all of them known. */
async function cost(folder: string, { port, server }: Node, hosts: number, seconds: number): Promise<number> {
  const script = join(folder, 'hosts.lua');
  writeFileSync(
    script,
    `local messages = {}
init = function()
  -- As many messages for one host as for many, all of them different: what choosing costs wrk, which shares its core with the backend, must
  -- not be what is compared.
  for at = 0, ${hot - 1} do
    wrk.headers['Host'] = 'site-' .. at % ${hosts} .. '.example'
    wrk.headers['X-Number'] = tostring(at)
    messages[at + 1] = wrk.format()
  end
end
request = function() return messages[math.random(#messages)] end
done = function(summary) io.write(string.format('\\nasked %d wrong %d\\n', summary.requests, summary.errors.status)) end
`,
  );
  const output = join(folder, `wrk-${Math.random()}`);
  const url = `http://127.0.0.1:${port}/small`;
  const args = ['-t', '1', '-c', '64', '-d', `${seconds + 3}s`, '-s', script, url];
  const wrk = processes.start('wrk', args, { core: loadCore, stdout: output, stderr: output });
  const wait = (time: number) => new Promise((resolve) => setTimeout(resolve, time));
  // wrk makes its messages first.
  await wait(1_500);
  const [before, begun] = [readUsage(server.pid), countLines(folder)];
  await wait(1_000 * seconds);
  const requests = countLines(folder) - begun;
  const used = readUsage(server.pid).cpuMicroseconds - before.cpuMicroseconds;
  await wrk.ended;
  const wrong = /asked \d+ wrong (\d+)/.exec(readFileSync(output, 'utf8'))?.[1];
  if (wrong !== '0' || requests === 0) throw new Error(`wrk failed: ${readFileSync(output, 'utf8')}`);
  return used / requests;
}

/** Lines of the access log, which a node writes one of for each request. */
function countLines(folder: string): number {
  const bytes = readFileSync(join(folder, 'access.log'));
  let lines = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}

async function costs(folder: string, node: Node): Promise<void> {
  const one: number[] = [];
  const many: number[] = [];
  await cost(folder, node, 1, 4);
  for (let round = 0; round < rounds; round++) {
    one.push(await cost(folder, node, 1, 3));
    many.push(await cost(folder, node, hot, 3));
    writeFileSync(join(folder, 'access.log'), '');
  }
  // Of each round, so that what else the machine does counts for both.
  const ratio = median(many.map((cost, at) => cost / (one[at] ?? Number.NaN)));
  say(
    `a request: ${median(one).toFixed(1)} us with one host, ${median(many).toFixed(1)} us with ${hot} hot ones: ` +
      `${ratio.toFixed(2)} times the CPU (at most ${mostCost}): ${verdict(ratio <= mostCost)}`,
  );
}

async function flood(redis: BenchRedis, { port, server }: Node, what: string, how: string, from = 0, count = hot): Promise<void> {
  const before = await callsOf(redis, 'lrange');
  const { statuses, seconds, p99 } = await askFor(port, how, count, from);
  const lookups = (await callsOf(redis, 'lrange')) - before;
  const begun = await callsOf(redis, 'lrange');
  await askFor(port, hostOf(0).replace('0', '%'), hot);
  const lost = (await callsOf(redis, 'lrange')) - begun;
  const resident = residentOfChild(server.pid);
  say(
    `a flood of ${count} ${what}: ${JSON.stringify(statuses)} in ${seconds.toFixed(1)} s, p99 ${p99.toFixed(1)} ms, ` +
      `${(lookups / count).toFixed(2)} look-ups for each (at most 1): ${verdict(lookups <= count * 1.001)}; ` +
      `hot hosts pushed out: ${lost}: ${verdict(lost === 0)}; RSS of the worker ${resident.toFixed(0)} MiB`,
  );
}

async function main(folder: string): Promise<void> {
  const backendPort = await startBackend(processes, folder);
  const redis = await startRedis(processes, folder);
  await fill(redis, frontends, backendPort);
  say(`${frontends} frontends in Redis, ${hot} of them hot`);
  const node = await startNode(folder, redis);
  say(
    `start to the first answer: ${node.startSeconds.toFixed(2)} s (at most ${mostStartSeconds}): ${verdict(node.startSeconds <= mostStartSeconds)}`,
  );
  const empty = residentOfChild(node.server.pid);
  const { statuses, seconds, p99 } = await askFor(node.port, hostOf(0).replace('0', '%'), hot);
  const full = residentOfChild(node.server.pid);
  say(`the hot ones, each for the first time: ${JSON.stringify(statuses)} in ${seconds.toFixed(1)} s, p99 ${p99.toFixed(1)} ms`);
  say(
    `RSS of the worker: ${empty.toFixed(0)} MiB after the start, ${full.toFixed(0)} MiB with the hot ones (at most ${mostMebibytes}): ${verdict(full <= mostMebibytes)}`,
  );
  const begun = await callsOf(redis, 'lrange');
  await askFor(node.port, hostOf(0).replace('0', '%'), hot);
  say(`look-ups when they are asked for again: ${(await callsOf(redis, 'lrange')) - begun}`);
  await costs(folder, node);
  await flood(redis, node, 'hosts of a wildcard', `x%.${wildcardSuffix}`);
  await flood(redis, node, 'hosts that nobody serves', 'x%.nowhere.example');
  await flood(redis, node, 'ports of a hot host', `${hostOf(0)}:%`, 1_000, 60_000);
}

prepareMachine();
say(describeMachine());
const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-scale-'));
try {
  await main(folder);
} finally {
  await processes.stopAll();
  rmSync(folder, { recursive: true, force: true });
}
