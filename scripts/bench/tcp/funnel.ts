// `npm run bench:funnel`: a Redis asked directly and through our node's funnel with `resp` framing, by redis-benchmark with 64 clients.
//
// Asked directly, Redis has a core for itself. Behind the funnel the node has that core, and Redis shares the one of the load.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../test/helpers/free-port.js';
import { readUsage } from '../cpu-time.js';
import { describeMachine, prepareMachine } from '../machine.js';
import { loadCore, Processes, proxyCore, type StartedProcess } from '../processes.js';
import { waitUntilReady } from '../ready.js';

/** What is promised: requests a second through the funnel, as a share of those of direct connections. */
const leastShare = 0.6;
const clients = 64;
const upstreamConnections = 4;
/** One request at a time on each of four would leave Redis and the node waiting for one another most of the time. */
const orderedConnections = 32;

const rounds = Number(process.argv[2] ?? 3);
const requests = Number(process.argv[3] ?? 200_000);

/** The built command, or another build of it. */
const command = process.env.BENCH_COMMAND ?? fileURLToPath(new URL('../../../dist/bin/cjs-proxy.js', import.meta.url));
const processes = new Processes();
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const answersPing = (port: number): boolean =>
  execFileSync('redis-cli', ['-p', String(port), 'ping'], { encoding: 'utf8', stdio: 'pipe' }).trim() === 'PONG';

async function startRedis(folder: string, core: number): Promise<{ port: number; server: StartedProcess }> {
  const port = await freePort();
  const output = join(folder, `redis-${port}.out`);
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const server = processes.start('redis-server', args, { core, stdout: output, stderr: output });
  await waitUntilReady('redis-server', server, async () => answersPing(port));
  return { port, server };
}

async function startFunnel(
  folder: string,
  target: number,
  async: boolean,
  connections: number,
): Promise<{ port: number; server: StartedProcess }> {
  if (!existsSync(command)) throw new Error(`${command} is missing: run "npm run build" first`);
  const port = await freePort();
  const config = join(folder, `funnel-${port}.json`);
  const stderr = join(folder, `funnel-${port}.err`);
  const stream = { mode: 'funnel', framing: 'resp', async, connections };
  const settings = {
    server: { workers: 0, accessLog: join(folder, 'access.log') },
    http: { bind: [] },
    driver: 'memory:',
    streams: [{ name: 'bench', port, targets: [`tcp://127.0.0.1:${target}`], ...stream }],
  };
  writeFileSync(config, JSON.stringify(settings));
  const server = processes.start(process.execPath, [command, '--config', config], { core: proxyCore, stdout: stderr, stderr });
  await waitUntilReady('cjs-proxy', server, async () => answersPing(port));
  return { port, server };
}

/** Requests a second, for SET and GET together. Throws when redis-benchmark fails, as it does when an answer is an error. */
async function load(folder: string, port: number, count: number): Promise<number> {
  const output = join(folder, 'load.out');
  writeFileSync(output, '');
  const args = [
    '-p',
    String(port),
    '-c',
    String(clients),
    '-n',
    String(count),
    '-r',
    '10000',
    '-d',
    '64',
    '-e',
    '--csv',
    '-t',
    'set,get',
  ];
  const running = processes.start('redis-benchmark', args, { core: loadCore, stdout: output, stderr: output });
  const code = await running.ended;
  const printed = readFileSync(output, 'utf8');
  const figures = [...printed.matchAll(/^"(?:SET|GET)","([\d.]+)"/gm)].map((found) => Number(found[1]));
  if (code !== 0 || figures.length !== 2) throw new Error(`redis-benchmark failed: ${printed.slice(-500)}`);
  return 2 / figures.reduce((sum, perSecond) => sum + 1 / perSecond, 0);
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function bench(): Promise<boolean> {
  prepareMachine();
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-bench-'));
  try {
    say(`${describeMachine()}. Medians of ${rounds} interleaved rounds of ${2 * requests} requests.`);
    const direct = await startRedis(folder, proxyCore);
    const behind = await startRedis(folder, loadCore);
    const few = await startFunnel(folder, behind.port, false, upstreamConnections);
    const ordered = await startFunnel(folder, behind.port, false, orderedConnections);
    const async = await startFunnel(folder, behind.port, true, upstreamConnections);
    const entries = [
      { name: 'direct', port: direct.port, server: direct.server, samples: [] as number[] },
      { name: 'funnel-resp ordered over 4', port: few.port, server: few.server, samples: [] as number[] },
      { name: 'funnel-resp ordered over 32', port: ordered.port, server: ordered.server, samples: [] as number[] },
      { name: 'funnel-resp async', port: async.port, server: async.server, samples: [] as number[] },
    ];
    for (const { port } of entries) await load(folder, port, requests / 2);
    for (let round = 0; round < rounds; round++) {
      for (const { name, port, server, samples } of entries) {
        const before = readUsage(server.pid).cpuMicroseconds;
        const perSecond = await load(folder, port, requests);
        const used = (readUsage(server.pid).cpuMicroseconds - before) / (2 * requests);
        samples.push(perSecond);
        say(`${name}: ${Math.round(perSecond)} requests/s, ${used.toFixed(1)} us CPU each`);
      }
    }
    const of = (name: string): number => median(entries.find((entry) => entry.name === name)?.samples ?? []);
    const share = of('funnel-resp async') / of('direct');
    for (const name of ['funnel-resp ordered over 4', 'funnel-resp ordered over 32']) {
      say(`${name}: ${(of(name) / of('direct')).toFixed(2)} of direct`);
    }
    say(`funnel-resp: async ${share.toFixed(2)} of direct, bar ${leastShare}: ${share >= leastShare ? 'holds' : 'FAILS'}`);
    return share >= leastShare;
  } finally {
    await processes.stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = (await bench()) ? 0 : 1;
