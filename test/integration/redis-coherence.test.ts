// What anybody writes in Redis is in force on the next request, and requests cost Redis nothing: seen by a client, through HTTP.
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { head } from '../contract/engine/world.js';
import { ok } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { refusing, type Site, useHipache } from '../helpers/hipache.js';
import type { RawClient } from '../helpers/raw-client.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';

/** Milliseconds. On an idle machine it takes one or two; the bound allows for a machine that is not. */
const bound = 500;

const hipache = useHipache();
let site: Site;
let host: string;
let client: RawClient;

beforeEach(async () => {
  site = await hipache.site();
  host = hipache.host();
  client = await site.client();
});

/** What a client gets: the body of a 200, else the status. */
async function ask(name = host): Promise<string> {
  client.send(head('GET', '/', name));
  const answer = await client.response();
  return answer.status === 200 ? answer.text : String(answer.status);
}

/** What the next requests get, each value once, in order. */
async function all(count: number): Promise<string> {
  const seen = new Set<string>();
  for (let turn = 0; turn < count; turn++) seen.add(await ask());
  return [...seen].sort().join();
}

/** Asks until the answer is as expected. @returns milliseconds from the call to the request that got it */
async function untilAnswered(look: () => Promise<string>, expected: string): Promise<number> {
  const begin = performance.now();
  for (;;) {
    const sentAt = performance.now();
    const answer = await look();
    if (answer === expected) return sentAt - begin;
    if (sentAt - begin > 5000) throw new Error(`the answer is still ${answer} instead of ${expected}`);
  }
}

/** Runs redis-cli and measures how long after its end the change is in force. */
async function inForce(command: readonly string[], look: () => Promise<string>, expected: string): Promise<void> {
  await hipache.redis.cli(...command);
  const elapsed = await untilAnswered(look, expected);
  console.log(`${command[0]} ${command[1] ?? ''}: in force ${elapsed.toFixed(1)} ms after redis-cli ended`);
  expect(elapsed).toBeLessThan(bound);
}

