// `npm run bench:tls`: our node beside HAProxy and nginx over TLS: CPU of a request on keep-alive and over HTTP/2, of a full and of a
// resumed handshake, and what 10,000 certificates in Redis cost.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBackend } from '../backend.js';
import { readUsage } from '../cpu-time.js';
import { describeMachine, prepareMachine } from '../machine.js';
import { loadCore, Processes } from '../processes.js';
import { benchHost } from '../ready.js';
import { makePair, type Pair, type RunningTlsPeer, type TlsPeer, tlsPeers } from './peers.js';

/** What is promised. */
const mostKeepAlive = 1.3;
const mostHttp2 = 3;
const mostFull = 1.7;
const mostResumed = 2;
const mostMebibytes = 300;
const mostSlower = 1.5;

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 3);
/** Jobs, or all of them. */
const wanted = process.argv[4]?.split(',') ?? ['keep-alive', 'http2', 'full', 'resumed', 'names'];
/** Load before the first round, for what runs on JavaScript. */
const warmupSeconds = 8;
const manyNames = 10_000;
const hotNames = 1_000;

const processes = new Processes();
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** What one load did. */
interface LoadDone {
  /** Requests or handshakes. */
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

type Load = (folder: string, port: number, time: number) => Promise<LoadDone>;

const keepAlive: Load = async (folder, port, time) => {
  const output = join(folder, `wrk-${Math.random()}`);
  const url = `https://127.0.0.1:${port}/small`;
  const args = ['-t', '1', '-c', '64', '-d', `${time}s`, '-H', `Host: ${benchHost}`, '--latency', url];
  await processes.start('wrk', args, { core: loadCore, stdout: output, stderr: output }).ended;
  const text = readFileSync(output, 'utf8');
  const count = Number(/(\d+) requests in/.exec(text)?.[1]);
  if (!(count > 0) || /Non-2xx/.test(text)) throw new Error(`wrk failed: ${text}`);
  return { count, p50: 0, p99: 0 };
};

/** Ten requests at a time on each connection. */
const http2: Load = async (folder, port, time) => {
  const output = join(folder, `h2load-${Math.random()}`);
  const connections = ['-t', '1', '-c', '8', '-m', '10', `--connect-to=127.0.0.1:${port}`];
  const args = [...connections, '-D', String(time), '-H', `:authority: ${benchHost}`, 'https://n0.bench.example/small'];
  await processes.start('h2load', args, { core: loadCore, stdout: output, stderr: output }).ended;
  const text = readFileSync(output, 'utf8');
  const count = Number(/(\d+) 2xx/.exec(text)?.[1]);
  const right = /Application protocol: h2\b/.test(text) && / 0 failed, 0 errored/.test(text);
  if (!(count > 0) || !right) throw new Error(`h2load failed: ${text}`);
  return { count, p50: 0, p99: 0 };
};

function handshakes(job: 'full' | 'resumed', names: number, connections: number): Load {
  return async (folder, port, time) => {
    const output = join(folder, `load-${Math.random()}`);
    const script = fileURLToPath(new URL('load.mjs', import.meta.url));
    const args = [script, job, String(port), String(names), String(connections), String(time)];
    await processes.start(process.execPath, args, { core: loadCore, stdout: output, stderr: output }).ended;
    const text = readFileSync(output, 'utf8');
    const done = JSON.parse(text.trim().split('\n').at(-1) ?? '') as Record<
      'handshakes' | 'resumed' | 'failed' | 'p50' | 'p99',
      number
    >;
    const right = job === 'full' ? done.resumed === 0 : done.resumed === done.handshakes;
    if (done.failed > 0 || !right || done.handshakes === 0) throw new Error(`the handshakes are not what was asked for: ${text}`);
    return { count: done.handshakes, p50: done.p50, p99: done.p99 };
  };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

interface Setup {
  readonly folder: string;
  readonly backendPort: number;
  readonly pair: Pair;
}

async function start(peer: TlsPeer, setup: Setup, names: number): Promise<RunningTlsPeer> {
  const folder = mkdtempSync(join(setup.folder, `${peer.name}-`));
  return peer.start({ ...setup, processes, folder, names });
}

/** CPU-microseconds of each peer for a unit of a load. */
async function cpuOf(job: string, load: Load, setup: Setup): Promise<Map<TlsPeer['name'], number>> {
  const entries: { readonly peer: TlsPeer; readonly running: RunningTlsPeer; readonly samples: number[] }[] = [];
  for (const peer of tlsPeers) entries.push({ peer, running: await start(peer, setup, 1), samples: [] });
  for (const { peer, running } of entries) await load(setup.folder, running.port, peer.name === 'cjs-proxy' ? warmupSeconds : 1);
  for (let round = 0; round < rounds; round++) {
    for (const { peer, running, samples } of entries) {
      const before = readUsage(running.server.pid).cpuMicroseconds;
      const { count } = await load(setup.folder, running.port, seconds);
      samples.push((readUsage(running.server.pid).cpuMicroseconds - before) / count);
      say(`tls-${job} ${peer.name}: ${samples.at(-1)?.toFixed(1)} us (${count})`);
    }
  }
  for (const { running } of entries) await running.stop();
  return new Map(entries.map(({ peer, samples }) => [peer.name, median(samples)]));
}

async function compare(job: string, load: Load, setup: Setup, against: TlsPeer['name'], atMost: number): Promise<boolean> {
  const cpu = await cpuOf(job, load, setup);
  const ratio = (cpu.get('cjs-proxy') ?? Number.NaN) / (cpu.get(against) ?? Number.NaN);
  say(`tls-${job}: ours : ${against} ${ratio.toFixed(2)}, bar ${atMost}: ${ratio <= atMost ? 'holds' : 'FAILS'}`);
  return ratio <= atMost;
}

/** Memory and latency with many certificates, of which some are in use. */
async function manyCertificates(setup: Setup): Promise<boolean> {
  const peer = tlsPeers.find(({ name }) => name === 'cjs-proxy') as TlsPeer;
  const running = await start(peer, setup, manyNames);
  const { port, server } = running;
  // Each hot name once, so that what is measured is not the first use.
  await handshakes('full', hotNames, 8)(setup.folder, port, 8);
  const one: number[] = [];
  const many: number[] = [];
  for (let round = 0; round < rounds; round++) {
    one.push((await handshakes('full', 1, 4)(setup.folder, port, seconds)).p99);
    many.push((await handshakes('full', hotNames, 4)(setup.folder, port, seconds)).p99);
  }
  const mebibytes = readUsage(server.pid).residentMebibytes;
  await running.stop();
  const slower = median(many) / median(one);
  say(`tls-names: p99 ${median(many).toFixed(2)} ms with ${hotNames} names, ${median(one).toFixed(2)} ms with one`);
  say(`tls-names: ratio ${slower.toFixed(2)}, bar ${mostSlower}: ${slower <= mostSlower ? 'holds' : 'FAILS'}`);
  say(`tls-names: ${mebibytes.toFixed(0)} MiB, bar ${mostMebibytes}: ${mebibytes <= mostMebibytes ? 'holds' : 'FAILS'}`);
  return slower <= mostSlower && mebibytes <= mostMebibytes;
}

async function bench(): Promise<boolean> {
  prepareMachine();
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-bench-'));
  mkdirSync(join(folder, 'site'));
  try {
    say(`${describeMachine()}. Medians of ${rounds} interleaved rounds of ${seconds} s.`);
    const setup = { folder, backendPort: await startBackend(processes, folder), pair: makePair(join(folder, 'site')) };
    const verdicts: boolean[] = [];
    if (wanted.includes('keep-alive')) verdicts.push(await compare('keep-alive', keepAlive, setup, 'haproxy', mostKeepAlive));
    if (wanted.includes('http2')) verdicts.push(await compare('http2', http2, setup, 'haproxy', mostHttp2));
    if (wanted.includes('full')) verdicts.push(await compare('full', handshakes('full', 1, 4), setup, 'nginx', mostFull));
    if (wanted.includes('resumed'))
      verdicts.push(await compare('resumed', handshakes('resumed', 1, 4), setup, 'nginx', mostResumed));
    if (wanted.includes('names')) verdicts.push(await manyCertificates(setup));
    return verdicts.every(Boolean);
  } finally {
    await processes.stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = (await bench()) ? 0 : 1;
