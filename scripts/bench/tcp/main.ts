// `npm run bench:tcp`: our node beside HAProxy in TCP mode, to a target and by the name in a greeting: CPU a MiB of 64 KiB echoes, memory of
// idle connections and of idle WebSockets.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../test/helpers/free-port.js';
import { readUsage } from '../cpu-time.js';
import { describeMachine, prepareMachine } from '../machine.js';
import { loadCore, Processes } from '../processes.js';
import { benchHost, waitUntilReady } from '../ready.js';
import { echoes, maxConnections, passthroughLane, streamLane, type TcpLane, type TcpPeer, webSocketLane } from './peers.js';

/** What is promised. */
const mostCpu = 1.3;
const mostIdleMebibytes = 200;

const rounds = Number(process.argv[2] ?? 3);
const seconds = Number(process.argv[3] ?? 3);
const echoConnections = 64;
const idleWanted = 10_000;
/** Fewer where the machine does not allow a process that many sockets. */
const idleConnections = Math.min(idleWanted, maxConnections - 10);

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const processes = new Processes();
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Runs a load; its connections stand when this resolves. */
async function load(folder: string, job: 'echo' | 'idle', lane: TcpLane, port: number, connections: number, time: number) {
  const output = join(folder, `load-${Math.random()}`);
  const opening = join(folder, `opening-${lane.name}`);
  writeFileSync(opening, lane.opening);
  const args = [script('load.mjs'), job, String(port), String(connections), String(time), opening];
  const running = processes.start(process.execPath, args, { core: loadCore, stdout: output, stderr: output });
  const printed = (): string => readFileSync(output, 'utf8');
  await waitUntilReady('the load', running, async () => printed().includes('ready'));
  return {
    async result(): Promise<{ echoes: number; seconds: number }> {
      await running.ended;
      return JSON.parse(printed().trim().split('\n').at(-1) ?? '') as { echoes: number; seconds: number };
    },
  };
}

/** What a client of TLS says first that asks for the host of the bench. */
async function greeting(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', servername: benchHost });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function bench(): Promise<boolean> {
  prepareMachine();
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-bench-'));
  try {
    say(`${describeMachine()}. Medians of ${rounds} interleaved rounds of ${seconds} s.`);
    const targetPort = await startTarget(folder, 'echo-server.mjs', Buffer.from('.'));
    const passthrough = passthroughLane(await greeting());
    const results = [await benchEcho(folder, targetPort, streamLane), await benchEcho(folder, targetPort, passthrough)];
    for (const lane of [streamLane, passthrough]) results.push(await benchIdle(folder, targetPort, lane));
    const backendPort = await startTarget(folder, 'websocket-server.mjs', webSocketLane.opening);
    results.push(await benchIdle(folder, backendPort, webSocketLane));
    return results.every((holds) => holds);
  } finally {
    await processes.stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns its port */
async function startTarget(folder: string, name: string, opening: Buffer): Promise<number> {
  const port = await freePort();
  const files = { stdout: join(folder, `${name}.log`), stderr: join(folder, `${name}.log`) };
  const target = processes.start(process.execPath, [script(name), String(port)], { core: loadCore, ...files });
  await waitUntilReady(name, target, () => echoes(port, opening));
  return port;
}

async function benchEcho(folder: string, targetPort: number, lane: TcpLane): Promise<boolean> {
  const entries = await Promise.all(
    lane.peers.map(async (peer) => ({ peer, ...(await peer.start(processes, folder, targetPort)), samples: [] as number[] })),
  );
  for (const { port } of entries) await (await load(folder, 'echo', lane, port, echoConnections, 2)).result();
  for (let round = 0; round < rounds; round++) {
    for (const { peer, port, server, samples } of entries) {
      const running = await load(folder, 'echo', lane, port, echoConnections, seconds);
      const before = readUsage(server.pid).cpuMicroseconds;
      const result = await running.result();
      const used = readUsage(server.pid).cpuMicroseconds - before;
      // A MiB of the client's is sixteen messages, each of which comes back too.
      samples.push(used / (result.echoes / 16));
      say(
        `${lane.name}-echo ${peer.name}: ${samples.at(-1)?.toFixed(0)} us a MiB, ${Math.round(result.echoes / 16 / result.seconds)} MiB/s`,
      );
    }
  }
  for (const { server } of entries) await server.stop();
  const of = (name: TcpPeer['name']): number => median(entries.find(({ peer }) => peer.name === name)?.samples ?? []);
  const ratio = of('cjs-proxy') / of('haproxy');
  say(`${lane.name}-echo: ours : HAProxy ${ratio.toFixed(2)}, bar ${mostCpu}: ${ratio <= mostCpu ? 'holds' : 'FAILS'}`);
  return ratio <= mostCpu;
}

async function benchIdle(folder: string, targetPort: number, lane: TcpLane): Promise<boolean> {
  let holds = false;
  for (const peer of lane.peers) {
    const { port, server } = await peer.start(processes, folder, targetPort);
    const empty = readUsage(server.pid).residentMebibytes;
    const running = await load(folder, 'idle', lane, port, idleConnections, 5);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const measured = readUsage(server.pid).residentMebibytes;
    await running.result();
    await server.stop();
    const projected = empty + ((measured - empty) * idleWanted) / idleConnections;
    const note =
      idleConnections === idleWanted ? '' : `, which is ${projected.toFixed(0)} MiB at ${idleWanted} if each takes the same`;
    if (peer.name === 'cjs-proxy') holds = projected <= mostIdleMebibytes;
    say(
      `${lane.name}-idle-10k ${peer.name}: ${measured.toFixed(0)} MiB with ${idleConnections} connections (${empty.toFixed(0)} with none)${note}`,
    );
  }
  if (idleConnections < idleWanted)
    say(`${lane.name}-idle-10k: this machine allows a process ${idleConnections} connections with two sockets each`);
  say(`${lane.name}-idle-10k: bar ${mostIdleMebibytes} MiB: ${holds ? 'holds' : 'FAILS'}`);
  return holds;
}

process.exitCode = (await bench()) ? 0 : 1;
