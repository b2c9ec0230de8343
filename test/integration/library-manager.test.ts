// The proxy as a program uses it, over real sockets and without Redis.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import {
  BalancingStrategy,
  type EndedRequest,
  ProxyManager,
  type ProxyManagerOptions,
  type RouteConfig,
} from '../../src/index.js';
import { createLogger } from '../../src/observe/logger.js';
import { ask } from '../helpers/ask.js';
import { ok, type RawBackend, type Script, startBackend } from '../helpers/backend.js';
import { createAuthority } from '../helpers/certs.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { recordingLogger } from '../helpers/recording-logger.js';
import { startRedis } from '../helpers/redis.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function manager(options: ProxyManagerOptions = {}): ProxyManager {
  const made = new ProxyManager({ port: 0, host: '127.0.0.1', logger: createLogger('silent'), ...options });
  cleanups.push(() => made.stop(0));
  return made;
}

async function backend(script: Script | string): Promise<RawBackend> {
  const started = await startBackend(typeof script === 'string' ? ok(script) : script);
  cleanups.push(() => started.close());
  return started;
}

const route = (vHost: string, ports: readonly number[], more: Partial<RouteConfig> = {}): RouteConfig => ({
  vHost,
  strategy: BalancingStrategy.ROUND_ROBIN,
  backends: ports.map((port, at) => ({ id: `node-${at + 1}`, hostname: '127.0.0.1', port })),
  ...more,
});

/** A port of 127.0.0.1 where nobody listens. */
const nobody = () => freePort();

