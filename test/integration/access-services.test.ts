// Providers that ask somebody else, through a whole proxy and a real Redis: forward-auth, and an issuer of tokens that changes its keys.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hashPassword } from '../../src/auth/password-hash.js';
import { basic } from '../helpers/auth-question.js';
import { answering, ok, type RawBackend, response, type Script, startBackend } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { type Issuer, startIssuer } from '../helpers/issuer.js';
import { connectClient, type RawResponse } from '../helpers/raw-client.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';

const host = 'example.com';
let redis: TestRedis;
let proxy: StartedProxy;
let backend: RawBackend;
const services: RawBackend[] = [];

beforeAll(async () => {
  redis = await startRedis();
  backend = await startBackend(answering(ok('page')));
  proxy = await startProxy({ driver: redis.url });
  await redis.cli('rpush', `frontend:${host}`, 'site', backend.url);
  await redis.cli('hset', `route:${host}`, 'authProvider', 'gate');
});

afterAll(async () => {
  await proxy.close();
  await backend.close();
  await redis.stop();
});

afterEach(async () => {
  for (const service of services.splice(0)) await service.close();
});

async function startService(script: Script | string): Promise<RawBackend> {
  const service = await startBackend(script);
  services.push(service);
  return service;
}

async function get(...fields: readonly string[]): Promise<RawResponse> {
  const client = await connectClient(proxy.port);
  client.send(`GET /page?x=1 HTTP/1.1\r\nHost: ${host}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`);
  const answer = await client.response();
  client.close();
  return answer;
}

/** Writes the record as a person would, and waits until the proxy knows it: the first request that a mark in its realm or service shows. */
async function provider(...fields: readonly string[]): Promise<void> {
  await redis.client
    .multi()
    .del('auth:gate')
    .hset('auth:gate', ...fields)
    .exec();
}

describe('D.5 23: forward-auth', () => {
  it("passes what the service passes, with the headers that it gives and without the client's own", async () => {
    const service = await startService(answering(ok('', 'X-Role: editor', 'X-Other: no')));
    await provider('type', 'http', 'url', `${service.url}/verify`, 'copyHeaders', '["X-Role","X-Group"]');
    await eventually('the service to be asked', async () => {
      await get('Cookie: session=1');
      return service.requests.length > 0;
    });
    const answer = await get('Cookie: session=2', 'X-Role: admin', 'X-Group: wheel', 'x_role: admin');
    expect(answer.text).toBe('page');
    const { fields, head } = backend.requests.at(-1)!;
    expect(head.match(/^x.(role|group|other):.*$/gim)).toEqual(['X-Role: editor']);
    expect(fields.get('cookie')).toBe('session=2');
    const asked = service.requests.at(-1)!;
    expect(asked.target).toBe('/verify');
    expect(
      ['x-forwarded-method', 'x-forwarded-uri', 'x-forwarded-host', 'x-forwarded-for', 'cookie'].map((name) =>
        asked.fields.get(name),
      ),
    ).toEqual(['GET', '/page?x=1', host, '127.0.0.1', 'session=2']);
  });

  it('relays a refusal whole: a redirect to the login with its cookies, and the bytes of its page', async () => {
    const page = Buffer.from([0xe9, 0x00, 0xff]).toString('latin1');
    const lines = [
      'Location: https://login.example/?to=/page',
      'Set-Cookie: state=1',
      'Set-Cookie: other=2',
      'Content-Type: image/x',
    ];
    const service = await startService(answering(Buffer.from(response('302 Found', page, ...lines), 'latin1')));
    await provider('type', 'http', 'url', service.url);
    const before = backend.requests.length;
    const answer = await eventually('the redirect', async () => {
      const one = await get();
      return one.status === 302 ? one : null;
    });
    expect(answer.fields.get('location')).toBe('https://login.example/?to=/page');
    expect(answer.head.match(/^set-cookie:.*$/gim)?.map((line) => line.toLowerCase())).toEqual([
      'set-cookie: state=1',
      'set-cookie: other=2',
    ]);
    expect(answer.fields.get('content-type')).toBe('image/x');
    expect(answer.text).toBe(page);
    // Made for one client: the next one gets its own.
    const asked = service.requests.length;
    await get();
    expect(service.requests.length).toBe(asked + 1);
    expect(backend.requests.length - before).toBeLessThanOrEqual(1);
  });

  it('asks once for equal requests, and anew for another path', async () => {
    const service = await startService(answering(ok()));
    await provider('type', 'http', 'url', service.url, 'ttl', '30s');
    await eventually('the service to be asked', async () => {
      await get('Cookie: a=1');
      return service.requests.length > 0;
    });
    const asked = service.requests.length;
    for (let round = 0; round < 3; round += 1) expect((await get('Cookie: a=1')).status).toBe(200);
    expect(service.requests.length).toBe(asked);
    await get('Cookie: a=2');
    expect(service.requests.length).toBe(asked + 1);
  });

  it('serves nobody while the service is away', async () => {
    await provider('type', 'http', 'url', 'http://127.0.0.1:1/');
    const answer = await eventually('the refusal', async () => {
      const one = await get();
      return one.status === 503 ? one : null;
    });
    expect(answer.fields.get('x-cjs-proxy-error')).toBe('auth-away');
    expect(answer.fields.get('retry-after')).not.toBeNull();
  });
});

