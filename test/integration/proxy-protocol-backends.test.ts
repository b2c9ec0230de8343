// PROXY headers to backends of HTTP: a real nginx with `proxy_protocol` tells what it was told, and answers nobody who tells it nothing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStartProbe } from '../../src/health/probe.js';
import type { Backend } from '../../src/model/backend.js';
import { parseHealthcheck } from '../../src/model/healthcheck.js';
import { parseBackend } from '../../src/model/parse-backend.js';
import { head } from '../contract/engine/world.js';
import { createAuthority } from '../helpers/certs.js';
import { freePort } from '../helpers/free-port.js';
import { startNginx, type TestNginx } from '../helpers/nginx.js';
import { connectClient, type RawClient } from '../helpers/raw-client.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';

const folder = mkdtempSync(join(tmpdir(), 'proxy-protocol-'));
const authority = createAuthority();
const ca = join(folder, 'ca.pem');
const engines = ['wire', 'http-proxy'] as const;

let ports: { readonly plain: number; readonly secure: number };
let nginx: TestNginx;

beforeAll(async () => {
  ports = { plain: await freePort(), secure: await freePort() };
  const { key, cert } = authority.issue('127.0.0.1');
  for (const [name, text] of Object.entries({ 'ca.pem': authority.cert, 'key.pem': key, 'cert.pem': cert }))
    writeFileSync(join(folder, name), text);
  // What the header says, and which request of its connection this is.
  const told =
    '$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr:$proxy_protocol_server_port $connection_requests';
  const servers = [`listen 127.0.0.1:${ports.plain} proxy_protocol;`, `listen 127.0.0.1:${ports.secure} ssl proxy_protocol;`];
  nginx = await startNginx(
    `server { ${servers.join(' ')} ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem; return 200 "${told}"; }`,
    ports.plain,
  );
});
afterAll(async () => {
  await nginx.close();
  rmSync(folder, { recursive: true });
});

async function ask(client: RawClient, ...lines: readonly string[]): Promise<string> {
  client.send(head('GET', '/', 'site.example.com', ...lines));
  const { status, text, fields } = await client.response();
  return status === 200 ? text : `${status} ${fields.get('x-cjs-proxy-error')}`;
}

describe.each(engines)('a backend with proxyProtocol, by the engine %s', (engine) => {
  let proxy: StartedProxy;
  beforeAll(async () => {
    proxy = await startProxy({ server: { engine, backendCa: [ca], maxSockets: 2 }, trustedProxies: ['127.0.0.2'] });
  });
  afterAll(() => proxy.close());

  const serveBy = (...entries: readonly string[]): Promise<void> =>
    proxy.proxy.store.writeFrontend('site.example.com', 'site', entries);
  const expected = ({ socket }: RawClient, request = 1): string =>
    `127.0.0.1 ${socket.localPort} 127.0.0.1:${proxy.port} ${request}`;

  it.each(['v1', 'v2'])(
    'is told of the client before the first byte, by %s, and each request has a connection of its own',
    async (version) => {
      await serveBy(`http://127.0.0.1:${ports.plain}#proxyProtocol=${version}`);
      const client = await connectClient(proxy.port);
      for (let turn = 0; turn < 3; turn++) expect(await ask(client)).toBe(expected(client));
      client.close();
    },
  );

  it.each(['v1', 'v2'])('is told before the greeting of TLS, by %s', async (version) => {
    await serveBy(`https://127.0.0.1:${ports.secure}#proxyProtocol=${version}`);
    const client = await connectClient(proxy.port);
    for (let turn = 0; turn < 2; turn++) expect(await ask(client)).toBe(expected(client));
    client.close();
  });

  it('is told of each client by itself, also of those that had to wait for a connection', async () => {
    await serveBy(`http://127.0.0.1:${ports.plain}#proxyProtocol=v2`);
    const clients = await Promise.all(Array.from({ length: 12 }, () => connectClient(proxy.port)));
    const answers = await Promise.all(clients.map((client) => ask(client)));
    expect(answers).toEqual(clients.map((client) => expected(client)));
    for (const client of clients) client.close();
  });

  it('is told of the client that a trusted proxy names', async () => {
    await serveBy(`http://127.0.0.1:${ports.plain}#proxyProtocol=v2`);
    const client = await connectClient(proxy.port, '127.0.0.1', '127.0.0.2');
    // nginx writes port 0, which nobody knows better, as nothing.
    expect(await ask(client, 'X-Forwarded-For: 192.0.2.7')).toBe(`192.0.2.7  127.0.0.1:${proxy.port} 1`);
    client.close();
  });

  it('shares no connection with the same address without it', async () => {
    const plain = `http://127.0.0.1:${ports.plain}`;
    await serveBy(`${plain}#proxyProtocol=v1`);
    const client = await connectClient(proxy.port);
    expect(await ask(client)).toBe(expected(client));
    // nginx closes a connection that does not begin with a header.
    await serveBy(plain);
    expect(await ask(client)).toMatch(/^502 /);
    client.close();
  });

  it('gets nothing but the header before an upgrade, and its tunnel belongs to the client', async () => {
    const heard: string[] = [];
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (bytes: Buffer) => {
        heard.push(bytes.toString('latin1'));
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
        socket.pipe(socket);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await serveBy(`http://127.0.0.1:${(server.address() as AddressInfo).port}#proxyProtocol=v1`);
    const client = await connectClient(proxy.port);
    client.send(head('GET', '/', 'site.example.com', 'Connection: Upgrade', 'Upgrade: echo'));
    expect((await client.head()).startLine).toContain('101');
    client.send('hello');
    expect((await client.queue.take(5)).toString()).toBe('hello');
    expect(heard.join('')).toMatch(
      new RegExp(`^PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 ${client.socket.localPort} ${proxy.port}\r\n`),
    );
    client.close();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('a probe', () => {
  const backendOf = (entry: string): Backend => {
    const parsed = parseBackend(entry, 0);
    if (parsed.kind === 'fault') throw new Error(parsed.text);
    return parsed.backend;
  };
  const { check } = parseHealthcheck({ values: ['path', '/', 'status', '200', 'timeout', '5s'], fault: '' });

  it('of such a backend begins with a header that speaks for nobody', async () => {
    if (check === null) throw new Error('no check');
    const probe = createStartProbe({ ca: [authority.cert] });
    for (const version of ['v1', 'v2']) {
      const plain = probe(backendOf(`http://127.0.0.1:${ports.plain}#proxyProtocol=${version}`), check);
      expect(await plain.result).toEqual({ kind: 'well' });
      const secure = probe(backendOf(`https://127.0.0.1:${ports.secure}#proxyProtocol=${version}`), check);
      expect(await secure.result).toEqual({ kind: 'well' });
    }
    expect(await probe(backendOf(`http://127.0.0.1:${ports.plain}`), check).result).toMatchObject({ kind: 'ill' });
  });
});