describe('a change is in force on the next request:', () => {
  it('rpush of a frontend and of a backend, lrem, del', async () => {
    const [one, two] = [await hipache.backend(ok('one')), await hipache.backend(ok('two'))];
    const key = `frontend:${host}`;
    expect(await ask()).toBe('400');
    await inForce(['rpush', key, 'an identifier', one.url], ask, 'one');
    await inForce(['rpush', key, two.url], () => all(2), 'one,two');
    await inForce(['lrem', key, '0', one.url], () => all(2), 'two');
    await inForce(['del', key], ask, '400');
  });

  it('sadd, srem and del of a dead set', async () => {
    const [one, two] = [await hipache.backend(ok('one')), await hipache.backend(ok('two'))];
    await site.cli('rpush', `frontend:${host}`, 'an identifier', one.url, two.url);
    expect(await all(2)).toBe('one,two');
    await inForce(['sadd', `dead:${host}`, '0'], () => all(2), 'two');
    await inForce(['sadd', `dead:${host}`, '1'], ask, '502');
    await inForce(['srem', `dead:${host}`, '0'], () => all(2), 'one');
    await inForce(['del', `dead:${host}`], () => all(2), 'one,two');
  });

  it('a frontend for a host that a wildcard served before', async () => {
    const [wild, exact] = [await hipache.backend(ok('wild')), await hipache.backend(ok('exact'))];
    await site.cli('rpush', `frontend:*.${host}`, 'wild', wild.url);
    const look = () => ask(`a.${host}`);
    expect(await look()).toBe('wild');
    await inForce(['rpush', `frontend:a.${host}`, 'exact', exact.url], look, 'exact');
    await inForce(['del', `frontend:a.${host}`], look, 'wild');
  });

  it('the TTL of a frontend that runs out', async () => {
    await site.redis.cli('rpush', `frontend:${host}`, 'an identifier', (await hipache.backend(ok('here'))).url);
    await site.cli('pexpire', `frontend:${host}`, '400');
    const expiry = performance.now() + (await site.redis.client.pttl(`frontend:${host}`));
    expect(await ask()).toBe('here');
    await untilAnswered(ask, '400');
    const late = performance.now() - expiry;
    console.log(`expiry of a frontend: in force after ${late.toFixed(1)} ms`);
    expect(late).toBeLessThan(bound);
  });

  it('the TTL of a dead set that runs out', async () => {
    const [one, two] = [await hipache.backend(ok('one')), await hipache.backend(ok('two'))];
    await site.redis.cli('rpush', `frontend:${host}`, 'an identifier', one.url, two.url);
    await site.redis.cli('sadd', `dead:${host}`, '0');
    await site.cli('pexpire', `dead:${host}`, '400');
    const expiry = performance.now() + (await site.redis.client.pttl(`dead:${host}`));
    expect(await all(2)).toBe('two');
    await untilAnswered(() => all(2), 'one,two');
    const late = performance.now() - expiry;
    console.log(`expiry of a dead set: in force after ${late.toFixed(1)} ms`);
    expect(late).toBeLessThan(bound);
  });

  it('flushall', async () => {
    await site.cli('rpush', `frontend:${host}`, 'an identifier', (await hipache.backend(ok('here'))).url);
    expect(await ask()).toBe('here');
    await inForce(['flushall'], ask, '400');
  });

  it('200 writes in a row, measured from the reply to the write rather than from the end of redis-cli', async () => {
    const [one, two] = [await hipache.backend(ok('one')), await hipache.backend(ok('two'))];
    await site.cli('rpush', `frontend:${host}`, 'an identifier', one.url);
    const times: number[] = [];
    for (let turn = 0; turn < 200; turn++) {
      const [url, expected] = turn % 2 === 0 ? [two.url, 'two'] : [one.url, 'one'];
      await hipache.redis.client.lset(`frontend:${host}`, 1, url);
      times.push(await untilAnswered(ask, expected));
    }
    times.sort((a, b) => a - b);
    console.log(`200 writes: in force after ${times[100]?.toFixed(2)} ms (p50), ${times[197]?.toFixed(2)} ms (p99)`);
    expect(times[100]).toBeLessThan(bound / 5);
    expect(times[197]).toBeLessThan(bound);
  });

  it('in every proxy', async () => {
    const others = [await hipache.ownSite(), await hipache.ownSite(), await hipache.ownSite()];
    for (const other of others) expect((await other.get(host)).status).toBe(400);
    await hipache.redis.cli('rpush', `frontend:${host}`, 'an identifier', (await hipache.backend(ok('here'))).url);
    const begin = performance.now();
    for (const other of others) await eventually('the change', async () => (await other.get(host)).text === 'here');
    expect(performance.now() - begin).toBeLessThan(bound * others.length);
  });
});

describe('a cached request', () => {
  /** Calls of each command so far; the heartbeats of the connections, the look for hchecker, and what asks do not count. */
  async function commands(): Promise<Record<string, number>> {
    const stats = await hipache.redis.client.info('commandstats');
    const calls = [...stats.matchAll(/cmdstat_([a-z|]+):calls=(\d+)/g)].map(
      ([, name = '', count]) => [name, Number(count)] as const,
    );
    // What a worker does at its own pace, however many requests come: the lease of the prober, and its look at what is dead.
    const own = ['ping', 'info', 'get', 'eval', 'set', 'scan'];
    return Object.fromEntries(calls.filter(([name]) => !own.includes(name)));
  }

  it('sends Redis no command: 1000 requests, known host, wildcard, unknown host', async () => {
    const backend = await hipache.backend(ok('here'));
    await site.cli('rpush', `frontend:${host}`, 'an identifier', backend.url);
    await site.cli('rpush', `frontend:*.${host}`, 'wild', backend.url);
    const asked = [host, host.toUpperCase(), `a.${host}`, `unknown.${host.slice(1)}`];
    const before: string[] = [];
    for (const name of asked) before.push(await ask(name));
    expect(before).toEqual(['here', 'here', 'here', '400']);
    const calls = await commands();
    for (let turn = 0; turn < 250; turn++) {
      for (const name of asked) await ask(name);
    }
    expect(await commands()).toEqual(calls);
    expect(backend.requests).toHaveLength(3 + 750);
  });
});

