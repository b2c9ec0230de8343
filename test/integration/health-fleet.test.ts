// Health over a real Redis and two proxies: a verdict of one reaches the other, and one of them probes for both.
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { parseBackends } from '../../src/model/parse-backends.js';
import { ok, type RawBackend, response, type Script } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { refusing, type Site, useHipache } from '../helpers/hipache.js';

const hipache = useHipache();

/** Answers well or ill, as the test says. */
function moody(text: string, mood = { well: true }) {
  const script: Script = async (request, connection) => {
    await request.whole();
    connection.send(mood.well ? ok(text) : response('500 Sick', 'sick'));
  };
  return { script, mood };
}

const checked = (backend: RawBackend) => backend.requests.filter((request) => request.target === '/health').length;

async function two(): Promise<readonly [Site, Site]> {
  return [await hipache.ownSite(), await hipache.ownSite()];
}

describe('a verdict reaches every node', () => {
  it('of a threshold of failures (D.4 requirement 18)', async () => {
    const [one, other] = await two();
    const host = hipache.host();
    await one.cli('hset', `route:${host}`, 'health', '{"threshold": 3, "ttl": "60s"}');
    await one.cli('rpush', `frontend:${host}`, 'id', refusing[0], (await hipache.backend(ok('good'))).url);
    await one.bodies(host, 2);
    await one.told();
    expect(await one.redis.cli('exists', `dead:${host}`)).toBe('0');
    await one.bodies(host, 6);
    await eventually('the mark', async () => (await one.redis.cli('smembers', `dead:${host}`)) === '0');
    expect(Number(await one.redis.cli('ttl', `dead:${host}`))).toBeGreaterThan(50);
    await other.told();
    expect(await other.bodies(host, 4)).toEqual(['good', 'good', 'good', 'good']);
    expect(other.logged.filter((line) => line.msg.includes('is dead'))).toEqual([]);
  });

  it('of a breaker, and so does its end; exactly one request is its probe (D.4 requirement 21)', async () => {
    const [one, other] = await two();
    const host = hipache.host();
    const { script, mood } = moody('flaky', { well: false });
    const flaky = await hipache.backend(script);
    const good = await hipache.backend(ok('good'));
    const policy = '{"threshold": 2, "statuses": [500], "breaker": {"open": "1s"}}';
    await one.cli('hset', `route:${host}`, 'health', policy);
    await one.cli('rpush', `frontend:${host}`, 'id', flaky.url, good.url);
    await other.told();
    await one.bodies(host, 4);
    await eventually('the mark', async () => (await one.redis.cli('smembers', `dead:${host}`)) === '0');
    await other.told();
    const before = flaky.requests.length;
    expect(new Set([...(await one.bodies(host, 4)), ...(await other.bodies(host, 4))])).toEqual(new Set(['good']));
    expect(flaky.requests.length).toBe(before);
    // Half-open: one request of both proxies together goes there, and opens the breaker for two seconds.
    const both = async () => [...(await one.bodies(host, 2)), ...(await other.bodies(host, 2))];
    await eventually('a trial', async () => (await both()).includes('sick'));
    expect((await both()).includes('sick')).toBe(false);
    expect(flaky.requests.length).toBe(before + 1);
    mood.well = true;
    await eventually('the next trial', async () => (await both()).includes('flaky'));
    await eventually('both to use it', async () => {
      const counts = [(await one.bodies(host, 4)).sort().join(), (await other.bodies(host, 4)).sort().join()];
      return counts.every((bodies) => bodies === 'flaky,flaky,good,good');
    });
    expect(await one.redis.cli('exists', `dead:${host}`)).toBe('0');
  });

  it('of active checks, which one of them runs for both, and another one when it is gone (D.4 requirement 20)', async () => {
    const [one, other] = await two();
    const host = hipache.host();
    const { script, mood } = moody('moody');
    const backend = await hipache.backend(script);
    const channel = await hipache.deadChannel();
    await one.cli('hset', `healthcheck:${host}`, 'path', '/health', 'status', '200', 'interval', '0.3', 'rise', '1', 'fall', '2');
    await one.cli('rpush', `frontend:${host}`, 'id', backend.url, (await hipache.backend(ok('good'))).url);
    await eventually('probes', () => checked(backend) > 1);
    mood.well = false;
    await eventually('the mark', async () => (await one.redis.cli('smembers', `dead:${host}`)) === '0');
    expect(await channel.many(1)).toEqual([`${host};${backend.url}/;0;2`]);
    for (const site of [one, other]) {
      await site.told();
      expect(new Set(await site.bodies(host, 3))).toEqual(new Set(['good']));
    }
    expect(one.logged.concat(other.logged).filter((line) => line.msg.includes('probes in a row failed'))).toHaveLength(1);
    // The one that found out is closed; the other one goes on.
    const prober = one.logged.some((line) => line.msg.includes('probes in a row failed')) ? one : other;
    const heir = prober === one ? other : one;
    await prober.started.close();
    mood.well = true;
    await eventually('the revival', async () => (await heir.redis.cli('exists', `dead:${host}`)) === '0', 8000);
    await heir.told();
    expect(new Set(await heir.bodies(host, 4))).toEqual(new Set(['good', 'moody']));
  });

  it('of a person: maintenance outlasts marks and probes (D.4 requirement 20)', async () => {
    const [one, other] = await two();
    const host = hipache.host();
    const [out, good] = [await hipache.backend(ok('out')), await hipache.backend(ok('good'))];
    await one.cli('rpush', `frontend:${host}`, 'id', out.url, good.url);
    await one.cli('hset', `healthcheck:${host}`, 'path', '/health', 'interval', '0.2', 'rise', '1');
    await one.cli('hset', `health:${host}`, out.url, '{"manual":true}');
    await eventually('probes', () => checked(out) > 2, 8000);
    for (const site of [one, other]) {
      await site.told();
      expect(new Set(await site.bodies(host, 3))).toEqual(new Set(['good']));
    }
    await eventually('Hipache to be told', async () => (await one.redis.cli('smembers', `dead:${host}`)) === '0');
    await one.started.proxy.store.maintain({
      frontend: host,
      backend: await backendOf(one, host, 0),
      on: false,
      ttl: 60,
    });
    await other.told();
    expect(new Set(await other.bodies(host, 4))).toEqual(new Set(['good', 'out']));
  });
});

