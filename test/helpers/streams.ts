// A proxy in this process with TCP streams, and targets for them.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.js';
import { createProxy } from '../../src/proxy/create-proxy.js';
import type { Proxy as RunningProxy } from '../../src/proxy/proxy.js';
import { connectClient, type RawClient } from './raw-client.js';
import { type LogLine, recordingLogger } from './recording-logger.js';

export interface StartedStreams {
  readonly proxy: RunningProxy;
  /** Of the diagnostic log. */
  readonly lines: readonly LogLine[];
  /** A folder of the proxy's own, e.g. for sockets. */
  readonly folder: string;
  /** Port of a stream. */
  port(name?: string): number;
  /** Lines of the access log; complete once the proxy is closed. */
  accessLines(): readonly string[];
  close(): Promise<void>;
}

export interface StreamsOptions {
  /** Items of `streams`, as in a file; `DIR` in texts stands for the folder. */
  readonly streams: readonly object[];
  /** Further settings, as in a file. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly server?: Readonly<Record<string, unknown>>;
}

/** Starts a proxy without HTTP; a stream without a port or path gets any free port. The caller closes it. */
export async function startStreams({ streams, settings = {}, server = {} }: StreamsOptions): Promise<StartedStreams> {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-streams-'));
  const accessLog = join(folder, 'access.log');
  const items = JSON.parse(JSON.stringify(streams).replaceAll('DIR', folder)) as Record<string, unknown>[];
  const config = loadConfig({
    env: {},
    root: false,
    settings: {
      driver: 'memory:',
      http: { bind: [] },
      server: { strategy: 'ROUND_ROBIN', connectTimeout: 3, headTimeout: 5, drainTimeout: 5, accessLog, ...server },
      streams: items.map((item) => ('port' in item || 'path' in item ? item : { port: 0, ...item })),
      ...settings,
    },
  });
  const { logger, lines } = recordingLogger();
  const proxy = await createProxy(config, { logger });
  return {
    proxy,
    lines,
    folder,
    port(name) {
      const found = proxy.addresses.find(({ stream }) => stream !== undefined && (name === undefined || stream === name));
      if (found === undefined) throw new Error(`there is no stream ${name}`);
      return found.port;
    },
    accessLines: () =>
      readFileSync(accessLog, 'latin1')
        .split('\n')
        .filter((line) => line !== ''),
    async close() {
      await proxy.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface TestTarget {
  readonly port: number;
  /** `tcp://127.0.0.1:PORT`. */
  readonly url: string;
  /** Connections since the start, and those that are open. */
  readonly accepted: number;
  readonly sockets: ReadonlySet<net.Socket>;
  close(): Promise<void>;
}

/**
 * A TCP server for a stream to go to.
 * @param serve what it does with a connection; absent: sends everything back
 * @param place a port of 127.0.0.1 (0: any), or the path of a unix socket
 */
export async function startTarget(serve: (socket: net.Socket) => void = echo, place: number | string = 0): Promise<TestTarget> {
  const sockets = new Set<net.Socket>();
  let accepted = 0;
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  if (typeof place === 'string') server.listen({ path: place });
  else server.listen(place, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    url: typeof place === 'string' ? `unix:${place}` : `tcp://127.0.0.1:${port}`,
    get accepted() {
      return accepted;
    },
    sockets,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function echo(socket: net.Socket): void {
  socket.pipe(socket);
}

/** Says its name and ends. */
export function named(name: string): (socket: net.Socket) => void {
  return (socket) => socket.end(name);
}

/** Bytes that a client gets which is expected to be turned away: at once, or by a reset that comes with the connection. */
export async function turnedAway(port: number, localAddress = '127.0.0.1'): Promise<number> {
  try {
    const client = await connectClient(port, '127.0.0.1', localAddress);
    await client.ended();
    return client.queue.total;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return 0;
    throw error;
  }
}

/** A client whose connection has been carried through to a target that sends back what it gets. */
export async function served(port: number, localAddress = '127.0.0.1'): Promise<RawClient> {
  const client = await connectClient(port, '127.0.0.1', localAddress);
  client.send('?');
  await client.queue.take(1);
  return client;
}

/** Whether a client is served just now. */
export function isServed(port: number, localAddress = '127.0.0.1'): Promise<boolean> {
  return served(port, localAddress).then(
    (client) => {
      client.close();
      return true;
    },
    () => false,
  );
}