describe('Redis that is killed', () => {
  async function ownRedis(port?: number): Promise<TestRedis> {
    const redis = await startRedis(port === undefined ? {} : { port });
    onTestFinished(() => redis.stop());
    return redis;
  }

  /** Answers to some requests, each within a second. */
  async function promptly(name: string): Promise<string[]> {
    const answers: string[] = [];
    for (let turn = 0; turn < 10; turn++) {
      const begin = performance.now();
      answers.push(await ask(name));
      const elapsed = performance.now() - begin;
      if (turn === 0) console.log(`without Redis: ${name} answered ${answers[0]} after ${elapsed.toFixed(1)} ms`);
      expect(elapsed).toBeLessThan(1000);
    }
    return [...new Set(answers)];
  }

  it('is done without: known hosts go on, others get 503 at once, and nobody has to do anything when it is back', async () => {
    const redis = await ownRedis();
    site = await hipache.ownSite({ driver: redis.url });
    client = await site.client();
    const [backend, later] = [await hipache.backend(ok('here')), await hipache.backend(ok('later'))];
    const never = hipache.host();
    await redis.cli('rpush', `frontend:${host}`, 'an identifier', backend.url);
    await redis.cli('rpush', `frontend:${never}`, 'never asked for', backend.url);
    expect(await ask()).toBe('here');
    await redis.stop();
    await eventually('Redis to be away', () => site.started.proxy.store.state === 'away');
    expect(await promptly(host)).toEqual(['here']);
    expect(await promptly(never)).toEqual(['503']);
    expect(await promptly('__ping__')).toEqual(['ok']);
    client.send(head('GET', '/', never));
    const answer = await client.response();
    expect(answer.fields.get('x-cjs-proxy-error')).toBe('store-away');
    expect(answer.fields.get('retry-after')).toMatch(/^\d+$/);

    const again = await ownRedis(redis.port);
    await again.cli('rpush', `frontend:${host}`, 'an identifier', later.url);
    await eventually('the frontend that was written anew', async () => (await ask()) === 'later', 10_000);
    expect(await ask(never)).toBe('400');
  });

  it('leaves failover at work: a refused backend is passed over, and kept out, without it', async () => {
    const redis = await ownRedis();
    site = await hipache.ownSite({ driver: redis.url, trustedProxies: ['127.0.0.1'] });
    client = await site.client();
    const [backend, dying] = [await hipache.backend(ok('here')), await hipache.backend(ok('alive'))];
    await redis.cli('rpush', `frontend:${host}`, 'an identifier', dying.url, backend.url, refusing[0]);
    expect(await ask()).toBe('alive');
    await redis.stop();
    await eventually('Redis to be away', () => site.started.proxy.store.state === 'away');
    await dying.close();
    for (let turn = 0; turn < 10; turn++) expect(await ask()).toBe('here');
    expect(site.logged.filter(({ msg }) => msg.includes('backend #0 is dead'))).toHaveLength(1);
    const stale = await site.get(host, '/', 'X-Debug: 1');
    expect(stale.fields.get('x-debug-stale')).toBe('1');
  });
});

describe('a key of the wrong type', () => {
  it.each([
    ['set', 'frontend:HOST', 'text'],
    ['hset', 'frontend:HOST', 'field', 'value'],
    ['sadd', 'frontend:HOST', 'member'],
  ])('as by `%s %s` is answered 502 at once and harms no other frontend', async (...command) => {
    const good = hipache.host();
    await site.cli('rpush', `frontend:${good}`, 'an identifier', (await hipache.backend(ok('good'))).url);
    await site.cli(...command.map((word) => word.replace('HOST', host)));
    expect(await ask()).toBe('502');
    expect(await ask(good)).toBe('good');
    await site.cli('del', `frontend:${host}`);
    expect(await ask()).toBe('400');
  });

  it('in place of a dead set costs nothing but the marks', async () => {
    await site.cli('rpush', `frontend:${host}`, 'an identifier', (await hipache.backend(ok('here'))).url);
    await site.cli('set', `dead:${host}`, 'text');
    await site.cli('set', `health:${host}`, 'text');
    expect(await ask()).toBe('here');
  });
});
