// Greetings of TLS clients as networks and strangers deliver them: in single bytes, with more behind them, broken off, or none at all.
import net from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ok, type RawBackend, startBackend } from '../helpers/backend.js';
import { selfSigned } from '../helpers/certs.js';
import { eventually } from '../helpers/eventually.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';
import { tlsBind } from '../helpers/tls-bind.js';

const host = 'site.example.com';

let backend: RawBackend;
let proxy: StartedProxy;

beforeAll(async () => {
  backend = await startBackend(ok('fine'));
  proxy = await startProxy({ https: [tlsBind()] });
  const { key, cert } = selfSigned(host);
  await proxy.proxy.store.writeRecord('tls', host, ['certificate', cert, 'key', key]);
  await proxy.proxy.store.writeFrontend(host, 'id', [backend.url]);
});
afterAll(async () => {
  await proxy.close();
  await backend.close();
});

/** A port whose clients reach the proxy in pieces of a size. */
async function inPieces(size: number): Promise<{ readonly port: number; close(): void }> {
  const server = net.createServer((client) => {
    const onward = net.connect({ port: proxy.securePort, host: '127.0.0.1', noDelay: true });
    for (const socket of [client, onward]) socket.on('error', () => {});
    onward.pipe(client);
    let sending = Promise.resolve();
    client.on('data', (chunk: Buffer) => {
      sending = sending.then(async () => {
        for (let at = 0; at < chunk.length; at += size) {
          await new Promise<void>((resolve) => onward.write(chunk.subarray(at, at + size), () => setImmediate(resolve)));
        }
      });
    });
    client.on('close', () => onward.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as net.AddressInfo).port, close: () => server.close() };
}

function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: host, rejectUnauthorized: false });
    let text = '';
    socket.on('secureConnect', () => socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
  });
}

it.each([1, 3, 100])('a greeting that comes in pieces of %i bytes is understood', async (size) => {
  const pieces = await inPieces(size);
  expect(await ask(pieces.port)).toMatch(/^HTTP\/1\.1 200 [\s\S]*fine$/);
  pieces.close();
});

it('nothing is kept of connections that are no TLS, end in the middle, or are reset', async () => {
  await eventually('others to be gone', () => proxy.proxy.openConnections === 0);
  const beginnings = ['', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x02', '\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00'];
  for (const [at, text] of beginnings.flatMap((one) => [one, one, one]).entries()) {
    const socket = net.connect(proxy.securePort, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    socket.write(text, 'latin1');
    if (at % 3 === 0) socket.end();
    else if (at % 3 === 1) socket.resetAndDestroy();
    else setImmediate(() => socket.destroy());
  }
  await eventually('all of them to be gone', () => proxy.proxy.openConnections === 0);
  expect(await ask(proxy.securePort)).toContain('fine');
});

it('a client that leaves while its certificate is looked for leaves nothing behind', async () => {
  const socket = tls.connect({ port: proxy.securePort, host: '127.0.0.1', servername: 'never.asked.example' });
  socket.on('error', () => {});
  socket.once('connect', () => setImmediate(() => socket.destroy()));
  await eventually('it to be gone', () => socket.destroyed && proxy.proxy.openConnections === 0);
});
