// Rate limits through running nodes over one Redis: who is refused, what clients are told, and how seldom Redis is asked.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { largestBlock } from '../../src/limits/block.js';
import { head, withBody } from '../contract/engine/world.js';
import { answering, ok, type RawBackend } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { handshake, refusing, type Site, useHipache } from '../helpers/hipache.js';
import { type Issuer, startIssuer } from '../helpers/issuer.js';
import type { RawResponse } from '../helpers/raw-client.js';
import { startRedis } from '../helpers/redis.js';
import type { ProxyOverrides } from '../helpers/start-proxy.js';

const hipache = useHipache();
const trusting: ProxyOverrides = { trustedProxies: ['127.0.0.1'] };
let clients = 0;

/** An address that no other test comes from. */
function newClient(): string {
  clients++;
  return `X-Forwarded-For: 203.0.113.${clients}`;
}

interface Limited {
  readonly site: Site;
  readonly host: string;
  readonly backend: RawBackend;
  /** A tier that no other test has. */
  readonly tier: string;
  /** Statuses of some requests in a row. */
  statuses(requests: number, ...lines: readonly string[]): Promise<number[]>;
}

/** A frontend with a tier and, if they are given, rules. */
async function limited(
  fields: Readonly<Record<string, string | number>>,
  { settings = trusting, rules }: { settings?: ProxyOverrides; rules?: unknown } = {},
): Promise<Limited> {
  const site = await hipache.site(settings);
  const host = hipache.host();
  const backend = await hipache.backend(ok('served'));
  const tier = `tier-of-${host}`;
  await site.redis.cli('hset', `tier:${tier}`, ...Object.entries(fields).flat().map(String));
  await site.redis.cli('hset', `route:${host}`, 'tier', tier, ...(rules === undefined ? [] : ['limits', JSON.stringify(rules)]));
  await site.cli('rpush', `frontend:${host}`, 'an identifier', backend.url);
  return { site, host, backend, tier, statuses: (requests, ...lines) => statusesOf(site, host, requests, ...lines) };
}

async function statusesOf(site: Site, host: string, requests: number, ...lines: readonly string[]): Promise<number[]> {
  const client = await site.client();
  const found: number[] = [];
  for (let turn = 0; turn < requests; turn++) {
    client.send(head('GET', '/', host, ...lines));
    found.push((await client.response()).status);
  }
  client.close();
  return found;
}

const admitted = (statuses: readonly number[]): number => statuses.filter((status) => status === 200).length;
const field = (response: RawResponse, name: string): string | null => response.fields.get(name);