describe('D.8 44: a manager', () => {
  it('serves a route that is added after it was started, with no Redis', async () => {
    const site = await backend('from the backend');
    const proxy = await manager().start();
    expect(await ask(proxy.port, 'api.example.com')).toMatchObject({ status: 400 });
    proxy.router.addRoute(route('api.example.com', [site.port]));
    expect(await ask(proxy.port, 'api.example.com')).toEqual({ status: 200, body: 'from the backend' });
  });

  it('serves routes that were added before it was started, and again after it was stopped and started', async () => {
    const site = await backend('from the backend');
    const proxy = manager();
    proxy.router.addRoute(route('api.example.com', [site.port]));
    await proxy.start();
    expect(await ask(proxy.port, 'api.example.com')).toMatchObject({ status: 200 });
    const { port } = proxy;
    await proxy.stop();
    await expect(ask(port, 'api.example.com')).rejects.toThrow('ECONNREFUSED');
    expect([proxy.port, proxy.addresses, proxy.store]).toEqual([0, [], null]);
    await proxy.start();
    expect(await ask(proxy.port, 'api.example.com')).toMatchObject({ status: 200 });
  });

  it('replaces and removes routes while it runs', async () => {
    const [one, two] = [await backend('one'), await backend('two')];
    const proxy = await manager().start();
    proxy.router.addRoute(route('a.test', [one.port]));
    expect((await ask(proxy.port, 'a.test')).body).toBe('one');
    proxy.router.addRoute(route('a.test', [two.port]));
    expect((await ask(proxy.port, 'a.test')).body).toBe('two');
    expect(await proxy.router.removeRoute('A.test')).toBe(true);
    expect((await ask(proxy.port, 'a.test')).status).toBe(400);
    expect(await proxy.router.removeRoute('a.test')).toBe(false);
    expect(proxy.router.getRoute('a.test')).toBeUndefined();
    expect(proxy.router.routes.size).toBe(0);
  });

  it('D.2 11: serves wildcards and, beyond them, path prefixes', async () => {
    const [wild, api] = [await backend('wild'), await backend('api')];
    const proxy = await manager().start();
    proxy.router.addRoute(route('*.example.com', [wild.port]));
    proxy.router.addRoute(route('*.example.com/api', [api.port]));
    expect((await ask(proxy.port, 'a.b.example.com', '/')).body).toBe('wild');
    expect((await ask(proxy.port, 'a.b.example.com', '/API/x')).body).toBe('api');
  });

  it('changes nothing for a route that cannot be used', async () => {
    const site = await backend('one');
    const proxy = await manager().start();
    proxy.router.addRoute(route('a.test', [site.port]));
    expect(() => proxy.router.addRoute(route('a.test', [0]))).toThrow(
      'route a.test: backends[0].port is 0; allowed: a whole number',
    );
    expect((await ask(proxy.port, 'a.test')).body).toBe('one');
  });

  it('gives its routes as they stand: with what was asked for, and which backends are dead since when', async () => {
    const site = await backend('alive');
    const proxy = await manager().start();
    const gone = await nobody();
    proxy.router.addRoute(route('a.test', [gone, site.port], { id: 'site', reqActiveLength: 7 }));
    const before = Date.now();
    const dead = nextEvent(proxy, 'backend.dead');
    for (let turn = 0; turn < 2; turn++) expect((await ask(proxy.port, 'a.test')).body).toBe('alive');
    expect(await dead).toMatchObject({ vHost: 'a.test', backend: { id: 'node-1' }, reason: 'ECONNREFUSED', manual: false });
    const told = proxy.router.getRoute('a.test');
    expect(told).toMatchObject({ id: 'site', vHost: 'a.test', strategy: 'ROUND_ROBIN', reqActiveLength: 7 });
    expect(told?.backends[0]).toMatchObject({ id: 'node-1', hostname: '127.0.0.1', port: gone, isDead: true, failureCount: 1 });
    expect(told?.backends[0]?.deadSince).toBeGreaterThanOrEqual(before);
    expect(told?.backends[1]).toEqual({ id: 'node-2', hostname: '127.0.0.1', port: site.port, isDead: false, failureCount: 0 });
    expect([...proxy.router.routes.keys()]).toEqual(['a.test']);
  });

  it('tells that a backend is used again when its time as a dead one is over', async () => {
    const site = await backend('alive');
    const proxy = await manager({ settings: { server: { deadBackendTTL: 1, recoveryInterval: 0 } } }).start();
    proxy.router.addRoute(route('a.test', [await nobody(), site.port]));
    const alive = nextEvent(proxy, 'backend.alive');
    for (let turn = 0; turn < 2; turn++) await ask(proxy.port, 'a.test');
    expect(await alive).toEqual({
      vHost: 'a.test',
      backend: { id: 'node-1', url: expect.stringMatching(/^http:\/\/127/) as string },
    });
    expect(proxy.router.getRoute('a.test')?.backends[0]).toMatchObject({ isDead: false, failureCount: 0 });
  });

  it('stops when what runs has finished', async () => {
    let answer = () => {};
    const site = await backend((_request, connection) => {
      answer = () => connection.send(ok('late'));
    });
    const proxy = await manager().start();
    proxy.router.addRoute(route('a.test', [site.port]));
    const { port } = proxy;
    const asked = ask(port, 'a.test');
    await eventually('the request', () => site.requests.length === 1);
    const stopped = proxy.stop();
    await expect(ask(port, 'a.test')).rejects.toThrow('ECONNREFUSED');
    answer();
    expect((await asked).body).toBe('late');
    await stopped;
  });

  it('says in one line why it cannot start, and can be started when that is mended', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const proxy = manager({ port });
    await expect(proxy.start()).rejects.toThrow(`cannot listen on 127.0.0.1:${port}: another program listens there`);
    other.close();
    await once(other, 'close');
    await proxy.start();
    expect(proxy.port).toBe(port);
  });

  it('refuses options that cannot be used', () => {
    expect(() => new ProxyManager({ port: 70_000 })).toThrow(/settings: http\.bind\[0\]\.port is 70000; allowed is a port/);
    expect(() => new ProxyManager({ driver: 'mysql:' })).toThrow(/settings: driver/);
    expect(() => new ProxyManager({ settings: { server: { strategie: 'RANDOM' } } })).toThrow(
      /nearest known one is server\.strategy/,
    );
    expect(() => new ProxyManager().registerAuthProvider('a b', () => true)).toThrow(TypeError);
  });
});

