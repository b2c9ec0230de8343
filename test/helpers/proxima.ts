// A proxy in this process that runs Proxima's own file, and upstreams that say what they got.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { createProxy } from '../../src/proxy/create-proxy.js';
import type { Proxy as RunningProxy } from '../../src/proxy/proxy.js';
import { freePort } from './free-port.js';
import { connectClient, type RawClient } from './raw-client.js';
import { type LogLine, recordingLogger } from './recording-logger.js';
import { startTarget, type TestTarget } from './streams.js';

export interface StartedProxima {
  readonly proxy: RunningProxy;
  readonly lines: readonly LogLine[];
  /** The first listener in clear text, and the first one for TLS. */
  readonly port: number;
  readonly securePort: number;
  /** Lines of the access log; complete once the proxy is closed. */
  accessLines(): readonly string[];
  close(): Promise<void>;
}

/** @param file as in proxima.json, with keys of today beside; without `listeners` it has one in clear text and one for TLS */
export async function startProxima(file: Readonly<Record<string, unknown>>): Promise<StartedProxima> {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-proxima-'));
  const accessLog = join(folder, 'access.log');
  const listeners = [
    { port: await freePort(), host: '127.0.0.1' },
    { port: await freePort(), host: '127.0.0.1', secure: true },
  ];
  const settings = { listeners, server: { accessLog, headTimeout: 5 }, ...file };
  const config = loadConfig({ env: {}, root: false, settings });
  const { logger, lines } = recordingLogger();
  const proxy = await createProxy(config, { logger });
  const portOf = (secure: boolean): number => {
    const at = config.streams.findIndex((stream) => stream.settings.secure === secure);
    return config.streams[at]?.port ?? 0;
  };
  return {
    proxy,
    lines,
    port: portOf(false),
    securePort: portOf(true),
    accessLines: () => readFileSync(accessLog, 'latin1').split('\n').filter(Boolean),
    async close() {
      await proxy.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Upstream extends TestTarget {
  /** What each connection has sent so far. */
  readonly got: readonly string[];
}

/** An upstream that answers the first bytes of a connection with its name, as HTTP, and keeps the connection. */
export async function startUpstream(
  name: string,
  answer: (socket: net.Socket) => void = (socket) =>
    socket.write(`HTTP/1.1 200 OK\r\nX-Name: ${name}\r\nContent-Length: ${name.length}\r\n\r\n${name}`),
): Promise<Upstream> {
  const got: string[] = [];
  const target = await startTarget((socket) => {
    const at = got.push('') - 1;
    socket.on('data', (chunk: Buffer) => {
      const first = got[at] === '';
      got[at] += chunk.toString('latin1');
      if (first) answer(socket);
    });
    socket.on('end', () => socket.end());
  });
  return Object.assign(target, { got });
}

/** Sends a text to a port and gives the client. */
export async function say(port: number, text: string | Buffer): Promise<RawClient> {
  const client = await connectClient(port);
  client.send(text);
  return client;
}

/** The body that a request for a host is answered with. */
export async function nameOf(port: number, host: string): Promise<string> {
  const client = await say(port, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const { text, status } = await client.response();
  client.close();
  return status === 200 ? text : String(status);
}

/** What the tests of a file start, which ends with the test that started it. */
export interface ProximaWorld {
  /** Ends with the test. */
  readonly open: { close(): unknown }[];
  proxima(file: Readonly<Record<string, unknown>>): Promise<StartedProxima>;
  upstream(...args: Parameters<typeof startUpstream>): Promise<Upstream>;
}

export function useProxima(): ProximaWorld {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
  });
  const kept = async <T extends { close(): unknown }>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    open.push(started);
    return started;
  };
  return { open, proxima: (file) => kept(startProxima(file)), upstream: (...args) => kept(startUpstream(...args)) };
}
