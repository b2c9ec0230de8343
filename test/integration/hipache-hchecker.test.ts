// An active hchecker beside the proxy: it owns the marks of what it can check, and is told what requests meet.
import { beforeEach, describe, expect, it } from 'vitest';
import { ok, type RawBackend, response } from '../helpers/backend.js';
import { refusing, type Site, useHipache } from '../helpers/hipache.js';

const hipache = useHipache();
const [refused] = refusing;
let host: string;
let good: RawBackend;

beforeEach(async () => {
  host = hipache.host();
  good = await hipache.backend(ok('good'));
});

const now = () => Math.floor(Date.now() / 1000);

/** A proxy that has looked for hchecker: it does so at its start, on the connection that later look-ups use. */
async function startWithPing(seconds: number | string, server = {}): Promise<Site> {
  await hipache.redis.cli('set', 'hchecker_ping', String(seconds));
  return hipache.ownSite({ server });
}

async function serves(site: Site, ...entries: readonly string[]): Promise<void> {
  await site.cli('rpush', `frontend:${host}`, 'an identifier', ...entries);
}

const dead = async (site: Site, name: string) => (await site.cli('exists', `dead:${name}`)) === '1';

describe('while hchecker_ping is fresh', () => {
  it('a refused backend is published and not marked', async () => {
    const channel = await hipache.deadChannel();
    const site = await startWithPing(now());
    await serves(site, refused, good.url);
    expect((await site.get(host)).text).toBe('good');
    expect(await channel.many(1)).toEqual([`${host};http://127.0.0.1:1/;0;2`]);
    expect(await dead(site, host)).toBe(false);
  });

  it('each request that meets it publishes again', async () => {
    const channel = await hipache.deadChannel();
    const site = await startWithPing(now());
    await serves(site, refused, good.url);
    await site.bodies(host, 4);
    expect((await channel.many(2)).slice(0, 2)).toEqual(Array.from({ length: 2 }, () => `${host};http://127.0.0.1:1/;0;2`));
  });

  it('an answer 502 is published and not marked', async () => {
    const channel = await hipache.deadChannel();
    const site = await startWithPing(now());
    const bad = await hipache.backend(response('502 Bad Gateway'));
    await serves(site, bad.url, good.url);
    expect((await site.get(host)).status).toBe(502);
    expect(await channel.many(1)).toEqual([`${host};${bad.url}/;0;2`]);
    expect(await dead(site, host)).toBe(false);
  });

  it('an answer 500 is published where deadBackendOn500 says so, and not where it does not', async () => {
    const channel = await hipache.deadChannel();
    const bad = await hipache.backend(response('500 Oops'));
    const asking = await startWithPing(now());
    await serves(asking, bad.url, good.url);
    expect((await asking.get(host)).status).toBe(500);
    expect(await channel.many(1)).toEqual([`${host};${bad.url}/;0;2`]);
    expect(await dead(asking, host)).toBe(false);
    const silent = await startWithPing(now(), { deadBackendOn500: false });
    expect((await silent.get(host)).status).toBe(500);
    await silent.told();
    expect(channel.messages).toHaveLength(1);
  });

  it('the marks of hchecker are obeyed', async () => {
    const site = await startWithPing(now());
    const other = await hipache.backend(ok('other'));
    await serves(site, good.url, other.url);
    await site.cli('sadd', `dead:${host}`, '0');
    expect(new Set(await site.bodies(host, 4))).toEqual(new Set(['other']));
    await site.cli('srem', `dead:${host}`, '0');
    expect(new Set(await site.bodies(host, 4))).toEqual(new Set(['good', 'other']));
  });

  it('a backend of a wildcard is marked all the same, since hchecker never checks one', async () => {
    const channel = await hipache.deadChannel();
    const site = await startWithPing(now());
    await site.cli('rpush', `frontend:*.${host}`, 'wild', refused, good.url);
    expect((await site.get(`a.${host}`)).text).toBe('good');
    expect(await channel.many(1)).toEqual([`a.${host};http://127.0.0.1:1/;0;2`]);
    expect(await site.cli('smembers', `dead:a.${host}`)).toBe('0');
    expect(await site.cli('smembers', `dead:*.${host}`)).toBe('0');
  });

  it.each(['/', '/path', '#weight=2'])(
    'an entry that ends with `%s` is marked all the same, since hchecker never checks it',
    async (end) => {
      const channel = await hipache.deadChannel();
      const site = await startWithPing(now());
      await serves(site, `${refused}${end}`, good.url);
      await site.get(host);
      await channel.many(1);
      expect(await site.cli('smembers', `dead:${host}`)).toBe('0');
    },
  );

  it('is said once', async () => {
    const site = await startWithPing(now());
    await site.told();
    const said = site.logged.map(({ msg }) => msg).filter((text) => text.includes('passive checks'));
    expect(said).toEqual(['Disabling passive checks (active hchecker detected).']);
  });
});

describe('a backend is marked by the proxy itself', () => {
  it.each([
    ['31 seconds old', () => now() - 31],
    ['an hour old', () => now() - 3600],
    ['junk', () => 'soon'],
    ['empty', () => ''],
  ])('while hchecker_ping is %s', async (_what, ping) => {
    const channel = await hipache.deadChannel();
    const site = await startWithPing(ping());
    await serves(site, refused, good.url);
    await site.get(host);
    await channel.many(1);
    expect(await site.cli('smembers', `dead:${host}`)).toBe('0');
  });

  it('while there is no hchecker_ping', async () => {
    const channel = await hipache.deadChannel();
    await hipache.redis.cli('del', 'hchecker_ping');
    const site = await hipache.ownSite();
    await serves(site, refused, good.url);
    await site.get(host);
    await channel.many(1);
    expect(await site.cli('smembers', `dead:${host}`)).toBe('0');
  });
});