describe('a manager with Redis', () => {
  it('writes its routes as redis-cli would, and serves those of others', async () => {
    const redis = await startRedis();
    cleanups.push(() => redis.stop());
    const site = await backend('shared');
    const proxy = manager({ driver: redis.url });
    void proxy.router.addRoute(route('a.test', [site.port], { strategy: 'IP_HASH', timeout: 3_000 }));
    await proxy.start();
    expect(await redis.cli('LRANGE', 'frontend:a.test', '0', '-1')).toBe(`a.test\nhttp://127.0.0.1:${site.port}#id=node-1`);
    expect(await redis.cli('HMGET', 'route:a.test', 'strategy', 'timeout', 'reqActiveLength')).toBe('IP_HASH\n3000ms\n50');
    await redis.cli('RPUSH', 'frontend:b.test', 'site', site.url);
    for (const host of ['a.test', 'b.test']) expect(await ask(proxy.port, host)).toEqual({ status: 200, body: 'shared' });
    await proxy.router.removeRoute('a.test');
    expect(await redis.cli('KEYS', '*a.test')).toBe('');
  });

  it('says that a change did not reach the store, and goes on, though nobody waits for it', async () => {
    const redis = await startRedis();
    cleanups.push(() => redis.stop());
    const { logger, lines } = recordingLogger();
    const proxy = await manager({ driver: redis.url, logger }).start();
    await redis.stop();
    await expect(proxy.router.addRoute(route('a.test', [80]))).rejects.toThrow();
    void proxy.router.removeRoute('b.test');
    const lost = () =>
      lines.filter(({ msg }) => msg.endsWith('the store did not take the change')).map(({ msg }) => msg.slice(0, 12));
    await eventually('the second line', () => lost().length === 2);
    expect(lost()).toEqual(['route a.test', 'route b.test']);
  });
});

