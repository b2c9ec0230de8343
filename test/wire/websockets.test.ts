// WebSocket as browsers and servers really speak it: the `ws` package on both sides of the proxy.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { pattern } from '../contract/engine/world.js';
import { eventually, pause } from '../helpers/eventually.js';
import { type ProxyOverrides, type StartedProxy, startProxy } from '../helpers/start-proxy.js';

const host = 'chat.example.com';
const refusing = 'http://127.0.0.1:1';

/** An application that sends every message back, and closes as a client asks it to. */
class EchoServer {
  readonly upgrades: http.IncomingMessage[] = [];
  readonly sockets = new Set<WebSocket>();
  readonly #http = http.createServer();
  readonly #server: WebSocketServer;

  constructor() {
    this.#server = new WebSocketServer({ server: this.#http, maxPayload: 64 << 20, handleProtocols: () => 'chat' });
    this.#server.on('connection', (socket, request) => {
      this.upgrades.push(request);
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => {});
      socket.on('message', (data, binary) => {
        const text = binary ? '' : data.toString();
        if (text.startsWith('close ')) socket.close(Number(text.slice(6)), 'as you wish');
        else if (text === 'vanish') socket.terminate();
        else socket.send(data, { binary });
      });
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    this.#server.close();
    await new Promise<void>((resolve) => this.#http.close(() => resolve()));
  }
}

let app: EchoServer;
beforeAll(async () => {
  app = new EchoServer();
  await app.listen();
});
afterAll(() => app.close());

/** Runs `use` with a proxy in front of the application. */
async function withProxy(overrides: ProxyOverrides, use: (proxy: StartedProxy) => Promise<void>): Promise<void> {
  const proxy = await startProxy(overrides);
  try {
    await proxy.proxy.store.writeFrontend(host, 'chat', [app.url]);
    await use(proxy);
  } finally {
    await proxy.close();
  }
}

function connect(proxy: StartedProxy, options: { name?: string; protocols?: string[]; deflate?: boolean } = {}): WebSocket {
  const { name = host, protocols = [], deflate = false } = options;
  return new WebSocket(`ws://127.0.0.1:${proxy.port}/room?id=1`, protocols, {
    headers: { Host: name },
    perMessageDeflate: deflate,
    maxPayload: 64 << 20,
  });
}

async function opened(socket: WebSocket): Promise<WebSocket> {
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
  return socket;
}

async function echo(socket: WebSocket, data: string | Buffer): Promise<Buffer> {
  const answer = new Promise<Buffer>((resolve) => socket.once('message', (message) => resolve(message as Buffer)));
  socket.send(data);
  return answer;
}

/** Code and reason of the end. */
function ended(socket: WebSocket): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })));
}

/** The status that an upgrade was answered with instead. */
function refusal(socket: WebSocket): Promise<{ status: number; code: unknown }> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => reject(new Error('it opened')));
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      resolve({ status: response.statusCode ?? 0, code: response.headers['x-cjs-proxy-error'] });
      response.resume();
    });
  });
}

