// The object of dynamic-reverse-proxy in front of a node:http server, as its documentation shows it.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createConnection } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createDynamicReverseProxy, type DynamicReverseProxy, type DynamicReverseProxyOptions } from '../../src/index.js';
import { createLogger } from '../../src/observe/logger.js';
import { ok, type RawBackend, type Script, startBackend } from '../helpers/backend.js';
import { createAuthority } from '../helpers/certs.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { connectClient, connectTlsClient, RawClient, type RawResponse } from '../helpers/raw-client.js';
import { startRedis } from '../helpers/redis.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function backend(script: Script | string): Promise<RawBackend> {
  const started = await startBackend(typeof script === 'string' ? ok(script) : script);
  cleanups.push(() => started.close());
  return started;
}

/** A front as the documentation has it, and what its object told. */
class Front {
  readonly proxy: DynamicReverseProxy;
  readonly server: Server;
  readonly told: string[] = [];

  constructor(options: DynamicReverseProxyOptions, server: Server) {
    this.proxy = createDynamicReverseProxy({ logger: createLogger('silent'), ...options });
    this.server = server;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (request.url?.match(/^\/register/i)) this.proxy.registerRouteRequest(request, response);
      else this.proxy.proxyRequest(request, response);
    });
    this.proxy.on('routeRegistered', (route) => this.told.push(`registered ${JSON.stringify(route)}`));
    this.proxy.on('registerError', (error) => this.told.push(`registerError ${error.message}`));
    this.proxy.on('proxyError', (error, host) => {
      this.told.push(`proxyError ${host === null ? error.message : `${host.host}:${host.port}${host.prefix}`}`);
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async send(bytes: string, host = '127.0.0.1'): Promise<RawResponse> {
    const client = await connectClient(this.port, host);
    try {
      client.send(bytes);
      return await client.response(bytes.startsWith('HEAD') ? 'HEAD' : 'GET');
    } finally {
      client.socket.destroy();
    }
  }

  get(target: string, host = 'site.test', lines = ''): Promise<RawResponse> {
    return this.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`);
  }

  register(body: string, { method = 'POST', target = '/register', address = '127.0.0.1' } = {}): Promise<RawResponse> {
    const text = `${method} ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    return this.send(text, address);
  }
}

async function startFront(
  options: DynamicReverseProxyOptions = {},
  address = '127.0.0.1',
  server = createServer(),
): Promise<Front> {
  const front = new Front(options, server);
  if (address.startsWith('/')) server.listen(address);
  else server.listen(0, address);
  await once(server, 'listening');
  cleanups.push(async () => {
    server.closeAllConnections();
    server.close();
    await front.proxy.close();
  });
  return front;
}

/** Addresses of this machine that are not loopback ones; there may be none. */
const elsewhere = Object.values(networkInterfaces())
  .flat()
  .flatMap((found) => (found === undefined || found.internal || found.family !== 'IPv4' ? [] : [found.address]));

describe('B.2: the register protocol', () => {
  it('row 1: 403, empty, for a peer that is not local by the address of its socket, whatever it claims', async () => {
    const front = await startFront({}, '0.0.0.0');
    const body = '{"prefix":"/test","port":4321}';
    const claim = `POST /register HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 127.0.0.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    for (const address of elsewhere) {
      expect(await front.send(claim, address)).toMatchObject({ status: 403, text: '' });
      expect((await front.register('not JSON', { method: 'PUT', address })).status).toBe(403);
    }
    // The other end of a unix socket has no address: it may be anybody whom a proxy in front lets in.
    const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-front-'));
    cleanups.push(async () => rmSync(folder, { recursive: true }));
    const path = join(folder, 'socket');
    const beside = await startFront({}, path);
    const client = new RawClient(createConnection(path));
    client.send(claim);
    expect(await client.response()).toMatchObject({ status: 403, text: '' });
    client.close();
    expect([...front.told, ...beside.told]).toEqual(Array(2 * elsewhere.length + 1).fill('registerError FORBIDDEN'));
    expect([...front.proxy.getRoutes(), ...beside.proxy.getRoutes()]).toEqual([]);
  });

  it('row 2: 405, empty, for another method, before its body is looked at', async () => {
    const front = await startFront();
    expect(await front.register('not JSON', { method: 'PUT' })).toMatchObject({ status: 405, text: '' });
    expect(await front.get('/register')).toMatchObject({ status: 405, text: '' });
    expect(front.told).toEqual(['registerError METHOD_NOT_ALLOWED', 'registerError METHOD_NOT_ALLOWED']);
  });

  it.each([['not JSON'], [''], ['{"prefix":"/test"']])('row 3: 400, empty, for the body %j', async (body) => {
    const front = await startFront();
    expect(await front.register(body)).toMatchObject({ status: 400, text: '' });
    expect(front.told).toEqual(['registerError BAD_REQUEST']);
  });

  it.each([
    ['null'],
    ['{}'],
    ['{"port":4321}'],
    ['{"prefix":"/test"}'],
    ['{"prefix":"/test","port":0}'],
    ['{"prefix":"","port":4321}'],
    ['{"prefix":"/test","port":-1}'],
    ['{"prefix":"/test","port":"http"}'],
    ['{"prefix":"/te\\r\\nst","port":4321}'],
  ])('row 4: 400, empty, for %s', async (body) => {
    const front = await startFront();
    expect(await front.register(body)).toMatchObject({ status: 400, text: '' });
    expect(front.told).toEqual(['registerError INCOMPLETE_REQUEST']);
  });

  it('row 5: 200 and the route for a registration, which is told', async () => {
    const front = await startFront();
    const answer = await front.register('{"prefix":"Test/","port":"4321","host":"10.0.0.1","team":"blue"}');
    expect(answer).toMatchObject({ status: 200, delimiter: 'chunked' });
    expect(JSON.parse(answer.text)).toEqual({ message: 'Registered.', host: 'localhost', port: 4321, prefix: '/test' });
    expect(front.told).toEqual(['registered {"team":"blue","prefix":"/test","port":4321,"host":"localhost"}']);
  });

  it("registers at /REGISTER?x and /registerfoo as well, which is the caller's split", async () => {
    const front = await startFront();
    expect((await front.register('{"prefix":"/a","port":1}', { target: '/REGISTER?x' })).status).toBe(200);
    expect((await front.register('{"prefix":"/b","port":1}', { target: '/registerfoo' })).status).toBe(200);
  });

  it('replaces the route of the same prefix, and lists the longest prefix first', async () => {
    const front = await startFront();
    for (const [prefix, port] of [
      ['/', 1],
      ['/test', 2],
      ['/test/deep', 3],
      ['/TEST/', 4],
    ]) {
      await front.register(JSON.stringify({ prefix, port }));
    }
    expect(front.proxy.getRoutes().map(({ prefix, port }) => [prefix, port])).toEqual([
      ['/test/deep', 3],
      ['/test', 4],
      ['/', 1],
    ]);
  });

  it('lets a listener answer in its place', async () => {
    const front = await startFront();
    front.proxy.on('registerError', (_error, _request, response) => response?.writeHead(418).end('a teapot'));
    expect(await front.register('{}')).toMatchObject({ status: 418, text: 'a teapot' });
  });

  it('tells nobody of a client that leaves in the middle of its body', async () => {
    const front = await startFront();
    const client = await connectClient(front.port);
    const requests: IncomingMessage[] = [];
    front.server.on('request', (request: IncomingMessage) => requests.push(request));
    client.send('POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"prefix":');
    await eventually('the request', () => requests.length === 1);
    client.socket.destroy();
    await eventually('its end', () => requests[0]?.destroyed);
    expect((await front.register('{"prefix":"/a","port":1}')).status).toBe(200);
    expect(front.told).toHaveLength(1);
  });
});

describe('B.3: matching', () => {
  async function world(options: DynamicReverseProxyOptions = {}) {
    const front = await startFront(options);
    const backends = { root: await backend('root'), test: await backend('test'), deep: await backend('deep') };
    front.proxy.addRoutes({
      '/': { prefix: '', port: backends.root.port },
      '/test': { prefix: 'test', port: backends.test.port },
      '/test/deep': { port: backends.deep.port },
    });
    return { front, backends };
  }

  it('gives a request to the longest prefix of its path, in any case, and forwards path and query as they came', async () => {
    const { front, backends } = await world();
    expect((await front.get('/TEST/a?Q=1')).text).toBe('test');
    expect(backends.test.only.target).toBe('/TEST/a?Q=1');
    for (const [target, text] of [
      ['/', 'root'],
      ['/other', 'root'],
      ['/test', 'test'],
      ['/test?x=/test/deep', 'test'],
      ['/te%73t', 'test'],
      ['/test/deeper', 'test'],
      ['/test/deep/er', 'deep'],
    ] as const) {
      expect([target, (await front.get(target)).text]).toEqual([target, text]);
    }
    expect(backends.test.requests.map(({ target }) => target)).toContain('/te%73t');
  });

  it('B.7 5: ends a prefix at the border of a segment', async () => {
    const { front } = await world();
    expect((await front.get('/testing')).text).toBe('root');
  });

  it('ends a prefix anywhere where that is asked for', async () => {
    const { front } = await world({ prefixMatch: 'string' });
    await eventually('the prefix', async () => (await front.get('/testing')).text === 'test');
    expect((await front.get('/test/deeper')).text).toBe('deep');
  });

  it('forwards what paths are not made of as it came', async () => {
    const { front, backends } = await world();
    await front.get('/test//a/../b;c?d=%2f&e=[]');
    expect(backends.test.only.target).toBe('/test//a/../b;c?d=%2f&e=[]');
    await front.send('GET http://site.test/test/x HTTP/1.1\r\nHost: site.test\r\n\r\n');
    expect(backends.test.requests.at(-1)?.target).toBe('/test/x');
  });
});

describe('B.4: proxying', () => {
  it('leaves Host alone, tells of the client, and names the route in the answer', async () => {
    const front = await startFront();
    const site = await backend('hello');
    front.proxy.registerRoute({ prefix: '/test', port: site.port });
    const answer = await front.get('/test', 'site.test:8080', 'X-Forwarded-For: 9.9.9.9\r\n');
    expect(answer).toMatchObject({ status: 200, text: 'hello' });
    expect(answer.fields.get('x-served-by')).toBe(`http://localhost:${site.port}/test`);
    const { fields } = site.only;
    expect(fields.get('host')).toBe('site.test:8080');
    expect(fields.get('x-forwarded-for')).toMatch(/^9\.9\.9\.9,(::ffff:)?127\.0\.0\.1$/);
    expect(fields.get('x-forwarded-port')).toBe('8080');
    expect(fields.get('x-forwarded-proto')).toBe('http');
    expect(fields.get('x-forwarded-host')).toBe('site.test:8080');
  });

  it('names the root route with a slash, and leaves the name to a backend that gives one', async () => {
    const front = await startFront();
    const site = await backend('root');
    const other = await startBackend(ok('x', 'X-Served-By: me'));
    cleanups.push(() => other.close());
    front.proxy.addRoutes({ '/': { port: site.port }, '/x': { port: other.port } });
    expect((await front.get('/')).fields.get('x-served-by')).toBe(`http://localhost:${site.port}/`);
    expect((await front.get('/x')).fields.all('x-served-by')).toEqual(['me']);
  });

  it('carries bodies both ways', async () => {
    const front = await startFront();
    const site = await backend(async (request, connection) => {
      await request.whole();
      connection.send(ok(request.text.toUpperCase()));
    });
    front.proxy.registerRoute({ prefix: '/', port: site.port });
    const sized = await front.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello');
    const chunked = await front.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n');
    expect([sized.text, chunked.text]).toEqual(['HELLO', 'HELLO']);
  });

  it('answers 500, empty, and tells of the route when its backend cannot be reached', async () => {
    const front = await startFront();
    const port = await freePort();
    front.proxy.registerRoute({ prefix: '/test', port });
    const answer = await front.get('/test/x');
    expect(answer).toMatchObject({ status: 500, text: '' });
    expect(answer.fields.get('x-served-by')).toBe(`http://localhost:${port}/test`);
    expect(front.told.at(-1)).toBe(`proxyError localhost:${port}/test`);
  });

  it('tells of a host that inherits from the route as it was registered', async () => {
    const front = await startFront();
    await front.register(JSON.stringify({ prefix: '/test', port: await freePort(), team: 'blue' }));
    const hosts: unknown[] = [];
    front.proxy.on('proxyError', (_error, host) =>
      hosts.push(host?.team, Object.getPrototypeOf(host) === front.proxy.getRoutes()[0]),
    );
    await front.get('/test');
    expect(hosts).toEqual(['blue', true]);
  });

  it('answers 501, empty, where there is no route', async () => {
    const front = await startFront();
    expect(await front.get('/')).toMatchObject({ status: 501, text: '' });
    expect(front.told).toEqual(['proxyError NOT_FOUND']);
  });

  it('lets a listener answer in its place', async () => {
    const front = await startFront();
    front.proxy.on('proxyError', (_error, _host, _request, response) => response.writeHead(418).end('a teapot'));
    front.proxy.registerRoute({ prefix: '/test', port: await freePort() });
    expect(await front.get('/')).toMatchObject({ status: 418, text: 'a teapot' });
    expect(await front.get('/test')).toMatchObject({ status: 418, text: 'a teapot' });
  });

  it('answers a request for an upgrade as an ordinary one', async () => {
    const front = await startFront();
    const site = await backend('no upgrade');
    front.proxy.registerRoute({ prefix: '/', port: site.port });
    expect((await front.get('/', 'x', 'Connection: Upgrade\r\nUpgrade: websocket\r\n')).text).toBe('no upgrade');
    expect(site.only.fields.get('upgrade')).toBeNull();
    expect(site.only.fields.get('connection')).toBe('close');
  });

  it('breaks an answer off that its backend breaks off', async () => {
    const front = await startFront();
    const site = await backend((_request, connection) => connection.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'));
    front.proxy.registerRoute({ prefix: '/', port: site.port });
    await expect(front.get('/')).rejects.toThrow();
  });

  it('gives a backend up whose client has left, and tells nobody of an error', async () => {
    const front = await startFront();
    const site = await backend(() => {});
    front.proxy.registerRoute({ prefix: '/', port: site.port });
    const client = await connectClient(front.port);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually('the request', () => site.requests.length === 1);
    client.socket.destroy();
    await eventually('the end of its connection', () => site.open === 0);
    expect(front.told).toHaveLength(1);
  });

  it('answers 500 for a backend that is silent for too long', async () => {
    const front = await startFront({ timeout: 100 });
    const site = await backend(() => {});
    front.proxy.registerRoute({ prefix: '/', port: site.port });
    expect((await front.get('/')).status).toBe(500);
  });
});

describe('B.5: addRoutes', () => {
  it('works as documented: prefixes are normalised, an absent one is the key, nobody is told, and it returns the proxy', async () => {
    const front = await startFront();
    const documented = {
      '/': { prefix: '', port: 1234 },
      '/test': { prefix: 'test', port: 4321 },
      '/api/': { port: 5, host: '10.0.0.1' },
    };
    expect(front.proxy.addRoutes(documented)).toBe(front.proxy);
    expect(front.proxy.getRoutes()).toEqual([
      { prefix: '/test', port: 4321, host: 'localhost' },
      { prefix: '/api', port: 5, host: '10.0.0.1' },
      { prefix: '/', port: 1234, host: 'localhost' },
    ]);
    expect(front.told).toEqual([]);
  });

  it('adds none when one of them cannot be used', async () => {
    const front = await startFront();
    expect(() => front.proxy.addRoutes({ '/a': { port: 1 }, '/b': {} })).toThrow('the route "/b" needs a port (1 to 65535)');
    expect(() => front.proxy.registerRoute({ prefix: '', port: 1 })).toThrow(TypeError);
    expect(front.proxy.getRoutes()).toEqual([]);
  });
});

describe('B.6: the roadmap', () => {
  it('tries routes of the host before those of all hosts, whatever their prefixes', async () => {
    const front = await startFront();
    const [own, all] = [await backend('own'), await backend('all')];
    await front.register(JSON.stringify({ prefix: '/', port: own.port, reqHostNames: ['A.example', 'b.example'] }));
    await front.register(JSON.stringify({ prefix: '/test', port: all.port }));
    expect((await front.get('/test', 'a.EXAMPLE:8080')).text).toBe('own');
    expect((await front.get('/test', 'b.example')).text).toBe('own');
    expect((await front.get('/test', 'c.example')).text).toBe('all');
    expect((await front.get('/', 'c.example')).status).toBe(501);
    expect(front.proxy.getRoutes()).toHaveLength(2);
  });

  it('takes a host in a registration where hosts may be named', async () => {
    const front = await startFront({ hosts: 'any' });
    const site = await backend('there');
    expect((await front.register(JSON.stringify({ prefix: '/', port: site.port, host: '127.0.0.1' }))).text).toContain(
      '"127.0.0.1"',
    );
    expect((await front.get('/')).text).toBe('there');
  });

  it('sends who must come encrypted to HTTPS, or refuses where there is none, and lets TLS pass', async () => {
    const site = await backend('secret');
    const route = JSON.stringify({ prefix: '/test', port: site.port, requireEncryption: true });
    const [sending, refusing] = [await startFront({ httpsPort: 8443 }), await startFront()];
    for (const front of [sending, refusing]) await front.register(route);
    const sent = await sending.get('/test?x', 'a.example:8080');
    expect([sent.status, sent.fields.get('location')]).toEqual([308, 'https://a.example:8443/test?x']);
    expect((await sending.get('/test', 'a.example', 'Connection: Upgrade\r\nUpgrade: websocket\r\n')).status).toBe(403);
    expect((await refusing.get('/test')).status).toBe(403);
    expect(site.requests).toHaveLength(0);
    const secure = await startFront(
      {},
      '127.0.0.1',
      createSecureServer(createAuthority().issue('a.example')) as unknown as Server,
    );
    secure.proxy.addRoutes({ '/test': { port: site.port, requireEncryption: true } });
    const client = await connectTlsClient(secure.port, 'a.example');
    client.send('GET /test HTTP/1.1\r\nHost: a.example\r\n\r\n');
    expect((await client.response()).text).toBe('secret');
    client.socket.destroy();
  });

  it('shares its routes with everybody on the same Redis', async () => {
    const redis = await startRedis();
    cleanups.push(() => redis.stop());
    const site = await backend('shared');
    const driver = redis.url;
    const [one, two] = [await startFront({ driver }), await startFront({ driver })];
    await Promise.all([one.proxy.ready, two.proxy.ready]);
    expect((await one.register(JSON.stringify({ prefix: '/test', port: site.port, team: 'blue' }))).status).toBe(200);
    await eventually('the route', async () => (await two.get('/test')).text === 'shared');
    expect(await redis.cli('LRANGE', 'frontend:*/test', '0', '-1')).toBe(`/test\nhttp://localhost:${site.port}`);
    expect(await redis.cli('HGET', 'route:*/test', 'extra')).toBe('{"team":"blue"}');
  });
});

describe('B.7: defects that are not repeated', () => {
  it('1: a path that cannot be decoded is forwarded, and nobody dies', async () => {
    const front = await startFront();
    const site = await backend('fine');
    front.proxy.registerRoute({ prefix: '/', port: site.port });
    expect((await front.get('/%E0%A4%A')).text).toBe('fine');
    expect(site.only.target).toBe('/%E0%A4%A');
  });

  it('2: a prefix that is no text is refused', async () => {
    const front = await startFront();
    expect((await front.register('{"prefix":{"a":1},"port":4321}')).status).toBe(400);
    expect((await front.register('{"prefix":7,"port":4321}')).status).toBe(400);
    expect(front.told).toEqual(['registerError INCOMPLETE_REQUEST', 'registerError INCOMPLETE_REQUEST']);
  });

  it('3: this machine may register on a dual-stack listener, by every address of the loopback', async () => {
    const front = await startFront({}, '::');
    for (const address of ['127.0.0.1', '127.0.0.2', '::1']) {
      expect((await front.register('{"prefix":"/a","port":1}', { address })).status).toBe(200);
    }
  });

  it('4: nothing is registered once a listener has answered with an error', async () => {
    const front = await startFront();
    front.proxy.on('registerError', (_error, _request, response) => response?.end());
    await front.register('{"prefix":"/test","port":4321}', { method: 'PUT' });
    await front.register('{"prefix":"/test"}');
    expect(front.proxy.getRoutes()).toEqual([]);
  });

  it('6: the answer to a registration says what it is', async () => {
    const front = await startFront();
    expect((await front.register('{"prefix":"/a","port":1}')).fields.get('content-type')).toBe('application/json');
  });

  it('7: the body of a registration has a limit', async () => {
    const front = await startFront();
    const answer = await front.register(JSON.stringify({ prefix: '/a', port: 1, much: 'x'.repeat(70_000) }));
    expect([answer.status, answer.text, answer.fields.get('connection')]).toEqual([413, '', 'close']);
    expect(front.told).toEqual(['registerError BODY_TOO_LARGE']);
  });
});
