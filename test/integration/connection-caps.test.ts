// Connections that are counted for the node wait for their permit before a byte of theirs is read, on every kind of address.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { createProxy } from '../../src/proxy/create-proxy.js';
import { Permits } from '../../src/proxy/permits.js';
import type { Proxy as RunningProxy } from '../../src/proxy/proxy.js';
import type { Waiter } from '../../src/queue/admission.js';
import { NodeAdmission } from '../../src/queue/node-permits.js';
import { formatProxyHeader } from '../../src/upstream/proxy-header.js';
import { selfSigned } from '../helpers/certs.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { RawClient } from '../helpers/raw-client.js';
import { recordingLogger } from '../helpers/recording-logger.js';
import { startTarget, type TestTarget } from '../helpers/streams.js';

const most = 3;
const header = formatProxyHeader('v2', {
  source: { address: '192.0.2.7', port: 4711 },
  destination: { address: '198.51.100.1', port: 443 },
});
const folder = mkdtempSync(join(tmpdir(), 'connection-caps-'));
const files = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') };
const ports: Record<string, number> = {};
const clients: RawClient[] = [];
let echo: TestTarget;
let proxy: RunningProxy;
let permits: Permits;
/** Messages of the keeper that have not been delivered; null: all are, at once. */
let held: (() => void)[] | null = null;

beforeAll(async () => {
  const { key, cert } = selfSigned('localhost');
  writeFileSync(files.key, key);
  writeFileSync(files.cert, cert);
  echo = await startTarget();
  for (const name of [
    'http',
    'https',
    'proxied http',
    'proxied https',
    'stream',
    'tls stream',
    'proxied stream',
    'proxied tls stream',
  ]) {
    ports[name] = await freePort();
  }
});
beforeEach(async () => {
  const admission: NodeAdmission<Waiter> = new NodeAdmission((request) => permits.hear(1, request));
  permits = new Permits((_worker, answer) => {
    const deliver = () => admission.hear(answer);
    if (held === null) setImmediate(deliver);
    else held.push(deliver);
  });
  const stream = { targets: [echo.url] };
  const config = loadConfig({
    env: {},
    root: false,
    settings: {
      driver: 'memory:',
      trustedProxies: ['127.0.0.1'],
      server: { workers: 2, accessLog: 'none' },
      frontDoor: { connections: most },
      http: { bind: [address('http'), { ...address('proxied http'), proxyProtocol: true }] },
      https: {
        bind: [
          { ...address('https'), ...files },
          { ...address('proxied https'), ...files, proxyProtocol: true },
        ],
      },
      streams: [
        { name: 'plain', port: ports.stream, ...stream },
        { name: 'secure', port: ports['tls stream'], tls: files, ...stream },
        { name: 'proxied', port: ports['proxied stream'], proxyProtocol: true, ...stream },
        { name: 'proxied-secure', port: ports['proxied tls stream'], proxyProtocol: true, tls: files, ...stream },
      ],
    },
  });
  proxy = await createProxy(
    { ...config, logLevel: 'silent' },
    { connectionAdmission: admission, logger: recordingLogger().logger },
  );
});
afterEach(async () => {
  held = null;
  for (const client of clients.splice(0)) client.close();
  await proxy.close();
});
afterAll(async () => {
  await echo.close();
  rmSync(folder, { recursive: true });
});

function address(name: string): { address: string; port: number } {
  return { address: '127.0.0.1', port: ports[name] ?? 0 };
}

/** Begins to connect to an address, and says at once all that a client says first. */
function connect(name: string): RawClient {
  const raw = net.connect({ port: ports[name] ?? 0, host: '127.0.0.1' });
  raw.on('error', () => {});
  if (name.startsWith('proxied')) raw.write(header);
  const secure = name.includes('https') || name.includes('tls');
  const socket = secure ? tls.connect({ socket: raw, servername: 'localhost', rejectUnauthorized: false }) : raw;
  socket.on('error', () => {});
  const client = new RawClient(socket);
  clients.push(client);
  client.send(name.includes('http') ? 'GET / HTTP/1.1\r\nHost: __ping__\r\n\r\n' : 'ping');
  return client;
}

async function isServed(client: RawClient, name: string): Promise<boolean> {
  const answer = name.includes('http') ? client.response().then(({ status }) => status === 200) : client.queue.take(4);
  return answer.then(
    (right) => right === true || right.toString() === 'ping',
    () => false,
  );
}

describe.each(['http', 'https', 'proxied http', 'proxied https', 'stream', 'tls stream', 'proxied stream', 'proxied tls stream'])(
  'at an address of kind %s',
  (name) => {
    it('who comes is served once its permit is there, as many as the node may have, and who goes gives it back', async () => {
      for (let round = 0; round < 2; round++) {
        // Word of the places that are free again may still be on its way.
        await eventually('all places', async () => {
          for (const client of clients.splice(0)) client.close();
          const all = Array.from({ length: 2 * most }, () => connect(name));
          const served = await Promise.all(all.map((client) => isServed(client, name)));
          const count = served.filter((is) => is).length;
          expect(count).toBeLessThanOrEqual(most);
          return count === most;
        });
        for (const client of clients.splice(0)) client.close();
        await eventually('all to be gone', () => proxy.openConnections === 0);
      }
    });

    it('nothing is read of who waits, who is cut when the proxy closes', async () => {
      held = [];
      const client = connect(name);
      await eventually('the question', () => (held?.length ?? 0) > 0);
      await eventually('it to be listed', () => proxy.openConnections === 1);
      let closed = false;
      void client.ended().then(
        () => (closed = true),
        () => (closed = true),
      );
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(closed).toBe(false);
      expect(client.queue.end).toBeNull();
      await proxy.close();
      await eventually('it to be cut', () => closed);
      held = null;
    });
  },
);
