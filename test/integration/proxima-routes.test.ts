// Proxima's file in force: routes by host, classes of connections, bytes as they are, handlers, limits of time.
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { nameOf, say, useProxima } from '../helpers/proxima.js';
import { connectClient } from '../helpers/raw-client.js';
import { startTarget } from '../helpers/streams.js';

const { open, proxima, upstream } = useProxima();

/** A port of 127.0.0.1 that refuses. */
const refusing = 1;

describe('routes', () => {
  it('are tried from the last to the first, an array as one route for each member in its order', async () => {
    const [one, two, three] = [await upstream('one'), await upstream('two'), await upstream('three')];
    const { port } = await proxima({
      routes: [
        { hostname: '*', to: one.port },
        { hostname: 'a.com', to: one.port },
        { hostname: 'a.com', to: two.port },
        { hostname: ['b.?', '/^b\\.c$/'], to: three.port },
        { hostname: 'b.d', to: { port: two.port, host: '127.0.0.1' } },
      ],
    });
    expect(await nameOf(port, 'a.com')).toBe('two');
    expect(await nameOf(port, 'b.c')).toBe('three');
    expect(await nameOf(port, 'b.d')).toBe('two');
    expect(await nameOf(port, 'else.example')).toBe('one');
  });

  it('strip the port of a host, and know literal addresses of IPv6', async () => {
    const [one, two] = [await upstream('one'), await upstream('two')];
    const { port } = await proxima({
      routes: [
        { hostname: 'a.com', to: one.port },
        { hostname: '::1', to: two.port },
      ],
    });
    expect(await nameOf(port, 'a.com:99')).toBe('one');
    expect(await nameOf(port, '[::1]')).toBe('two');
    expect(await nameOf(port, '[::1]:80')).toBe('two');
  });

  it('see connections of their class alone', async () => {
    const [clear, encrypted] = [await upstream('clear'), await upstream('encrypted')];
    const { port } = await proxima({
      routes: [
        { hostname: 'a.com', to: { port: clear.port, secure: false } },
        { hostname: '*', to: { port: encrypted.port, secure: true } },
      ],
    });
    expect(await nameOf(port, 'a.com')).toBe('clear');
    expect(await nameOf(port, 'other.com')).toBe('404');
  });

  it('match a connection without a host by *, and answer 404 otherwise', async () => {
    const one = await upstream('one');
    const catching = await proxima({ routes: [{ hostname: '*', to: one.port }] });
    const without = await say(catching.port, 'GET / HTTP/1.0\r\n\r\n');
    expect((await without.response()).text).toBe('one');
    const none = await proxima({ routes: [{ hostname: 'a.com', to: one.port }] });
    const client = await say(none.port, 'GET / HTTP/1.0\r\n\r\n');
    expect((await client.response()).status).toBe(404);
  });

  it('reach unix sockets, and listeners may be ones', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-l4-'));
    open.push({ close: () => rmSync(folder, { recursive: true }) });
    const path = join(folder, 'upstream.sock');
    const target = await startTarget((socket) => socket.once('data', () => socket.end('by socket')), path);
    open.push(target);
    const listener = join(folder, 'listener.sock');
    const { port } = await proxima({
      listeners: [{ port: await freePort(), host: '127.0.0.1' }, listener],
      routes: [{ hostname: 'a.com', to: path }],
    });
    const client = await say(port, 'GET / HTTP/1.1\r\nHost: a.com\r\n\r\n');
    expect((await client.queue.rest()).bytes.toString()).toBe('by socket');
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = net.connect(listener);
      socket.on('data', (chunk) => resolve(chunk.toString()));
      socket.on('error', reject);
      socket.write('GET / HTTP/1.1\r\nHost: a.com\r\n\r\n');
    });
    expect(answer).toBe('by socket');
  });
});

