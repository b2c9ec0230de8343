import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { parseDriverUrl, type RedisUrl } from '../../src/config/driver-url.js';
import { RedisLimiter } from '../../src/limits/redis-limiter.js';
import { RedisStore } from '../../src/store/redis-store.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { describeLimiter } from './limiter.contract.js';

let redis: TestRedis;
let store: RedisStore;
const window = { name: 'gold', points: 10, duration: 60 };

beforeAll(async () => {
  redis = await startRedis();
  const url = parseDriverUrl(`${redis.url}#site:`) as RedisUrl;
  store = new RedisStore({ read: url, write: url, timeout: 1_000, log: () => undefined });
  await store.start({ changed: () => undefined, everythingChanged: () => undefined });
});

beforeEach(() => redis.client.flushall());

afterAll(async () => {
  await store.close();
  await redis.stop();
});

describeLimiter({ name: 'redis', create: (made) => new RedisLimiter(made, store.counters) });

it('limiters of two nodes count together, under the key and the prefix that are documented, until the window ends', async () => {
  const [one, other] = [new RedisLimiter(window, store.counters), new RedisLimiter(window, store.counters)];
  await one.spend('203.0.113.7', 7, 60);
  expect(await other.take('203.0.113.7', 4, 60)).toMatchObject({ taken: false, spent: 7 });
  expect(await other.take('203.0.113.7', 3, 60)).toMatchObject({ taken: true, spent: 10 });
  expect(await redis.client.keys('*')).toEqual(['site:limit:gold:203.0.113.7']);
  expect(await redis.client.get('site:limit:gold:203.0.113.7')).toBe('10');
  expect(await redis.client.pttl('site:limit:gold:203.0.113.7')).toBeLessThanOrEqual(60_000);
});

it('a counter that was written by hand without an end gets one', async () => {
  const limiter = new RedisLimiter(window, store.counters);
  await redis.client.set('site:limit:gold:a', 10);
  expect((await limiter.take('a', 1, 60)).taken).toBe(false);
  expect(await redis.client.ttl('site:limit:gold:a')).toBeGreaterThan(0);
});

it('a Redis that has forgotten the scripts is sent them again', async () => {
  const limiter = new RedisLimiter(window, store.counters);
  await limiter.take('a', 1, 60);
  await redis.client.script('FLUSH');
  expect((await limiter.take('a', 1, 60)).spent).toBe(2);
});

it.each(['rpush', 'set'])('junk in a counter (%s) is an error of that counter alone', async (command) => {
  const limiter = new RedisLimiter(window, store.counters);
  await redis.client.call(command, 'site:limit:gold:a', 'junk');
  await expect(limiter.take('a', 1, 60)).rejects.toThrow('counting for a limit in Redis failed');
  await expect(limiter.spend('a', 1, 60)).rejects.toThrow('counting for a limit in Redis failed');
  expect((await limiter.take('b', 1, 60)).taken).toBe(true);
});

it('junk in a counter harms none of those that are asked for with it', async () => {
  const limiter = new RedisLimiter(window, store.counters);
  await redis.client.rpush('site:limit:gold:a', 'junk');
  const asked = await Promise.allSettled(['b', 'a', 'c'].map((key) => limiter.take(key, 2, 60)));
  expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await redis.client.mget('site:limit:gold:b', 'site:limit:gold:c')).toEqual(['2', '2']);
});

it('what is asked for at the same time is one command for 128 clients, and each has its own answer', async () => {
  const limiter = new RedisLimiter(window, store.counters);
  await limiter.spend('0', 1, 60);
  await redis.client.config('RESETSTAT');
  const keys = Array.from({ length: 300 }, (_, at) => String(at));
  const counts = await Promise.all(keys.map((key, at) => limiter.spend(key, 1 + (at % 7), 30 + at)));
  expect(counts.map(({ spent }) => spent)).toEqual(keys.map((_, at) => 1 + (at % 7) + (at === 0 ? 1 : 0)));
  expect(counts.every(({ left }, at) => left > 1_000 * (29 + at) && left <= Math.max(60_000, 1_000 * (30 + at)))).toBe(true);
  expect(await redis.client.info('commandstats')).toContain('cmdstat_evalsha:calls=3,');
});

it('what is told in one turn of the event loop and the next ones goes as one command, and at once when somebody waits for an answer', async () => {
  const limiter = new RedisLimiter(window, store.counters);
  await limiter.spend('0', 1, 60);
  await limiter.take('0', 1, 60);
  await redis.client.config('RESETSTAT');
  const told: Promise<unknown>[] = [];
  for (let turn = 0; turn < 3; turn++) {
    told.push(limiter.spend(String(turn), 1, 60));
    await new Promise((resolve) => setImmediate(resolve));
  }
  // Somebody who waits sends all of it, in the order in which it was asked for.
  expect((await limiter.take('1', 1, 60)).spent).toBe(2);
  await Promise.all(told);
  expect(await redis.client.info('commandstats')).toContain('cmdstat_evalsha:calls=2,');
});
