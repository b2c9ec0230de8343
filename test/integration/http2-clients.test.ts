// Real clients of HTTP/2 over TLS: curl, nghttp, h2load, WebSocket over extended CONNECT, and Chromium.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http2, { type ClientHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { pattern, World } from '../contract/engine/world.js';
import { ok, type RawBackend } from '../helpers/backend.js';
import { selfSigned } from '../helpers/certs.js';
import { eventually } from '../helpers/eventually.js';
import { programPath } from '../helpers/programs.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';
import { pairFiles, tlsBind } from '../helpers/tls-bind.js';
import { webSocketOver, webSocketRequest } from '../helpers/websocket-stream.js';

const run = promisify(execFile);
const env = { PATH: programPath };
const folder = mkdtempSync(join(tmpdir(), 'http2-clients-'));
const host = 'www.example.com';
const large = pattern(500_000);

let proxy: StartedProxy;
let world: World;
let backend: RawBackend;

beforeAll(async () => {
  const files = pairFiles(folder, selfSigned(host, 'chat.example.com'));
  proxy = await startProxy({ https: [tlsBind(files)], clearHttp2: true });
  world = new World(proxy, 'wire');
  backend = await world.backend(async (request, connection) => {
    if (request.target === '/large') {
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n`);
      connection.send(large);
      return;
    }
    const body = await request.whole();
    const text = request.method === 'POST' ? body.bytes.toString('latin1') : `asked for ${request.target}`;
    connection.send(ok(text, 'Content-Type: text/html'));
  });
  await proxy.proxy.store.writeFrontend(host, 'www', [backend.url]);
});
afterAll(async () => {
  await world.close();
  await proxy.close();
  rmSync(folder, { recursive: true });
});

const curl = async (...args: readonly string[]): Promise<string> => {
  const at = `${host}:${proxy.securePort}:127.0.0.1`;
  const { stdout } = await run('curl', ['-sk', '--resolve', at, '--max-time', '20', ...args], { env, encoding: 'latin1' });
  return stdout;
};
const url = (path: string) => `https://${host}:${proxy.securePort}${path}`;

describe('curl', () => {
  it('agrees on HTTP/2, and on HTTP/1.1 if that is all it knows', async () => {
    const told = ['-o', '/dev/null', '-w', '%{http_version} %{http_code}'];
    expect(await curl('--http2', ...told, url('/'))).toBe('2 200');
    expect(await curl('--http1.1', ...told, url('/'))).toBe('1.1 200');
  });

  it('uploads and downloads', async () => {
    const file = join(folder, 'upload');
    writeFileSync(file, 'u'.repeat(300_000));
    expect((await curl('--http2', '--data-binary', `@${file}`, url('/'))).length).toBe(300_000);
    expect(Buffer.from(await curl('--http2', url('/large')), 'latin1').equals(large)).toBe(true);
  });

  it('speaks it in clear text with prior knowledge', async () => {
    const args = [
      '-s',
      '--http2-prior-knowledge',
      '-H',
      `Host: ${host}`,
      '-w',
      ' %{http_version}',
      `http://127.0.0.1:${proxy.port}/`,
    ];
    expect((await run('curl', args, { env })).stdout).toBe('asked for / 2');
  });
});

describe('nghttp', () => {
  it('gets several pages on one connection', async () => {
    const paths = ['/1', '/2', '/3'].map((path) => `https://127.0.0.1:${proxy.securePort}${path}`);
    const { stdout } = await run('nghttp', ['--no-verify-peer', `-H:authority: ${host}`, ...paths], { env });
    for (const path of ['/1', '/2', '/3']) expect(stdout).toContain(`asked for ${path}`);
  });
});

describe('h2load', () => {
  it('gets every answer of 1,000 requests in ten streams a connection', async () => {
    const args = ['-n', '1000', '-c', '4', '-m', '10', '-H', `:authority: ${host}`, `https://127.0.0.1:${proxy.securePort}/`];
    const { stdout } = await run('h2load', args, { env });
    expect(stdout).toContain('1000 succeeded, 0 failed, 0 errored, 0 timeout');
    expect(stdout).toContain('1000 2xx');
  });
});

describe('WebSocket over extended CONNECT (RFC 8441)', () => {
  let server: WebSocketServer;
  let session: ClientHttp2Session;

  beforeAll(async () => {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await new Promise((resolve) => server.once('listening', resolve));
    server.on('connection', (socket) => {
      socket.on('message', (data, binary) => socket.send(data, { binary }));
    });
    await proxy.proxy.store.writeFrontend('chat.example.com', 'chat', [
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ]);
    const socket = tls.connect({
      port: proxy.securePort,
      host: '127.0.0.1',
      servername: 'chat.example.com',
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    });
    session = http2.connect('https://chat.example.com', { createConnection: () => socket });
    await new Promise((resolve) => session.once('remoteSettings', resolve));
  });
  afterAll(() => {
    session.destroy();
    for (const client of server.clients) client.terminate();
    server.close();
  });

  /** A WebSocket of the `ws` package over a stream. */
  async function open(): Promise<{ socket: WebSocket; status: number; close: () => void }> {
    const stream = session.request(webSocketRequest('https', 'chat.example.com', '/chat'));
    const status = await new Promise<number>((resolve) =>
      stream.once('response', (fields) => resolve(Number(fields[':status']))),
    );
    return { socket: webSocketOver(stream, 'client'), status, close: () => stream.destroy() };
  }

  it('is told of in SETTINGS, and carries messages both ways', async () => {
    expect(session.remoteSettings.enableConnectProtocol).toBe(true);
    const { socket, status } = await open();
    expect(status).toBe(200);
    const got: string[] = [];
    socket.on('message', (data) => got.push(String(data)));
    socket.send('hello');
    socket.send('x'.repeat(200_000));
    await eventually('both', () => got.length === 2);
    expect([got[0], got[1]?.length]).toEqual(['hello', 200_000]);
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.close(4000, 'enough');
    expect(await closed).toBe(4000);
    await eventually('the server to see it', () => server.clients.size === 0);
  });

  it('ends at the server when its stream is reset', async () => {
    const { socket, close } = await open();
    socket.on('error', () => {});
    await eventually('the server', () => server.clients.size === 1);
    close();
    await eventually('the server to see it', () => server.clients.size === 0);
  });

  it('is refused with an ordinary answer where nobody is there for it', async () => {
    const fields = { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'https', ':path': '/' };
    const stream = session.request({ ...fields, ':authority': host });
    const status = await new Promise((resolve) => stream.once('response', (answer) => resolve(answer[':status'])));
    // The backend has said 200, which would open a tunnel.
    expect(status).toBe(502);
    const unknown = session.request({ ...fields, ':protocol': 'masque', ':authority': 'chat.example.com' });
    expect(await new Promise((resolve) => unknown.once('response', (answer) => resolve(answer[':status'])))).toBe(501);
    stream.close();
    unknown.close();
  });
});

describe('Chromium', () => {
  it('shows a page that came over HTTP/2', async () => {
    const before = proxy.proxy.http2.sessions;
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'];
    const more = [`--user-data-dir=${join(folder, 'chromium')}`, '--ignore-certificate-errors', '--dump-dom'];
    const rules = `--host-resolver-rules=MAP ${host} 127.0.0.1`;
    const { stdout } = await run('chromium', [...flags, ...more, rules, url('/page')], { env, timeout: 50_000 });
    expect(stdout).toContain('asked for /page');
    expect(proxy.proxy.http2.sessions).toBeGreaterThan(before);
  }, 60_000);
});