describe.each(['wire', 'http-proxy'] as const)('a limited frontend (engine %s)', (engine) => {
  const settings: ProxyOverrides = { ...trusting, server: { engine } };

  it('tells its clients how much is left, refuses with 429 what is too much, and lets other clients be', async () => {
    const { site, host, tier, backend } = await limited({ points: 2, duration: 100 }, { settings });
    const client = newClient();
    const first = await site.get(host, '/', client);
    expect(first.status).toBe(200);
    expect(field(first, 'ratelimit-policy')).toBe(`"${tier}";q=2;w=100`);
    expect(field(first, 'ratelimit')).toBe(`"${tier}";r=1;t=100`);
    expect(field(first, 'retry-after')).toBeNull();
    expect(field(await site.get(host, '/', client), 'ratelimit')).toMatch(new RegExp(`^"${tier}";r=0;t=\\d+$`));
    const refused = await site.get(host, '/', client);
    expect([refused.status, refused.reason]).toEqual([429, 'Too Many Requests']);
    expect(field(refused, 'ratelimit')).toMatch(new RegExp(`^"${tier}";r=0;t=(100|9\\d)$`));
    expect(Number(field(refused, 'retry-after'))).toBeGreaterThan(90);
    expect(Number(field(refused, 'retry-after'))).toBeLessThanOrEqual(100);
    expect(field(refused, 'x-cjs-proxy-error')).toBe('rate-limited');
    expect(field(refused, 'cache-control')).toBe('no-cache');
    expect(backend.requests).toHaveLength(2);
    expect((await site.get(host, '/', newClient())).status).toBe(200);
  });

  it('shows people a page, and programs JSON or plain text', async () => {
    const { site, host } = await limited({ points: 1 }, { settings });
    const client = newClient();
    await site.get(host, '/', client);
    const page = await site.get(host, '/', client, 'Accept: text/html');
    expect([page.status, field(page, 'content-type')]).toEqual([429, 'text/html']);
    expect(page.text).toContain('Too Many Requests');
    const json = await site.get(host, '/', client, 'Accept: application/json');
    expect(JSON.parse(json.text)).toMatchObject({ error: { code: 'rate-limited', status: 429, source: 'client' } });
    expect((await site.get(host, '/', client, 'Accept: text/plain')).text).toContain('Too many requests');
  });

  it('answers each request of a flood for itself: its id, its tier, its form, with or without a body, on a connection that goes on or ends', async () => {
    const one = await limited({ points: 1, duration: 100 }, { settings });
    const other = await limited({ points: 1, duration: 200 }, { settings });
    const address = newClient();
    const lines = [address, 'Accept: application/json'];
    for (const { site, host } of [one, other]) expect((await site.get(host, '/', address)).status).toBe(200);
    const client = await one.site.client();
    const ids = new Set<string>();
    for (let turn = 0; turn < 6; turn++) {
      const { host, tier } = turn % 3 === 2 ? other : one;
      client.send(head('GET', '/', host, ...lines));
      const answer = await client.response();
      const { error } = JSON.parse(answer.text) as { error: { code: string; requestId: string } };
      ids.add(error.requestId);
      expect([answer.status, error.code, field(answer, 'connection')]).toEqual([429, 'rate-limited', null]);
      expect(field(answer, 'ratelimit')).toContain(`"${tier}";r=0;`);
      const length = field(answer, 'content-length');
      expect(length).toBe(String(answer.body.length));
      client.send(head('HEAD', '/', host, ...lines));
      const bodyless = await client.response('HEAD');
      expect([bodyless.status, bodyless.body.length, field(bodyless, 'content-length')]).toEqual([429, 0, length]);
      client.send(`GET / HTTP/1.0\r\nHost: ${host}\r\nConnection: keep-alive\r\n${lines.join('\r\n')}\r\n\r\n`);
      expect(field(await client.response(), 'connection')).toBe('keep-alive');
      client.send(withBody('POST', '/', host, 'unread', ...lines));
      expect((await client.response()).status).toBe(429);
    }
    expect(ids.size).toBe(6);
    client.send(head('GET', '/', one.host, ...lines, 'Connection: close'));
    expect(field(await client.response(), 'connection')).toBe('close');
    expect(await client.ended()).toBe('end');
  });
});