describe('a manager with TLS', () => {
  const authority = createAuthority();

  /** The certificate that is shown for a name, and the answer to a request for it. */
  async function askSecurely(port: number, servername: string): Promise<{ readonly subject: string; readonly text: string }> {
    const socket = tls.connect({ host: '127.0.0.1', port, servername, ca: authority.cert });
    await once(socket, 'secureConnect');
    const subject = String(socket.getPeerCertificate().subject.CN);
    socket.end(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return { subject, text };
  }

  it('D.2 6: shows each name the certificate of its route, also one that was added or replaced while it runs', async () => {
    const site = await backend('secret');
    const proxy = await manager({ sslPort: 0 }).start();
    const add = (vHost: string, ...names: string[]) =>
      proxy.router.addRoute(route(vHost, [site.port], { ssl: authority.issue(...names) }));
    add('a.test', 'a.test');
    add('*.b.test', '*.b.test');
    expect(await askSecurely(proxy.sslPort, 'a.test')).toMatchObject({
      subject: 'a.test',
      text: expect.stringMatching(/200 OK[\s\S]*secret$/) as string,
    });
    expect(await askSecurely(proxy.sslPort, 'x.b.test')).toMatchObject({ subject: '*.b.test' });
    add('a.test', 'first', 'a.test');
    expect(await askSecurely(proxy.sslPort, 'a.test')).toMatchObject({ subject: 'first' });
    await proxy.router.removeRoute('a.test');
    await expect(askSecurely(proxy.sslPort, 'a.test')).rejects.toThrow(/unrecognized name/);
    await expect(askSecurely(proxy.sslPort, 'unknown.test')).rejects.toThrow(/unrecognized name/);
  });

  it('shows all other names the certificate of the route `*`, where it has one', async () => {
    const proxy = await manager({ sslPort: 0 }).start();
    proxy.router.addRoute(route('*', [await nobody()], { ssl: authority.issue('other.test') }));
    expect(await askSecurely(proxy.sslPort, 'other.test')).toMatchObject({ subject: 'other.test' });
  });

  it('D.2 10: sends plain requests to its HTTPS port where a route asks for it', async () => {
    const site = await backend('secret');
    const proxy = await manager({ sslPort: 0 }).start();
    proxy.router.addRoute(route('a.test', [site.port], { autoHttps: true, ssl: authority.issue('a.test') }));
    const redirect = await askRaw(proxy.port, 'a.test', '/x?y');
    expect(redirect).toMatch(/^HTTP\/1\.1 308 /);
    expect(redirect).toContain(`location: https://a.test:${proxy.sslPort}/x?y\r\n`);
  });

  it('keeps certificates in the store, where other proxies find them', async () => {
    const proxy = await manager({ sslPort: 0 }).start();
    const ssl = authority.issue('a.test');
    await proxy.router.addRoute(route('a.test', [80], { ssl }));
    expect((await proxy.store?.readRecord('tls', 'a.test'))?.values).toEqual(['certificate', ssl.cert, 'key', ssl.key]);
    await proxy.router.addRoute(route('a.test', [80]));
    expect((await proxy.store?.readRecord('tls', 'a.test'))?.values).toEqual([]);
  });
});

describe('D.5 23: a function that decides who may pass', () => {
  const credentials = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const statusFor = async (port: number, authorization?: string) =>
    Number(
      /^HTTP\/1\.1 (\d+)/.exec(
        await askRaw(port, 'a.test', '/', authorization === undefined ? '' : `Authorization: ${authorization}\r\n`),
      )?.[1],
    );

  it('may be given with the route', async () => {
    const site = await backend('secret');
    const proxy = await manager().start();
    proxy.router.addRoute(
      route('a.test', [site.port], {
        authProvider: async ({ username, password }) => username === 'ann' && password === 'right',
      }),
    );
    expect(await statusFor(proxy.port)).toBe(401);
    expect(await statusFor(proxy.port, credentials('ann', 'wrong'))).toBe(401);
    expect(await statusFor(proxy.port, credentials('ann', 'right'))).toBe(200);
    expect(site.requests).toHaveLength(1);
  });

  it('may be named by the route, and registered later: until then nobody passes', async () => {
    const site = await backend('secret');
    const proxy = await manager({ logger: recordingLogger().logger }).start();
    proxy.router.addRoute(route('a.test', [site.port], { authProvider: 'tokens' }));
    expect(await statusFor(proxy.port, 'Bearer good')).toBe(503);
    proxy.registerAuthProvider('tokens', async ({ token }) => token === 'good');
    expect(await statusFor(proxy.port, 'Bearer good')).toBe(200);
    expect(await statusFor(proxy.port, 'Bearer bad')).toBe(401);
  });

  it('goes with its route', async () => {
    const site = await backend('open');
    const proxy = await manager().start();
    proxy.router.addRoute(route('a.test', [site.port], { authProvider: () => false }));
    expect(await statusFor(proxy.port)).toBe(401);
    proxy.router.addRoute(route('a.test', [site.port]));
    expect(await statusFor(proxy.port)).toBe(200);
  });
});

describe('D.8 43: the events of a manager', () => {
  it('tell of a request from its start to its end', async () => {
    const site = await backend('body');
    const proxy = await manager().start();
    const heard: string[] = [];
    let done: EndedRequest | null = null;
    proxy.router.addRoute(route('*.test', [site.port]));
    proxy
      .on('request.started', ({ id, res, meta }) => heard.push(`started ${id} ${res.statusCode} ${meta.vHost}`))
      .on('attempt.started', ({ backendId, first }) => heard.push(`attempt ${backendId} ${first}`))
      .on('request.completed', (request) => {
        heard.push(`completed ${request.id}`);
        done = request;
      });
    const before = Date.now();
    await ask(proxy.port, 'a.test', '/x?y');
    const { id } = await eventually('the end', () => done);
    expect(heard).toEqual([`started ${id} 0 *.test`, 'attempt node-1 true', `completed ${id}`]);
    expect(done).toMatchObject({
      req: { method: 'GET', url: '/x?y', host: 'a.test', httpVersion: '1.1' },
      res: { statusCode: 200 },
      retries: 0,
      attempts: 1,
      tunnel: false,
      meta: { vHost: '*.test', clientIp: '127.0.0.1', targetId: 'node-1' },
    });
    expect(done!.startTime).toBeGreaterThan(before - 1000);
    expect(done!.startTime).toBeLessThan(Date.now() + 1000);
    expect(done!.durationMs).toBeGreaterThanOrEqual(done!.backendMs!);
    expect(site.only.fields.get('x-request-id')).toBe(id);
  });

  it('tell of a request that failed, and of each attempt', async () => {
    const proxy = await manager().start();
    proxy.router.addRoute(route('a.test', [await nobody(), await nobody()]));
    const attempts: unknown[] = [];
    proxy.on('attempt.failed', (attempt) => attempts.push(attempt));
    const failed = nextEvent(proxy, 'request.failed');
    await ask(proxy.port, 'a.test');
    expect(await failed).toMatchObject({
      retries: 1,
      res: { statusCode: 502 },
      error: { code: 'backend-refused', source: 'backend', message: 'The application refused the connection.' },
    });
    expect(attempts).toEqual(['node-1', 'node-2'].map((backendId) => ({ vHost: 'a.test', backendId, code: 'backend-refused' })));
  });

  it('tell of a client that left', async () => {
    const site = await backend(() => {});
    const proxy = await manager().start();
    proxy.router.addRoute(route('127.0.0.1', [site.port]));
    const left = nextEvent(proxy, 'request.failed');
    const controller = new AbortController();
    const leaving = fetch(`http://127.0.0.1:${proxy.port}/`, { signal: controller.signal }).catch(() => null);
    await eventually('the request', () => site.requests.length === 1);
    controller.abort();
    await leaving;
    expect(await left).toMatchObject({ meta: { vHost: '127.0.0.1' }, error: { code: 'client-gone', source: 'client' } });
    expect(proxy.getStats().requestsActive).toBe(0);
  });

  it('tell of listening, of closing and of routes that change', async () => {
    const proxy = manager();
    const heard: string[] = [];
    proxy.on('proxy.listening', ({ addresses }) => heard.push(`listening ${addresses.length}`));
    proxy.on('proxy.closed', () => heard.push('closed'));
    await proxy.start();
    const changed = nextEvent(proxy, 'route.changed');
    await proxy.router.addRoute(route('a.test', [80]));
    expect(await changed).toEqual({ vHost: 'a.test' });
    await proxy.stop();
    expect(heard).toEqual(['listening 1', 'closed']);
  });

  it('go on when a listener throws, which is logged', async () => {
    const { logger, lines } = recordingLogger();
    const site = await backend('fine');
    const proxy = await manager({ logger }).start();
    proxy.router.addRoute(route('a.test', [site.port]));
    proxy.on('request.started', () => {
      throw new Error('a mistake of the program');
    });
    expect((await ask(proxy.port, 'a.test')).body).toBe('fine');
    expect(lines.map(({ msg }) => msg)).toContain('a listener of request.started failed');
  });

  it('can be listened to once, and no longer', async () => {
    const site = await backend('fine');
    const proxy = await manager().start();
    proxy.router.addRoute(route('a.test', [site.port]));
    const heard: string[] = [];
    const never = () => heard.push('never');
    const twice = () => heard.push('each');
    proxy
      .once('request.completed', () => heard.push('once'))
      .once('request.completed', never)
      .on('request.completed', twice);
    proxy.off('request.completed', never);
    await ask(proxy.port, 'a.test');
    await ask(proxy.port, 'a.test');
    await eventually('the events', () => heard.length === 3);
    proxy.off('request.completed', twice);
    await ask(proxy.port, 'a.test');
    expect(heard).toEqual(['once', 'each', 'each']);
  });
});

describe('D.7: the statistics of a manager', () => {
  it('count what is served, waits and is turned away, by route and backend', async () => {
    const held: (() => void)[] = [];
    const site = await backend(async (request, connection) => {
      await request.whole();
      held.push(() => connection.send(ok('done')));
    });
    const proxy = await manager().start();
    proxy.router.addRoute(route('a.test', [site.port], { reqActiveLength: 1, reqQueueLength: 1 }));
    const stats = () => proxy.getStats('a.test')!;
    const first = ask(proxy.port, 'a.test');
    await eventually('the first request', () => held.length === 1);
    const second = ask(proxy.port, 'a.test');
    await eventually('the second request', () => stats().queueLength === 1);
    expect((await ask(proxy.port, 'a.test')).status).toBe(503);
    await eventually('the end of the third', () => stats().misses === 1);
    expect(stats()).toMatchObject({ requestsActive: 2, activeLength: 1, queueLength: 1, hits: 1, errors: { 'queue-full': 1 } });
    held.shift()?.();
    await first;
    await eventually('the second request', () => held.length === 1);
    held.shift()?.();
    await second;
    await eventually('the end of the second', () => stats().requestsTotal === 3);
    expect(stats()).toMatchObject({
      requestsActive: 0,
      activeLength: 0,
      activeLengthMax: 1,
      queueLength: 0,
      queueLengthMax: 1,
      hits: 2,
      misses: 1,
      codes: { 200: 2, 503: 1 },
      backends: { 'node-1': { hits: 2, activeLength: 0, codes: { 200: 2 } } },
    });
    expect(stats().latency).toHaveLength(2);
    expect(stats().requestsPerSec).toBeGreaterThan(0);
    expect(stats().latencyMs.p99).toBeGreaterThanOrEqual(stats().latencyMs.p50);
    expect(proxy.getStats()).toMatchObject({ requestsTotal: 3, routes: { 'a.test': { hits: 2 } } });
  });

  it('are zeros for a route that nobody asked for, and nothing for one that there is not', async () => {
    const proxy = await manager().start();
    proxy.router.addRoute(route('a.test', [80]));
    expect(proxy.getStats('A.test')).toMatchObject({ requestsTotal: 0, backends: {} });
    expect(proxy.getStats('b.test')).toBeUndefined();
  });
});

describe('the http-proxy package of a manager', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('carries all requests with the engine of that name, and its listeners see them', async () => {
    const site = await backend('through the package');
    const proxy = manager({ engine: 'http-proxy' });
    const seen: string[] = [];
    proxy.proxy.on('proxyReq', (request) => seen.push(`${request.method} ${request.path}`));
    await proxy.start();
    proxy.router.addRoute(route('a.test', [site.port]));
    expect(await ask(proxy.port, 'a.test', '/x')).toEqual({ status: 200, body: 'through the package' });
    expect(seen).toEqual(['GET /x']);
  });

  it('forwards requests of servers of the program', async () => {
    const site = await backend('through the package');
    const proxy = manager();
    const server = createServer((request, response) => proxy.proxy.web(request, response, { target: site.url }));
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect((await ask((server.address() as AddressInfo).port, 'a.test')).body).toBe('through the package');
  });
});

/** Resolves with the next event of a name. */
function nextEvent<N extends Parameters<ProxyManager['once']>[0]>(proxy: ProxyManager, name: N) {
  return new Promise<unknown>((resolve) => proxy.once(name, resolve));
}

/** The answer as it was sent. */
async function askRaw(port: number, host: string, path: string, lines = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${lines}\r\n`);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}
