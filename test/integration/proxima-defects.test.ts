// The known defects of Proxima, by number: none of them may come back.
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import { selfSigned } from '../helpers/certs.js';
import { loadSettings } from '../helpers/config-file.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { nameOf, say, useProxima } from '../helpers/proxima.js';
import { connectClient } from '../helpers/raw-client.js';
import { startTarget } from '../helpers/streams.js';

const { open, proxima, upstream } = useProxima();

/** Sends a text in two pieces, the second one after the first has been delivered. */
async function inTwo(port: number, text: string, cut: number) {
  const client = await connectClient(port);
  client.socket.setNoDelay(true);
  client.send(text.slice(0, cut));
  await new Promise((resolve) => setTimeout(resolve, 2));
  client.send(text.slice(cut));
  return client;
}

test('1. globs are anchored: a.com is not found in xa.com.evil', async () => {
  const one = await upstream('one');
  const { port } = await proxima({
    routes: [
      { hostname: 'a.com', to: one.port },
      { hostname: 'q.?.com', to: one.port },
    ],
  });
  for (const host of ['xa.com.evil', 'xa.com', 'a.com.evil', 'aXcom', 'q.z.y.com', 'xq.z.com'])
    expect(await nameOf(port, host), host).toBe('404');
  for (const host of ['a.com', 'q.z.com']) expect(await nameOf(port, host)).toBe('one');
});

test('2. hosts match without regard to case, and with the dot of a full name', async () => {
  const one = await upstream('one');
  const { port } = await proxima({ routes: [{ hostname: ['A.com', '/^re[0-9]\\.x$/'], to: one.port }] });
  for (const host of ['a.com', 'A.COM', 'a.com.', 'RE1.X']) expect(await nameOf(port, host), host).toBe('one');
});