describe('what counts', () => {
  it('is a request once, however often it is tried again', async () => {
    const { site, host, statuses, backend } = await limited({ points: 3 });
    await site.cli('del', `frontend:${host}`);
    await site.cli('rpush', `frontend:${host}`, 'an identifier', ...refusing.slice(0, 3), backend.url);
    expect(await statuses(5, newClient())).toEqual([200, 200, 200, 429, 429]);
    // Only a failed attempt marks a backend dead, and no request was answered with an error: so some were tried again.
    expect(await site.redis.client.scard(`dead:${host}`)).toBeGreaterThan(0);
  });

  it('is the handshake of a WebSocket, whatever the backend answers', async () => {
    const { site, host, backend } = await limited({ points: 2 });
    const client = newClient();
    for (let turn = 0; turn < 2; turn++) expect((await site.exchange(handshake(host, client))).status).toBe(200);
    expect((await site.exchange(handshake(host, client))).status).toBe(429);
    expect(backend.requests).toHaveLength(2);
  });

  it('is nothing that follows in a WebSocket', async () => {
    const { site, host } = await limited({ points: 2 });
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    try {
      await once(server, 'listening');
      server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
      await site.cli('del', `frontend:${host}`);
      const { port } = server.address() as AddressInfo;
      await site.cli('rpush', `frontend:${host}`, 'an identifier', `http://127.0.0.1:${port}`);
      const address = `203.0.113.${++clients}`;
      const headers = { Host: host, 'X-Forwarded-For': address };
      const socket = new WebSocket(`ws://127.0.0.1:${site.started.port}/`, { headers });
      let echoes = 0;
      socket.on('message', () => echoes++);
      await once(socket, 'open');
      for (let message = 0; message < 50; message++) socket.send(String(message));
      await eventually('all messages to be back', () => echoes === 50);
      // One point went to the handshake; the other one is still there.
      const client = `X-Forwarded-For: ${address}`;
      const asked = await site.exchange(handshake(host, client, 'Sec-WebSocket-Protocol: none'));
      expect(field(asked, 'ratelimit')).toMatch(/;r=0;/);
      expect((await site.get(host, '/', client)).status).toBe(429);
      socket.send('more');
      await eventually('a client without points to be heard in its tunnel', () => echoes === 51);
      socket.terminate();
    } finally {
      for (const client of server.clients) client.terminate();
      server.close();
    }
  });

  it('is not __ping__', async () => {
    const site = await hipache.ownSite({ limits: { tier: 'anonymous' } });
    const statuses = await statusesOf(site, '__ping__', 600);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('is not what was refused: who goes on trying is served when the window ends', async () => {
    const { site, host } = await limited({ points: 2, duration: 2 });
    const client = newClient();
    const begun = performance.now();
    let refused = 0;
    let served = 0;
    await eventually('a third request to be served', async () => {
      if ((await site.get(host, '/', client)).status === 200) served++;
      else refused++;
      return served === 3;
    });
    expect(refused).toBeGreaterThan(10);
    expect(performance.now() - begun).toBeLessThan(3_500);
  });

  it('is what the tier says it costs, however the path is spelled', async () => {
    const { site, host } = await limited({ points: 10, cost: '{"/search": 5, "OPTIONS": 0, "POST /": 20}' });
    const client = newClient();
    expect((await site.get(host, '/s%65arch?q=1', client)).status).toBe(200);
    expect((await site.get(host, '//Search/./x', client)).status).toBe(200);
    expect((await site.get(host, '/', client)).status).toBe(429);
    const options = await site.exchange(head('OPTIONS', '/', host, client));
    expect([options.status, field(options, 'ratelimit')]).toEqual([200, null]);
  });

  it.each([
    ['client', [200, 429, 429, 429]],
    ['client+frontend', [200, 429, 200, 429]],
    ['frontend', [200, 200, 200, 200]],
  ])('is counted by %s', async (scope, expected) => {
    const { site, tier, statuses } = await limited({ points: scope === 'frontend' ? 2 : 1, scope });
    const other = hipache.host();
    await site.redis.cli('hset', `route:${other}`, 'tier', tier);
    await site.cli('rpush', `frontend:${other}`, 'an identifier', (await hipache.backend(ok())).url);
    const client = newClient();
    const found = await statuses(1, client);
    found.push(...(await statuses(1, scope === 'frontend' ? newClient() : client)));
    found.push(...(await statusesOf(site, other, 2, client)));
    expect(found).toEqual(expected);
    if (scope === 'frontend') expect(await statuses(1, newClient())).toEqual([429]);
  });
});

describe('a tier', () => {
  it('that changes is in force on the next request', async () => {
    const { site, tier, statuses } = await limited({ points: 1 });
    const client = newClient();
    expect(await statuses(2, client)).toEqual([200, 429]);
    await site.cli('hset', `tier:${tier}`, 'points', '3');
    expect(await statuses(3, client)).toEqual([200, 200, 429]);
  });

  it('allows a burst beyond its points, and says so', async () => {
    const { site, host, tier, statuses } = await limited({ points: 2, duration: 50, burst: 2, burstDuration: 100 });
    const client = newClient();
    expect(await statuses(3, client)).toEqual([200, 200, 200]);
    const fourth = await site.get(host, '/', client);
    expect(field(fourth, 'ratelimit-policy')).toBe(`"${tier}";q=2;w=50, "${tier}-burst";q=2;w=100`);
    expect(field(fourth, 'ratelimit')).toMatch(new RegExp(`^"${tier}";r=0;t=\\d+, "${tier}-burst";r=0;t=\\d+$`));
    const fifth = await site.get(host, '/', client);
    expect(fifth.status).toBe(429);
    expect(Number(field(fifth, 'retry-after'))).toBeLessThanOrEqual(50);
  });

  it('is not needed: a frontend without one is not limited and says nothing of limits', async () => {
    const site = await hipache.site(trusting);
    const host = hipache.host();
    await site.cli('rpush', `frontend:${host}`, 'an identifier', (await hipache.backend(ok())).url);
    expect(admitted(await statusesOf(site, host, 600, newClient()))).toBe(600);
    expect((await site.get(host)).head).not.toMatch(/ratelimit/i);
  });

  it('of the settings is for all frontends that name none', async () => {
    const site = await hipache.ownSite({ ...trusting, limits: { tier: 'anonymous' } });
    const [plain, exempt] = [hipache.host(), hipache.host()];
    const { url } = await hipache.backend(ok());
    await site.redis.cli('hset', `route:${exempt}`, 'tier', 'none');
    for (const host of [plain, exempt]) await site.cli('rpush', `frontend:${host}`, 'an identifier', url);
    const client = newClient();
    expect(admitted(await statusesOf(site, plain, 510, client))).toBe(500);
    expect(admitted(await statusesOf(site, exempt, 510, client))).toBe(510);
  });
});

describe('what clients are told', () => {
  it.each([
    ['legacy', /^X-RateLimit-Limit: 2\r\nX-RateLimit-Remaining: 1\r\nX-RateLimit-Reset: 60\r\n/m, /^RateLimit/m],
    ['both', /^RateLimit-Policy: [^\r]*\r\nX-RateLimit-Limit: 2\r\nRateLimit: [^\r]*\r\nX-RateLimit-Remaining: 1\r\n/m, /\n\n/],
    ['none', /^HTTP/, /RateLimit/],
  ] as const)('is as the setting %s asks for', async (headers, expected, unexpected) => {
    const { site, host } = await limited({ points: 2 }, { settings: { ...trusting, limits: { headers } } });
    const response = await site.get(host, '/', newClient());
    expect(response.head).toMatch(expected);
    expect(response.head).not.toMatch(unexpected);
  });
});

describe('by a rule', () => {
  const key = 'a key that was given out';
  const digest = createHash('sha256').update(key).digest('hex');

  it('an API key that was given out has its tier and its own account; one that was not counts for nothing', async () => {
    const { site, tier, statuses } = await limited({ points: 1 }, { rules: { header: 'X-API-Key' } });
    await site.redis.cli('hset', `tier:${tier}-partner`, 'points', '3');
    await site.cli('set', `member:key:${digest}`, `${tier}-partner`);
    const client = newClient();
    expect(await statuses(2, client)).toEqual([200, 429]);
    expect(await statuses(4, client, `X-API-Key: ${key}`)).toEqual([200, 200, 200, 429]);
    expect(await statuses(1, newClient(), `X-API-Key: ${key}`)).toEqual([429]);
    expect(await statuses(2, client, 'X-API-Key: made up')).toEqual([429, 429]);
    await site.cli('del', `member:key:${digest}`);
    expect(await statuses(1, newClient(), `X-API-Key: ${key}`)).toEqual([200]);
    expect(await site.redis.cli('keys', '*')).not.toContain(key);
  });

  it('a bearer token can be the key', async () => {
    const { site, tier, statuses } = await limited({ points: 1 }, { rules: { header: 'Authorization' } });
    await site.redis.cli('hset', `tier:${tier}-partner`, 'points', '2');
    const other = createHash('sha256').update('token-1').digest('hex');
    await site.cli('set', `member:key:${other}`, `${tier}-partner`);
    expect(await statuses(3, newClient(), 'Authorization: Bearer token-1')).toEqual([200, 200, 429]);
  });

  it('a claim of a verified token names the tier, and another one the client', async () => {
    const issuer: Issuer = await startIssuer();
    try {
      const rules = [{ claim: 'plan', tiers: { gold: 'claimed' }, per: 'tenant' }];
      const { site, host, statuses } = await limited({ points: 1 }, { rules });
      await site.redis.cli('hset', 'tier:claimed', 'points', '3');
      await site.redis.cli('hset', 'auth:login', 'type', 'jwt', 'jwks', issuer.url);
      await site.cli('hset', `route:${host}`, 'authProvider', 'login');
      const bearer = async (claims: Readonly<Record<string, unknown>>) => `Authorization: Bearer ${await issuer.token(claims)}`;
      const gold = await bearer({ plan: 'gold', tenant: 'acme' });
      expect(await statuses(2, newClient(), gold)).toEqual([200, 200]);
      expect(await statuses(2, newClient(), await bearer({ plan: 'gold', tenant: 'acme', sub: 'bob' }))).toEqual([200, 429]);
      expect(await statuses(1, newClient(), await bearer({ plan: 'gold', tenant: 'other' }))).toEqual([200]);
      expect(await statuses(2, newClient(), await bearer({ plan: 'tin', tenant: 'acme' }))).toEqual([200, 429]);
    } finally {
      await issuer.close();
    }
  });

  it('members of a set, of addresses and of ranges have their tiers, the first rule that says something deciding', async () => {
    const rules = [{ address: ['198.51.100.0/24'], tier: 'none' }, { member: 'ip' }, { member: 'host' }, { set: 'premium' }];
    const { site, host, tier, statuses } = await limited({ points: 1 }, { rules });
    for (const [name, points] of [
      ['a', 2],
      ['b', 3],
    ] as const)
      await site.redis.cli('hset', `tier:${tier}-${name}`, 'points', String(points));
    const from = (address: string) => `X-Forwarded-For: ${address}`;
    expect(await statuses(2, newClient())).toEqual([200, 429]);
    expect(admitted(await statuses(20, from('198.51.100.9')))).toBe(20);
    await site.cli('set', 'member:ip:192.0.2.77', `${tier}-a`);
    await site.cli('set', 'member:ip:2001:db8:7::/64', `${tier}-a`);
    expect(await statuses(3, from('192.0.2.77'))).toEqual([200, 200, 429]);
    expect(await statuses(3, from('2001:db8:7::99'))).toEqual([200, 200, 429]);
    await site.cli('set', `member:host:${host}`, `${tier}-b`);
    expect(admitted(await statuses(5, newClient()))).toBe(3);
    await site.cli('del', `member:host:${host}`);
    await site.cli('sadd', 'premium', host);
    const premium = await site.get(host, '/', newClient());
    expect(field(premium, 'ratelimit-policy')).toBe('"premium";q=100000;w=60');
  });

  it('IPv6 addresses of one /64 are one client', async () => {
    const { statuses } = await limited({ points: 2 });
    expect(await statuses(1, 'X-Forwarded-For: 2001:db8:1:1::1')).toEqual([200]);
    expect(await statuses(2, 'X-Forwarded-For: 2001:db8:1:1:ffff::2')).toEqual([200, 429]);
    expect(await statuses(1, 'X-Forwarded-For: 2001:db8:1:2::1')).toEqual([200]);
  });

  it('Referer means nothing, unless the setting says that it does as in cjs-proxy', async () => {
    const rules = { referer: true };
    const referer = 'Referer: http://partner.example/page';
    const { site, host } = await limited({ points: 1 }, { rules });
    await site.cli('sadd', 'registered', 'partner.example');
    const policyOf = async (one: Site, ...lines: string[]) =>
      field(await one.get(host, '/', newClient(), ...lines), 'ratelimit-policy');
    expect(await policyOf(site, referer)).toContain(';q=1;');
    const compatible = await hipache.ownSite({ ...trusting, limits: { referer: true } });
    expect(await policyOf(compatible, referer)).toBe('"registered";q=10000;w=60');
    expect(await policyOf(compatible, 'Referer: http://other.example/')).toContain(';q=1;');
    expect(await policyOf(compatible, 'Referer: junk')).toContain(';q=1;');
  });

  it('with limits.tier the sets of cjs-proxy raise their hosts', async () => {
    const site = await hipache.ownSite({ ...trusting, limits: { tier: 'anonymous', referer: true } });
    const host = hipache.host();
    await site.cli('rpush', `frontend:${host}`, 'an identifier', (await hipache.backend(ok())).url);
    const policyOf = async (...lines: string[]) => field(await site.get(host, '/', newClient(), ...lines), 'ratelimit-policy');
    expect(await policyOf()).toBe('"anonymous";q=500;w=60');
    await site.cli('sadd', 'registered', host, 'friend.example');
    expect(await policyOf()).toBe('"registered";q=10000;w=60');
    await site.cli('srem', 'registered', host);
    expect(await policyOf()).toBe('"anonymous";q=500;w=60');
    expect(await policyOf('Referer: https://friend.example:8443/x')).toBe('"registered";q=10000;w=60');
  });
});

describe('two nodes', () => {
  it('count together: what both serve is the limit and a block each at the most, and not less than the limit', async () => {
    const points = 1_280;
    const { site, host, statuses } = await limited({ points });
    const other = await hipache.ownSite(trusting);
    const client = newClient();
    const shares = await Promise.all([
      ...Array.from({ length: 4 }, () => statuses(300, client)),
      ...Array.from({ length: 4 }, () => statusesOf(other, host, 300, client)),
    ]);
    const served = shares.reduce((sum, share) => sum + admitted(share), 0);
    expect(served).toBeGreaterThanOrEqual(points);
    expect(served).toBeLessThanOrEqual(points + 2 * largestBlock(points));
    expect(await statusesOf(site, host, 3, client)).toEqual([429, 429, 429]);
    expect(await statusesOf(other, host, 3, client)).toEqual([429, 429, 429]);
  });

  it('count small limits exactly', async () => {
    const { host, statuses } = await limited({ points: 10 });
    const other = await hipache.ownSite(trusting);
    const client = newClient();
    const shares = await Promise.all([statuses(15, client), statusesOf(other, host, 15, client), statuses(15, client)]);
    expect(shares.reduce((sum, share) => sum + admitted(share), 0)).toBe(10);
  });
});

describe('Redis', () => {
  const scripts = async (site: Site): Promise<number> => {
    const stats = await site.redis.client.info('commandstats');
    const calls = [...stats.matchAll(/cmdstat_evalsha?:calls=(\d+)/g)].map(([, count]) => Number(count));
    return calls.reduce((sum, count) => sum + count, 0);
  };

  it('is hardly asked about clients that are served, and not at all about those that are refused', async () => {
    const { site, statuses } = await limited({ points: 1_000 });
    const client = newClient();
    const before = await scripts(site);
    expect(admitted(await statuses(1_200, client))).toBe(1_000);
    const asked = (await scripts(site)) - before;
    expect(asked).toBeGreaterThan(1_000 / largestBlock(1_000) / 2);
    expect(asked).toBeLessThan(300);
    expect(admitted(await statuses(500, client))).toBe(0);
    expect((await scripts(site)) - before).toBe(asked);
  });

  it('keeps one counter a client, which expires with its window', async () => {
    const { site, tier, statuses } = await limited({ points: 10, duration: 30 });
    const client = newClient();
    await statuses(4, client);
    const key = `limit:${tier}:${client.slice('X-Forwarded-For: '.length)}`;
    expect(await site.redis.cli('get', key)).toBe('4');
    const left = Number(await site.redis.cli('ttl', key));
    expect(left).toBeGreaterThan(20);
    expect(left).toBeLessThanOrEqual(30);
  });

  it.each([
    ['open', [200, 200, 200, 200]],
    ['local', [200, 200, 200, 429]],
    ['closed', [503, 503, 503, 503]],
  ] as const)('that is away: %s', async (whenAway, expected) => {
    const redis = await startRedis();
    const backend = await hipache.backend(answering(ok()));
    const site = await hipache.ownSite({ ...trusting, driver: redis.url, limits: { whenAway } });
    try {
      await redis.cli('hset', 'tier:tiny', 'points', '3');
      await redis.cli('hset', 'route:a.example', 'tier', 'tiny');
      await redis.cli('rpush', 'frontend:a.example', 'an identifier', backend.url);
      expect(await statusesOf(site, 'a.example', 1, newClient())).toEqual([200]);
      await redis.stop();
      await eventually('the proxy to notice', () => site.started.proxy.store.state === 'away');
      expect(await statusesOf(site, 'a.example', 4, newClient())).toEqual(expected);
      const refused = await site.get('a.example', '/', newClient());
      if (whenAway === 'closed') expect(field(refused, 'x-cjs-proxy-error')).toBe('limit-away');
    } finally {
      await redis.stop();
    }
  });
});
