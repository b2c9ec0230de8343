// Connections in TLS that are passed on unread: by the name in their greeting, however it is cut, to a real OpenSSL server.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../helpers/certs.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { sClient } from '../helpers/openssl.js';
import { type StartedProxima, say, startProxima } from '../helpers/proxima.js';
import { connectClient } from '../helpers/raw-client.js';
import { startTarget, type TestTarget } from '../helpers/streams.js';

const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-l4-tls-'));
let server: ChildProcess;
let echo: TestTarget;
let started: StartedProxima;
/** A greeting for echo.example, as Node's client sends it. */
let greeting: Buffer;

beforeAll(async () => {
  const { key, cert } = selfSigned('real.example');
  writeFileSync(join(folder, 'key.pem'), key);
  writeFileSync(join(folder, 'cert.pem'), cert);
  const port = await freePort();
  const files = ['-key', join(folder, 'key.pem'), '-cert', join(folder, 'cert.pem')];
  server = spawn('openssl', ['s_server', '-accept', `127.0.0.1:${port}`, '-www', ...files], { stdio: 'ignore' });
  await eventually('openssl s_server', () =>
    connectClient(port).then(
      (client) => {
        client.close();
        return true;
      },
      () => false,
    ),
  );
  echo = await startTarget();
  started = await startProxima({
    routes: [
      { hostname: 'real.example', to: { port, host: '127.0.0.1', secure: true } },
      { hostname: 'echo.*', to: { port: echo.port, secure: true } },
      { hostname: 'clear.example', to: { port: echo.port } },
    ],
  });
  greeting = await greetingFor('echo.example');
});
afterAll(async () => {
  await started.close();
  await echo.close();
  server.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** What Node's client sends first. */
async function greetingFor(servername: string): Promise<Buffer> {
  const listener = net.createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const client = tls.connect({ port: (listener.address() as net.AddressInfo).port, host: '127.0.0.1', servername });
  client.on('error', () => {});
  const [socket] = (await once(listener, 'connection')) as [net.Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  listener.close();
  return bytes;
}

/** The same message in records of a size. */
function inRecordsOf(size: number): Buffer {
  const message = greeting.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part);
  }
  return Buffer.concat(records);
}

describe('a greeting', () => {
  it('leads openssl s_client to the server that it names, whose certificate it sees', async () => {
    const printed = await sClient(started.securePort, ['-servername', 'REAL.example', '-ign_eof'], 'GET / HTTP/1.0\r\n\r\n');
    expect(printed).toContain('CN = real.example');
    expect(printed).toContain('HTTP/1.0 200 ok');
    const old = await sClient(started.securePort, ['-servername', 'real.example', '-tls1_2', '-brief']);
    expect(old).toContain('TLSv1.2');
  });

  it('may be cut at every byte, and reaches the server as it was', async () => {
    const cutAt = async (cut: number): Promise<string> => {
      const client = await connectClient(started.securePort);
      client.socket.setNoDelay(true);
      client.send(greeting.subarray(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.send(greeting.subarray(cut));
      const back = await client.queue.take(greeting.length);
      client.close();
      return back.equals(greeting) ? '' : `${cut} `;
    };
    let wrong = '';
    for (let from = 1; from < greeting.length; from += 20) {
      const cuts = Array.from({ length: Math.min(20, greeting.length - from) }, (_, at) => from + at);
      wrong += (await Promise.all(cuts.map(cutAt))).join('');
    }
    expect(wrong).toBe('');
  });

  it('may come in many records and single bytes', async () => {
    const bytes = inRecordsOf(7);
    const client = await connectClient(started.securePort);
    client.socket.setNoDelay(true);
    for (const byte of bytes) {
      client.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.queue.take(bytes.length)).equals(bytes)).toBe(true);
    client.close();
  });

  it('of tens of thousands of bytes is read to its end', async () => {
    const names = Array.from({ length: 1_500 }, (_, at) => `protocol-of-some-length-${at}`);
    const long = await new Promise<Buffer>((resolve) => {
      const listener = net.createServer((socket) => {
        let all = Buffer.alloc(0);
        socket.on('error', () => {});
        socket.on('data', (chunk: Buffer) => {
          all = Buffer.concat([all, chunk]);
          if (all.length < 40_000) return;
          resolve(all);
          socket.destroy();
          listener.close();
        });
      });
      listener.listen(0, '127.0.0.1', () => {
        const { port } = listener.address() as net.AddressInfo;
        tls.connect({ port, host: '127.0.0.1', servername: 'echo.example', ALPNProtocols: names }).on('error', () => {});
      });
    });
    const client = await say(started.securePort, long);
    expect((await client.queue.take(long.length)).equals(long)).toBe(true);
    client.close();
  });

  it('is followed by anything, with a closed direction passed on', async () => {
    const client = await connectClient(started.securePort);
    const bytes = Buffer.concat([greeting, Buffer.alloc(3 << 20, 'x')]);
    await client.sendAll(bytes);
    client.end();
    const { bytes: back, end } = await client.queue.rest();
    expect(end).toBe('end');
    expect(back.equals(bytes)).toBe(true);
  });
});

describe('a connection on a secure listener is closed without a byte', () => {
  it.each([
    ['that is no TLS', async () => Buffer.from('GET / HTTP/1.1\r\nHost: echo.example\r\n\r\n')],
    ['whose name has no route', () => greetingFor('unknown.example')],
    ['whose name has a route for clear text alone', () => greetingFor('clear.example')],
    ['without a name, where nothing catches all', () => greetingFor('')],
  ])('%s', async (_what, bytes) => {
    const client = await say(started.securePort, await bytes());
    expect((await client.queue.rest()).bytes.length).toBe(0);
  });
});
