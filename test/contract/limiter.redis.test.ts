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