describe('a connection', () => {
  it('is routed once: further requests go to the first upstream, whatever their host', async () => {
    const [one, two] = [await upstream('one'), await upstream('two')];
    const { port } = await proxima({
      routes: [
        { hostname: 'a.com', to: one.port },
        { hostname: 'b.com', to: two.port },
      ],
    });
    const client = await say(port, 'GET /1 HTTP/1.1\r\nHost: a.com\r\n\r\nGET /2 HTTP/1.1\r\nHost: b.com\r\n\r\n');
    await client.response();
    client.send('GET /3 HTTP/1.1\r\nHost: b.com\r\n\r\n');
    await eventually('all three', () => one.got[0]?.includes('/3'));
    expect(one.got[0]).toBe(
      'GET /1 HTTP/1.1\r\nHost: a.com\r\n\r\nGET /2 HTTP/1.1\r\nHost: b.com\r\n\r\nGET /3 HTTP/1.1\r\nHost: b.com\r\n\r\n',
    );
    expect(two.accepted).toBe(0);
  });

  it('carries any bytes unchanged both ways, at the pace of the slower side', async () => {
    const echo = await startTarget();
    open.push(echo);
    const { port } = await proxima({ routes: [{ hostname: 'a.com', to: echo.port }] });
    const client = await connectClient(port);
    const head = Buffer.from('ANY thing\nHost: a.com\n\n');
    const bytes = Buffer.concat([head, Buffer.alloc(8 << 20, 'abcdefg')]);
    const sent = client.sendAll(bytes).then(() => client.end());
    const { bytes: back, end } = await client.queue.rest();
    await sent;
    expect(end).toBe('end');
    expect(back.equals(bytes)).toBe(true);
  });

  it('of a text that is no HTTP is decided when its client waits for an answer', async () => {
    const one = await upstream('one', (socket) => socket.end('hello'));
    const { port } = await proxima({ routes: [{ hostname: '*', to: one.port }], specTimeout: 1 });
    const client = await say(port, 'SSH-2.0-OpenSSH_9.9\r\n');
    expect((await client.queue.rest()).bytes.toString()).toBe('hello');
    expect(one.got).toEqual(['SSH-2.0-OpenSSH_9.9\r\n']);
  });

  it('that says nothing is closed without a byte after specTimeout, and never with 0', async () => {
    const one = await upstream('one');
    const routes = [{ hostname: '*', to: one.port }];
    const { port } = await proxima({ routes, specTimeout: 100 });
    const silent = await connectClient(port);
    expect(await silent.queue.rest()).toMatchObject({ end: 'end', bytes: Buffer.alloc(0) });
    const patient = await proxima({ routes, specTimeout: 0 });
    const client = await connectClient(patient.port);
    // As long as another one takes to be given up.
    await (await connectClient(port)).ended();
    client.send('GET / HTTP/1.1\r\nHost: a.com\r\n\r\n');
    expect((await client.response()).text).toBe('one');
  });

  it('has a line in the access log with its host and why it ended', async () => {
    const one = await upstream('one');
    const started = await proxima({ routes: [{ hostname: 'a.com', to: one.port }] });
    await nameOf(started.port, 'a.com');
    await nameOf(started.port, 'b.com');
    await eventually('both to end', () => started.proxy.openConnections === 0);
    await started.proxy.close();
    const [served, unknown] = started.accessLines();
    expect(served).toMatch(/^tcp listener-0 127\.0\.0\.1 a\.com \[\S+\] -> tcp:\/\/localhost:\d+ 31 \d+ \d+ \w/);
    expect(unknown).toMatch(/^tcp listener-0 127\.0\.0\.1 b\.com \[\S+\] -> - 31 \d+ \d+ no-route$/);
  });
});

describe('a handler', () => {
  const request = 'GET /orig HTTP/1.1\r\nHost: a.com\r\n\r\n';

  it.each([
    ['404', { routes: [] }, '404 Hostname Not Found'],
    ['500', { routes: [{ hostname: 'a.com', to: refusing }] }, '500 Invalid Upstream Configuration'],
  ] as const)('for %s is a page, silence or an endpoint that gets the bytes as they came', async (code, file, reason) => {
    const page = await say((await proxima(file)).port, request);
    const answer = await page.response();
    expect(`${answer.status} ${answer.reason}`).toBe(reason);
    expect(answer.fields.get('connection')).toBe('close');
    expect(answer.fields.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await page.ended()).toBe('end');

    const silent = await say((await proxima({ ...file, [code]: false })).port, request);
    expect((await silent.queue.rest()).bytes.length).toBe(0);

    const endpoint = await upstream('stand-in');
    const standing = await say((await proxima({ ...file, [code]: { port: endpoint.port, host: '127.0.0.1' } })).port, request);
    expect((await standing.response()).text).toBe('stand-in');
    expect(endpoint.got).toEqual([request]);
  });

  it.each([
    ['resets the connection', (socket: net.Socket) => socket.resetAndDestroy()],
    ['closes it', (socket: net.Socket) => socket.end()],
  ])('for 504 stands in for an upstream that %s before its first byte', async (_how, answer) => {
    const faulty = await upstream('faulty', answer);
    const routes = [{ hostname: 'a.com', to: faulty.port }];
    const page = await say((await proxima({ routes })).port, request);
    const { status, reason } = await page.response();
    expect(`${status} ${reason}`).toBe('504 No Upstream Response');
    const silent = await say((await proxima({ routes, 504: false })).port, request);
    expect((await silent.queue.rest()).bytes.length).toBe(0);
    const endpoint = await upstream('stand-in');
    const standing = await say((await proxima({ routes, 504: endpoint.port })).port, request);
    expect((await standing.response()).text).toBe('stand-in');
    expect(endpoint.got).toEqual([request]);
  });

  it('is used once: an endpoint that is down leads to the next one, then to the end', async () => {
    const page = await say((await proxima({ routes: [], 404: refusing })).port, request);
    expect((await page.response()).status).toBe(500);
    const closed = await say((await proxima({ routes: [], 404: refusing, 500: refusing })).port, request);
    expect((await closed.queue.rest()).bytes.length).toBe(0);
  });

  it('does nothing once the client has got a byte', async () => {
    const faulty = await upstream('faulty', (socket) => socket.write('half an ', () => socket.resetAndDestroy()));
    const client = await say((await proxima({ routes: [{ hostname: 'a.com', to: faulty.port }] })).port, request);
    const { bytes } = await client.queue.rest();
    expect('half an '.startsWith(bytes.toString())).toBe(true);
  });
});
