// Frontends whose TLS is their backends' on an https address, beside others whose TLS is ended there.
import type net from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseProxyHeader } from '../../src/listener/proxy-protocol.js';
import { ok, type RawBackend, startBackend } from '../helpers/backend.js';
import { selfSigned } from '../helpers/certs.js';
import { eventually } from '../helpers/eventually.js';
import { sClient } from '../helpers/openssl.js';
import { connectTlsClient } from '../helpers/raw-client.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';
import { startTarget, type TestTarget } from '../helpers/streams.js';
import { tlsBind } from '../helpers/tls-bind.js';

const open: { close(): unknown }[] = [];
let proxy: StartedProxy;
let backend: RawBackend;

beforeAll(async () => {
  proxy = await startProxy({ https: [tlsBind()] });
  backend = await startBackend(ok('ended here'));
  open.push(backend);
  const { key, cert } = selfSigned('*.example.com');
  await proxy.proxy.store.writeRecord('tls', '*.example.com', ['certificate', cert, 'key', key]);
  await proxy.proxy.store.writeFrontend('ended.example.com', 'ended', [backend.url]);
});
afterAll(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  await proxy.close();
});

/** A backend that ends TLS with a certificate of its own, and says what it got. */
async function ownTls(name: string, answer?: (socket: tls.TLSSocket) => void): Promise<{ port: number; close(): void }> {
  const server = tls.createServer({ ...selfSigned(name), allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    if (answer !== undefined) answer(socket);
    else {
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        if (!text.endsWith('\r\n\r\n')) return;
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`);
        text = '';
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const started = { port: (server.address() as net.AddressInfo).port, close: () => server.close() };
  open.push(started);
  return started;
}

async function passThrough(host: string, backends: readonly string[], ...more: readonly string[]): Promise<void> {
  await proxy.proxy.store.writeFrontend(host, host, backends);
  await proxy.proxy.store.writeRecord('route', host, ['tls', 'passthrough', ...more]);
}

describe('a frontend with tls passthrough', () => {
  it('has its own certificate in the handshake, while its neighbour has that of the store', async () => {
    const own = await ownTls('own.example.com');
    await passThrough('own.example.com', [`https://127.0.0.1:${own.port}`]);
    const { securePort } = proxy;
    const passed = await sClient(securePort, ['-servername', 'own.example.com']);
    expect(passed).toContain('CN = own.example.com');
    const client = await connectTlsClient(securePort, 'ended.example.com');
    client.send('GET / HTTP/1.1\r\nHost: ended.example.com\r\n\r\n');
    expect((await client.response()).text).toBe('ended here');
    expect((client.socket as tls.TLSSocket).getPeerCertificate().subject.CN).toBe('*.example.com');
    client.close();
  });

  it('carries megabytes both ways at the pace of the slower side, with a closed direction passed on', async () => {
    const own = await ownTls('much.example.com', (socket) => socket.pipe(socket));
    await passThrough('much.example.com', [`127.0.0.1:${own.port}`]);
    const client = await connectTlsClient(proxy.securePort, 'much.example.com');
    const bytes = Buffer.alloc(6 << 20, 'abcdefg');
    const sent = client.sendAll(bytes);
    client.pause();
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.resume();
    const back = await client.queue.take(bytes.length);
    await sent;
    expect(back.equals(bytes)).toBe(true);
    client.end();
    expect(await client.ended()).toBe('end');
  });

  it('is not served on a connection whose TLS was ended here: 421', async () => {
    const own = await ownTls('other.example.com');
    await passThrough('other.example.com', [`https://127.0.0.1:${own.port}`]);
    const client = await connectTlsClient(proxy.securePort, 'ended.example.com');
    client.send('GET / HTTP/1.1\r\nHost: other.example.com\r\n\r\n');
    expect((await client.response()).status).toBe(421);
    client.close();
  });

  it('takes effect, and ends, with the next connection', async () => {
    const own = await ownTls('live.example.com');
    await proxy.proxy.store.writeFrontend('live.example.com', 'live', [backend.url]);
    const bodyOf = async (): Promise<string> => {
      const client = await connectTlsClient(proxy.securePort, 'live.example.com');
      client.send('GET / HTTP/1.1\r\nHost: live.example.com\r\n\r\n');
      const { text } = await client.response();
      client.close();
      return text;
    };
    expect(await bodyOf()).toBe('ended here');
    await passThrough('live.example.com', [`127.0.0.1:${own.port}`]);
    expect(await bodyOf()).toBe('live.example.com');
    await proxy.proxy.store.writeRecord('route', 'live.example.com', []);
    await proxy.proxy.store.writeFrontend('live.example.com', 'live', [backend.url]);
    expect(await bodyOf()).toBe('ended here');
  });

  it('goes to another backend where one refuses, and past one that is marked dead', async () => {
    const own = await ownTls('two.example.com');
    await passThrough('two.example.com', ['127.0.0.1:1', `127.0.0.1:${own.port}`]);
    for (let round = 0; round < 4; round++) {
      const client = await connectTlsClient(proxy.securePort, 'two.example.com');
      client.send('GET / HTTP/1.1\r\n\r\n');
      expect((await client.response()).text).toBe('two.example.com');
      client.close();
    }
  });

  it('tells a backend of its client by a PROXY header where the list asks for it', async () => {
    const first: Buffer[] = [];
    const target: TestTarget = await startTarget((socket) => socket.once('data', (chunk) => first.push(chunk)));
    open.push(target);
    for (const version of ['v1', 'v2']) {
      await passThrough('told.example.com', [`127.0.0.1:${target.port}#proxyProtocol=${version}`]);
      const socket = tls.connect({ port: proxy.securePort, host: '127.0.0.1', servername: 'told.example.com' });
      socket.on('error', () => {});
      await eventually('the header', () => first.length === 1);
      const bytes = first.pop() as Buffer;
      const header = parseProxyHeader(bytes);
      const port = socket.localPort;
      expect(header).toMatchObject({ kind: 'header', ends: { source: { address: '127.0.0.1', port } } });
      expect(bytes.toString('latin1').startsWith('PROXY TCP4 127.0.0.1 127.0.0.1 ')).toBe(version === 'v1');
      socket.destroy();
    }
  });

  it('keeps out whom its policy denies, and everybody where it asks for what cannot be asked', async () => {
    const own = await ownTls('closed.example.com');
    const tried = (): Promise<string> =>
      connectTlsClient(proxy.securePort, 'closed.example.com').then(
        (client) => {
          client.close();
          return 'open';
        },
        () => 'closed',
      );
    await passThrough('closed.example.com', [`127.0.0.1:${own.port}`]);
    expect(await tried()).toBe('open');
    await passThrough('closed.example.com', [`127.0.0.1:${own.port}`], 'deny', '["127.0.0.0/8"]');
    expect(await tried()).toBe('closed');
    await passThrough('closed.example.com', [`127.0.0.1:${own.port}`], 'authProvider', 'people');
    expect(await tried()).toBe('closed');
  });
});