describe('a dead backend (D.4 requirement 20)', () => {
  it('is revived by a connection before its time is up, and kept dead while it refuses', async () => {
    const site = await hipache.ownSite({ server: { recoveryInterval: 300, deadBackendTTL: 3600 } });
    const host = hipache.host();
    const port = await freePort();
    await site.cli('rpush', `frontend:${host}`, 'id', `http://127.0.0.1:${port}`, (await hipache.backend(ok('good'))).url);
    const members = () => site.redis.cli('smembers', `dead:${host}`);
    await site.bodies(host, 2);
    await eventually('the mark', async () => (await members()) === '0');
    const made = await site.redis.client.hget(`health:${host}`, `http://127.0.0.1:${port}`);
    const kept = async () => (await site.redis.client.hget(`health:${host}`, `http://127.0.0.1:${port}`)) !== made;
    await eventually('a probe that keeps it dead', kept);
    expect(await members()).toBe('0');
    const server = createServer((_request, response) => response.end('back')).listen(port, '127.0.0.1');
    try {
      await eventually('the revival', async () => (await members()) === '');
      await site.told();
      expect(new Set(await site.bodies(host, 4))).toEqual(new Set(['good', 'back']));
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});

describe('sticky sessions (D.4 requirement 20)', () => {
  it('drain from a backend under maintenance for as long as the policy says; new ones go elsewhere', async () => {
    const site = await hipache.ownSite();
    const host = hipache.host();
    const backends = [await hipache.backend(ok('0')), await hipache.backend(ok('1'))];
    await site.cli('hset', `route:${host}`, 'sticky', 'true', 'health', '{"drain": "1h"}');
    await site.cli('rpush', `frontend:${host}`, 'id', ...backends.map((backend) => backend.url));
    const first = await site.get(host);
    const cookie = `Cookie: ${(first.fields.get('set-cookie') ?? '').split(';')[0]}`;
    const position = Number(first.text);
    await site.cli('hset', `health:${host}`, backends[position]?.url as string, `{"manual":true,"since":${Date.now()}}`);
    expect((await site.get(host, '/', cookie)).text).toBe(first.text);
    expect(new Set(await site.bodies(host, 4))).toEqual(new Set([String(1 - position)]));
    await site.cli('hset', `route:${host}`, 'health', '{"drain": 0}');
    expect((await site.get(host, '/', cookie)).text).toBe(String(1 - position));
  });
});

async function backendOf(site: Site, host: string, index: number) {
  const [record] = await site.started.proxy.store.readFrontends([host]);
  const backend = parseBackends(record?.list.slice(1) ?? []).backends[index];
  if (backend === undefined) throw new Error('no such backend');
  return backend;
}