describe('D.5 22: tokens of an issuer', () => {
  let issuer: Issuer;

  beforeAll(async () => {
    issuer = await startIssuer();
  });

  afterAll(async () => {
    await issuer.close();
  });

  it('pass, also when it has taken a new key into use, and not when its key was withdrawn', async () => {
    const fields = [
      'type',
      'jwt',
      'jwks',
      issuer.url,
      'audience',
      'app',
      'issuer',
      'https://issuer.example',
      'jwksCooldown',
      '0',
    ];
    await provider(...fields, 'userHeader', 'X-User', 'ttl', '0', 'refusedTtl', '0');
    const old = await issuer.token();
    await eventually('the token to pass', async () => (await get(`Authorization: Bearer ${old}`)).status === 200);
    expect(backend.requests.at(-1)?.fields.get('x-user')).toBe('alice');
    expect((await get()).fields.get('www-authenticate')).toBe('Bearer realm="restricted"');

    await issuer.addKey('second');
    const fetches = issuer.fetches;
    expect((await get(`Authorization: Bearer ${await issuer.token()}`)).status).toBe(200);
    expect(issuer.fetches).toBe(fetches + 1);
    expect((await get(`Authorization: Bearer ${old}`)).status).toBe(200);

    issuer.dropOldKeys();
    await issuer.addKey('third');
    expect((await get(`Authorization: Bearer ${await issuer.token()}`)).status).toBe(200);
    expect((await get(`Authorization: Bearer ${old}`)).status).toBe(401);
    expect((await get(`Authorization: Bearer ${await issuer.token({ aud: 'other' })}`)).status).toBe(401);
  });
});

describe('D.5 23: a provider in Redis', () => {
  it('is in force on the next request after a person changed it, and last known while Redis is away', async () => {
    const hash = await hashPassword('pw', { ln: 10, r: 8, p: 1 });
    const alice = `Authorization: ${basic('alice', 'pw')}`;
    await provider('type', 'basic', 'user:alice', hash);
    await eventually('the password to pass', async () => (await get(alice)).status === 200);
    await redis.cli('hset', 'auth:gate', 'realm', 'changed');
    await eventually('the realm', async () => (await get()).fields.get('www-authenticate')?.includes('changed'));
    await redis.cli('hdel', 'auth:gate', 'user:alice');
    await eventually('the user to be gone', async () => (await get(alice)).status === 401);
    await redis.cli('set', 'auth:gate', 'x');
    await eventually('the wrong type', async () => (await get(alice)).fields.get('x-cjs-proxy-error') === 'bad-auth-record');
    await provider('type', 'basic', 'user:alice', hash);
    await eventually('the password to pass again', async () => (await get(alice)).status === 200);
    await redis.stop();
    await eventually('Redis to be missed', () => proxy.proxy.store.state === 'away');
    expect((await get(alice)).status).toBe(200);
    expect((await get()).status).toBe(401);
  });
});