test('3. a Host line may be cut anywhere', async () => {
  const one = await upstream('one');
  const { port } = await proxima({ routes: [{ hostname: 'a.com', to: one.port }] });
  const text = 'GET / HTTP/1.1\r\nX: y\r\nHost: a.com:80\r\n\r\n';
  const statuses = await Promise.all(
    Array.from({ length: text.length - 1 }, async (_, at) => {
      const client = await inTwo(port, text, at + 1);
      const { status } = await client.response();
      client.close();
      return status;
    }),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(new Set(one.got)).toEqual(new Set([text]));
});

test('4. a greeting of TLS may be cut at the places where Proxima failed', async () => {
  const { key, cert } = selfSigned('a.com');
  const server = tls.createServer({ key, cert }, (socket) => socket.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(server);
  const { port } = server.address() as net.AddressInfo;
  const { securePort } = await proxima({ routes: [{ hostname: 'a.com', to: { port, secure: true, host: '127.0.0.1' } }] });
  for (const cut of [1, 5, 60, 120, 150, 200, 250]) {
    const onward = net.createServer((client) => {
      const socket = net.connect({ port: securePort, host: '127.0.0.1', noDelay: true });
      socket.on('error', () => client.destroy());
      client.on('error', () => {});
      socket.pipe(client);
      client.once('data', (chunk: Buffer) => {
        socket.write(chunk.subarray(0, cut));
        setTimeout(() => {
          socket.write(chunk.subarray(cut));
          client.pipe(socket);
        }, 2);
      });
    });
    onward.listen(0, '127.0.0.1');
    await once(onward, 'listening');
    const client = tls.connect({
      port: (onward.address() as net.AddressInfo).port,
      host: '127.0.0.1',
      servername: 'a.com',
      rejectUnauthorized: false,
    });
    const [text] = (await once(client, 'data')) as [Buffer];
    expect(text.toString(), String(cut)).toBe('hello');
    client.destroy();
    onward.close();
  }
});

test('5. a blank behind the host means nothing', async () => {
  const one = await upstream('one');
  const { port } = await proxima({ routes: [{ hostname: 'a.com', to: one.port }] });
  for (const line of ['Host: a.com ', 'Host:a.com', 'host:\ta.com\t', 'HOST: a.com:8080 ']) {
    const client = await say(port, `GET / HTTP/1.1\r\n${line}\r\n\r\n`);
    expect((await client.response()).status, line).toBe(200);
    client.close();
  }
});

test('6. what comes while the upstream is connected to stays behind what came before', async () => {
  const one = await upstream('one');
  const { port } = await proxima({ routes: [{ hostname: 'a.com', to: one.port }] });
  const first = 'POST / HTTP/1.1\r\nHost: a.com\r\nContent-Length: 40000\r\n\r\n';
  const client = await connectClient(port);
  client.socket.setNoDelay(true);
  client.send(first);
  for (let at = 0; at < 40; at++) client.send(String(at % 10).repeat(1_000));
  const whole = first + Array.from({ length: 40 }, (_, at) => String(at % 10).repeat(1_000)).join('');
  await eventually('all of it', () => one.got[0]?.length === whole.length);
  expect(one.got[0]).toBe(whole);
});

test('7. a client that closes its sending side behind its request gets the answer', async () => {
  const seen = await startTarget((socket) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('end', () => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`));
  });
  open.push(seen);
  const { port } = await proxima({
    routes: [
      { hostname: 'a.com', to: seen.port },
      { hostname: '*', to: seen.port },
    ],
  });
  // With the end behind a whole head, and in the middle of one.
  for (const text of ['GET / HTTP/1.1\r\nHost: a.com\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a.com', 'some text']) {
    const client = await connectClient(port);
    client.socket.end(text);
    expect((await client.response()).text).toBe(text);
  }
});

test('8. the host of a listener counts', async () => {
  const one = await upstream('one');
  const listener = { port: await freePort(), host: '127.0.0.9' };
  await proxima({ listeners: [listener], routes: [{ hostname: '*', to: one.port }] });
  await expect(connectClient(listener.port, '127.0.0.1')).rejects.toThrow('ECONNREFUSED');
  (await connectClient(listener.port, '127.0.0.9', '127.0.0.1')).close();
});

test('9. --workers and --verbose win over the file', () => {
  const file = { listeners: [8080], routes: [], workers: 1, verbose: false };
  expect(loadSettings(file)).toMatchObject({ server: { workers: 1 }, logLevel: 'info' });
  expect(loadSettings(file, { flags: { workers: '3', verbose: true } })).toMatchObject({
    server: { workers: 3 },
    logLevel: 'debug',
  });
});

test('10. accounts may be numbers, and each is its own', () => {
  const file = { listeners: [8080], routes: [], uid: 1010, gid: 'www' };
  expect(loadSettings(file, { root: true })).toMatchObject({ user: '1010', group: 'www' });
  const flags = { uid: '1011', gid: '1012' };
  expect(loadSettings(file, { root: true, flags })).toMatchObject({ user: '1011', group: '1012' });
});

test('11. a Host line in a body leads nowhere', async () => {
  const one = await upstream('one');
  const { port } = await proxima({ routes: [{ hostname: 'a.com', to: one.port }] });
  for (const end of ['\r\n\r\n', '\n\n', '\n\r\n']) {
    const client = await say(port, `POST / HTTP/1.1${end}Host: a.com\r\n\r\n`);
    expect((await client.response()).status).toBe(404);
  }
});

test('12. the lines of a page all end in CR LF', async () => {
  const { port } = await proxima({ routes: [] });
  const client = await say(port, 'GET / HTTP/1.1\r\nHost: a.com\r\n\r\n');
  const { bytes } = await client.queue.rest();
  expect(bytes.toString()).toContain('404 Hostname Not Found\r\n');
  expect(bytes.toString().replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
});

describe('13. an upstream has limits of time', () => {
  const request = 'GET / HTTP/1.1\r\nHost: a.com\r\n\r\n';

  test('for its first byte', async () => {
    const silent = await startTarget((socket) => socket.resume());
    open.push(silent);
    const server = { accessLog: 'none', backendTimeout: 0.3 };
    const { port } = await proxima({ routes: [{ hostname: 'a.com', to: silent.port }], server });
    const client = await say(port, request);
    expect((await client.response()).status).toBe(504);
    await eventually('the upstream to be left', () => silent.sockets.size === 0);
  });

  test('for a connection to be made', async () => {
    const server = { accessLog: 'none', connectTimeout: 0.3 };
    // RFC 5737: nothing is there, and nothing says so.
    const { port } = await proxima({ routes: [{ hostname: 'a.com', to: { port: 9, host: '192.0.2.1' } }], server });
    const client = await say(port, request);
    expect((await client.response()).status).toBe(500);
  });

  test('for silence, where the file says so', async () => {
    const one = await upstream('one');
    const server = { accessLog: 'none', tunnelTimeout: 0.3 };
    const { port } = await proxima({ routes: [{ hostname: 'a.com', to: one.port }], server });
    const client = await say(port, request);
    expect((await client.response()).text).toBe('one');
    await client.ended();
    await eventually('the upstream to be left', () => one.sockets.size === 0);
  });
});