describe('a WebSocket through the proxy', () => {
  let proxy: StartedProxy;
  beforeAll(async () => {
    proxy = await startProxy();
    await proxy.proxy.store.writeFrontend(host, 'chat', [app.url]);
  });
  afterAll(() => proxy.close());

  for (const deflate of [false, true]) {
    it(`carries text and binary messages of all sizes${deflate ? ', compressed' : ''}`, async () => {
      const socket = await opened(connect(proxy, { deflate }));
      expect((await echo(socket, 'hello')).toString()).toBe('hello');
      for (const size of [0, 1, 125, 126, 65_535, 65_536, 1 << 20, 5_000_000]) {
        const data = pattern(size);
        expect((await echo(socket, data)).equals(data)).toBe(true);
      }
      socket.terminate();
    });
  }

  it('carries pings and pongs both ways', async () => {
    const socket = await opened(connect(proxy));
    const pong = new Promise<string>((resolve) => socket.once('pong', (data) => resolve(data.toString())));
    socket.ping('are you there');
    expect(await pong).toBe('are you there');
    const ping = new Promise<string>((resolve) => socket.once('ping', (data) => resolve(data.toString())));
    for (const one of app.sockets) one.ping('and you');
    expect(await ping).toBe('and you');
    socket.terminate();
  });

  it('carries codes and reasons of a close from either side', async () => {
    const closedByServer = await opened(connect(proxy));
    closedByServer.send('close 4321');
    expect(await ended(closedByServer)).toEqual({ code: 4321, reason: 'as you wish' });

    const closedByClient = await opened(connect(proxy));
    const [serverSide] = await eventually('the other side', () => (app.sockets.size === 1 ? [...app.sockets] : null));
    const end = ended(serverSide as WebSocket);
    closedByClient.close(1001, 'going away');
    expect(await end).toEqual({ code: 1001, reason: 'going away' });
    await eventually('the server to have no sockets', () => app.sockets.size === 0);
  });

  it('ends for one side when the other vanishes', async () => {
    const left = await opened(connect(proxy));
    left.send('vanish');
    expect((await ended(left)).code).toBe(1006);

    const leaving = await opened(connect(proxy));
    await eventually('the other side', () => app.sockets.size === 1);
    leaving.terminate();
    await eventually('the server to notice', () => app.sockets.size === 0);
    await eventually('the tunnel to end', () => proxy.proxy.activeExchanges === 0);
  });

  it('negotiates a protocol, and tells the application who asks', async () => {
    const socket = await opened(connect(proxy, { protocols: ['chat'] }));
    expect(socket.protocol).toBe('chat');
    const request = app.upgrades.at(-1) as http.IncomingMessage;
    expect(request.url).toBe('/room?id=1');
    expect(request.headers).toMatchObject({
      host,
      'x-forwarded-for': '127.0.0.1',
      'x-real-ip': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': String(proxy.port),
      'x-forwarded-host': host,
    });
    expect(request.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    socket.terminate();
  });

  it('is one of 200 at the same time', async () => {
    const sockets = await Promise.all(Array.from({ length: 200 }, () => opened(connect(proxy))));
    const answers = await Promise.all(sockets.map((socket, at) => echo(socket, `message ${at}`)));
    expect(answers.map(String)).toEqual(sockets.map((_, at) => `message ${at}`));
    const large = pattern(100_000);
    const echoes = await Promise.all(sockets.slice(0, 50).map((socket) => echo(socket, large)));
    expect(echoes.every((one) => one.equals(large))).toBe(true);
    for (const socket of sockets) socket.terminate();
    await eventually('all tunnels to end', () => proxy.proxy.activeExchanges === 0);
    await eventually('the server to have no sockets', () => app.sockets.size === 0);
  });

  it('is refused in HTTP for a host that nobody serves', async () => {
    expect(await refusal(connect(proxy, { name: 'nobody.example.com' }))).toEqual({ status: 400, code: 'unknown-frontend' });
  });

  it('is refused in HTTP when its backend refuses, and goes to another when there is one', async () => {
    await proxy.proxy.store.writeFrontend('down.example.com', 'down', [refusing]);
    expect(await refusal(connect(proxy, { name: 'down.example.com' }))).toEqual({ status: 502, code: 'backend-refused' });
    await proxy.proxy.store.writeFrontend('half.example.com', 'half', [refusing, app.url, refusing]);
    for (let turn = 0; turn < 3; turn++) {
      const socket = await opened(connect(proxy, { name: 'half.example.com' }));
      expect((await echo(socket, 'found')).toString()).toBe('found');
      socket.terminate();
    }
  });

  it('is refused in the words of an application that does not want it', async () => {
    const plain = http.createServer((_request, response) => response.writeHead(403, { 'X-Why': 'because' }).end('no'));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    plain.on('upgrade', (_request, socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\nX-Why: because\r\nContent-Length: 2\r\n\r\nno'),
    );
    await proxy.proxy.store.writeFrontend('plain.example.com', 'plain', [
      `http://127.0.0.1:${(plain.address() as AddressInfo).port}`,
    ]);
    expect((await refusal(connect(proxy, { name: 'plain.example.com' }))).status).toBe(403);
    plain.close();
  });
});

describe('time', () => {
  it('does not end a WebSocket that is silent for longer than any limit of a request', async () => {
    const limits = {
      headTimeout: 300,
      bodyTimeout: 300,
      idleTimeout: 300,
      backendTimeout: 300,
      totalTimeout: 300,
      backendIdleTimeout: 300,
    };
    await withProxy({ server: limits }, async (proxy) => {
      const socket = await opened(connect(proxy));
      await pause(1200);
      expect((await echo(socket, 'awake')).toString()).toBe('awake');
    });
  });
});

describe('draining', () => {
  it('waits for a WebSocket that ends in time, and takes no new one', async () => {
    await withProxy({ server: { drainTimeout: 5000 } }, async (proxy) => {
      const socket = await opened(connect(proxy));
      let drained = false;
      const draining = proxy.proxy.drain().then(() => {
        drained = true;
      });
      expect((await echo(socket, 'still open')).toString()).toBe('still open');
      await expect(opened(connect(proxy))).rejects.toThrow('ECONNREFUSED');
      expect(drained).toBe(false);
      const end = ended(socket);
      socket.close(1000);
      expect((await end).code).toBe(1000);
      await draining;
    });
  });

  it('cuts a WebSocket that stays when the time is up', async () => {
    await withProxy({ server: { drainTimeout: 500 } }, async (proxy) => {
      const socket = await opened(connect(proxy));
      const end = ended(socket);
      const start = performance.now();
      await proxy.proxy.drain();
      expect(performance.now() - start).toBeGreaterThan(400);
      expect((await end).code).toBe(1006);
      await eventually('the server to notice', () => app.sockets.size === 0);
    });
  });
});

describe('the access log', () => {
  it('has one line for a WebSocket, written when it ends, with all its bytes and its time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'websockets-'));
    const file = join(folder, 'access.log');
    try {
      await withProxy({ server: { accessLog: file, accessLogFormat: 'json' } }, async (proxy) => {
        const socket = await opened(connect(proxy));
        await echo(socket, 'x'.repeat(10_000));
        await pause(200);
        expect(await readFile(file, 'utf8')).toBe('');
        const end = ended(socket);
        socket.close(1000);
        await end;
        await eventually('the tunnel to end', () => proxy.proxy.activeExchanges === 0);
      });
      const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
      expect(lines.length).toBe(1);
      const line = JSON.parse(lines[0] as string) as Record<string, unknown>;
      expect(line).toMatchObject({
        method: 'GET',
        target: '/room?id=1',
        status: 101,
        host,
        identifier: 'chat',
        outcome: 'forwarded',
        error: null,
      });
      expect(line.bytes).toBeGreaterThan(10_000);
      expect(line.totalMs).toBeGreaterThan(190);
      expect(line.backendMs).toBeLessThan(line.totalMs as number);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
