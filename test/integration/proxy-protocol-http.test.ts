// PROXY headers before HTTP and TLS: who the client is, told by a trusted proxy alone.
import net from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatProxyHeader } from '../../src/upstream/proxy-header.js';
import { ok, type RawBackend, startBackend } from '../helpers/backend.js';
import { selfSigned } from '../helpers/certs.js';
import { connectClient, RawClient } from '../helpers/raw-client.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';
import { tlsBind } from '../helpers/tls-bind.js';

const ends = { source: { address: '192.0.2.7', port: 4711 }, destination: { address: '198.51.100.1', port: 443 } };
const request = 'GET / HTTP/1.1\r\nHost: site.example.com\r\n\r\n';
let proxy: StartedProxy;
let backend: RawBackend;

beforeAll(async () => {
  backend = await startBackend(async (request, connection) => {
    await request.whole();
    const client = /^x-forwarded-for: (.*)$/im.exec(request.head)?.[1]?.trim() ?? 'nobody';
    connection.send(ok(client));
  });
  const http = { address: '127.0.0.1', port: 0, proxyProtocol: true };
  proxy = await startProxy({ http: [http], https: [tlsBind({ proxyProtocol: true })], trustedProxies: ['127.0.0.1'] });
  const { key, cert } = selfSigned('site.example.com');
  await proxy.proxy.store.writeRecord('tls', 'site.example.com', ['certificate', cert, 'key', key]);
  await proxy.proxy.store.writeFrontend('site.example.com', 'site', [backend.url]);
});
afterAll(async () => {
  await proxy.close();
  await backend.close();
});

describe('an address with proxyProtocol', () => {
  it.each(['v1', 'v2'] as const)('takes the client from a header of %s, also one in single bytes', async (version) => {
    const header = formatProxyHeader(version, ends);
    const client = await connectClient(proxy.port);
    client.send(Buffer.concat([header, Buffer.from(request)]));
    expect((await client.response()).text).toBe('192.0.2.7');
    client.close();
    const slow = await connectClient(proxy.port);
    slow.socket.setNoDelay(true);
    for (const byte of header) {
      slow.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    slow.send(request);
    expect((await slow.response()).text).toBe('192.0.2.7');
    slow.close();
  });

  it.each(['v1', 'v2'] as const)('takes it before the greeting of TLS too, %s', async (version) => {
    const raw = net.connect({ port: proxy.securePort, host: '127.0.0.1' });
    raw.write(formatProxyHeader(version, ends));
    const socket = tls.connect({ socket: raw, servername: 'site.example.com', rejectUnauthorized: false });
    await new Promise((resolve, reject) => socket.once('secureConnect', () => resolve(null)).once('error', reject));
    const client = new RawClient(socket);
    client.send(request);
    expect((await client.response()).text).toBe('192.0.2.7');
    client.close();
  });

  it('closes connections without a header, and those that nobody trusted makes', async () => {
    const without = await connectClient(proxy.port);
    without.send(request);
    expect((await without.queue.rest()).bytes.length).toBe(0);
    const stranger = await connectClient(proxy.port, '127.0.0.1', '127.0.0.2').catch(() => null);
    stranger?.send(Buffer.concat([formatProxyHeader('v2', ends), Buffer.from(request)]));
    expect((await stranger?.queue.rest())?.bytes.length ?? 0).toBe(0);
  });
});
