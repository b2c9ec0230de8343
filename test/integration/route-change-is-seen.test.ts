// A change that anybody makes in Redis is in force on the next request, within milliseconds.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { startRouting, type TestRouting } from '../helpers/routing.js';

/** On an idle machine it takes one or two milliseconds; the bound allows for a machine that is not. */
const bound = 500;

let redis: TestRedis;
let routing: TestRouting;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
});

beforeEach(async () => {
  await redis.client.flushall();
  routing = await startRouting(redis.url);
});

/** Milliseconds from now until a request for the host is answered so. */
async function untilServed(host: string, expected: string): Promise<number> {
  const begin = performance.now();
  for (;;) {
    const answer = await routing.find(host);
    const elapsed = performance.now() - begin;
    if (answer === expected) return elapsed;
    if (elapsed > 5000) throw new Error(`${host} is still ${answer} instead of ${expected}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function seen(host: string, expected: string, what: string): Promise<void> {
  const elapsed = await untilServed(host, expected);
  console.log(`${what}: in force after ${elapsed.toFixed(1)} ms`);
  expect(elapsed).toBeLessThan(bound);
}

describe('a person at redis-cli', () => {
  it('adds a frontend, backends, removes one, and the frontend', async () => {
    expect(await routing.find('example.com')).toBe('unknown');
    await redis.cli('rpush', 'frontend:example.com', 'example', 'http://127.0.0.1:3000');
    await seen('example.com', '3000', 'rpush of a new frontend');
    await redis.cli('rpush', 'frontend:example.com', 'http://127.0.0.1:3001');
    await seen('example.com', '3000,3001', 'rpush of a backend');
    await redis.cli('lrem', 'frontend:example.com', '0', 'http://127.0.0.1:3000');
    await seen('example.com', '3001', 'lrem');
    await redis.cli('del', 'frontend:example.com');
    await seen('example.com', 'unknown', 'del');
  });

  it('adds a wildcard, an exact name before it, and the catch-all after it', async () => {
    expect(await routing.find('a.example.com')).toBe('unknown');
    await redis.cli('rpush', 'frontend:*', 'all', 'http://127.0.0.1:1');
    await seen('a.example.com', '1', 'catch-all');
    await redis.cli('rpush', 'frontend:*.example.com', 'wild', 'http://127.0.0.1:2');
    await seen('a.example.com', '2', 'wildcard');
    await redis.cli('rpush', 'frontend:a.example.com', 'exact', 'http://127.0.0.1:3');
    await seen('a.example.com', '3', 'exact name');
    await redis.cli('del', 'frontend:a.example.com', 'frontend:*.example.com');
    await seen('a.example.com', '1', 'del of both');
  });

  it('marks a backend dead and revives it', async () => {
    await redis.cli('rpush', 'frontend:example.com', 'example', 'http://127.0.0.1:1', 'http://127.0.0.1:2');
    expect(await routing.find('example.com')).toBe('1,2');
    await redis.cli('sadd', 'dead:example.com', '1');
    await seen('example.com', '1,!2', 'sadd of an index');
    await redis.cli('srem', 'dead:example.com', '1');
    await seen('example.com', '1,2', 'srem');
    await redis.cli('sadd', 'dead:example.com', 'http://127.0.0.1:1');
    await seen('example.com', '!1,2', 'sadd of an entry');
    await redis.cli('del', 'dead:example.com');
    await seen('example.com', '1,2', 'del of the dead set');
  });

  it('marks a backend dead for a host of a wildcard', async () => {
    await redis.cli('rpush', 'frontend:*.example.com', 'wild', 'http://127.0.0.1:1', 'http://127.0.0.1:2');
    expect(await routing.find('a.example.com')).toBe('1,2');
    expect(await routing.find('b.example.com')).toBe('1,2');
    await redis.cli('sadd', 'dead:a.example.com', '0');
    await seen('a.example.com', '!1,2', 'sadd for the host');
    expect(await routing.find('b.example.com')).toBe('1,2');
    await redis.cli('sadd', 'dead:*.example.com', '1');
    await seen('b.example.com', '1,!2', 'sadd for the wildcard');
  });

  it('lets a dead set expire', async () => {
    await redis.cli('rpush', 'frontend:example.com', 'example', 'http://127.0.0.1:1', 'http://127.0.0.1:2');
    await redis.cli('sadd', 'dead:example.com', '0');
    await redis.cli('pexpire', 'dead:example.com', '300');
    const begin = performance.now();
    await untilServed('example.com', '!1,2');
    const elapsed = (await untilServed('example.com', '1,2')) + 0;
    const late = performance.now() - begin - 300;
    console.log(`expiry of a dead set: in force ${late.toFixed(1)} ms after it (waited ${elapsed.toFixed(0)} ms)`);
    expect(late).toBeLessThan(bound);
  });

  it('lets a frontend expire, also among many keys that do', async () => {
    const many = redis.client.pipeline();
    for (let at = 0; at < 5000; at += 1) many.set(`other:${at}`, '', 'PX', 350);
    await many.exec();
    await redis.cli('rpush', 'frontend:example.com', 'example', 'http://127.0.0.1:1');
    await redis.client.pexpire('frontend:example.com', 300);
    const begin = performance.now();
    expect(await routing.find('example.com')).toBe('1');
    await untilServed('example.com', 'unknown');
    const late = performance.now() - begin - 300;
    console.log(`expiry of a frontend: in force ${late.toFixed(1)} ms after it`);
    expect(late).toBeLessThan(bound);
  });

  it('takes an expiry back', async () => {
    await redis.cli('rpush', 'frontend:example.com', 'example', 'http://127.0.0.1:1');
    await redis.client.pexpire('frontend:example.com', 200);
    expect(await routing.find('example.com')).toBe('1');
    await redis.cli('persist', 'frontend:example.com');
    const begin = performance.now();
    while (performance.now() - begin < 300) {
      expect(await routing.find('example.com')).toBe('1');
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it.each(['flushall', 'flushdb'])('runs %s', async (command) => {
    await redis.cli('rpush', 'frontend:example.com', 'example', 'http://127.0.0.1:1');
    expect(await routing.find('example.com')).toBe('1');
    await redis.cli(command);
    await seen('example.com', 'unknown', command);
  });

  it('renames, copies, writes in a transaction and in a script', async () => {
    await redis.cli('rpush', 'frontend:old.com', 'example', 'http://127.0.0.1:1');
    expect(await routing.find('old.com')).toBe('1');
    expect(await routing.find('new.com')).toBe('unknown');
    await redis.cli('rename', 'frontend:old.com', 'frontend:new.com');
    await seen('new.com', '1', 'rename, new name');
    await seen('old.com', 'unknown', 'rename, old name');
    await redis.client.multi().del('frontend:new.com').rpush('frontend:new.com', 'id', 'http://127.0.0.1:2').exec();
    await seen('new.com', '2', 'transaction');
    await redis.cli('eval', "return redis.call('rpush', KEYS[1], ARGV[1])", '1', 'frontend:new.com', 'http://127.0.0.1:3');
    await seen('new.com', '2,3', 'script');
  });
});

it('writes in a row are all seen, in a millisecond or two each', async () => {
  const times: number[] = [];
  for (let port = 1; port <= 200; port += 1) {
    await redis.client.multi().del('frontend:example.com').rpush('frontend:example.com', 'id', `http://127.0.0.1:${port}`).exec();
    times.push(await untilServed('example.com', String(port)));
  }
  times.sort((a, b) => a - b);
  console.log(`200 writes: in force after ${times[100]!.toFixed(2)} ms (p50), ${times[197]!.toFixed(2)} ms (p99)`);
  expect(times[100]).toBeLessThan(bound / 5);
});

it('a write that races with reads never leaves the old value behind', async () => {
  for (let round = 0; round < 300; round += 1) {
    const write = redis.client
      .multi()
      .del('frontend:race.com')
      .rpush('frontend:race.com', 'id', `http://127.0.0.1:${round + 1}`)
      .exec();
    await Promise.all([write, ...Array.from({ length: 5 }, () => routing.find('race.com'))]);
    await untilServed('race.com', String(round + 1));
  }
});

it('changes under a prefix are seen, and others are not', async () => {
  const prefixed = await startRouting(`${redis.url}/2#p1:`);
  expect(await prefixed.find('example.com')).toBe('unknown');
  const misses = prefixed.cache.misses;
  await redis.cli('-n', '2', 'rpush', 'frontend:example.com', 'id', 'http://127.0.0.1:1');
  await redis.cli('-n', '2', 'rpush', 'p1:frontend:other.com', 'id', 'http://127.0.0.1:1');
  expect(await prefixed.find('example.com')).toBe('unknown');
  expect(prefixed.cache.misses).toBe(misses);
  await redis.cli('-n', '2', 'rpush', 'p1:frontend:example.com', 'id', 'http://127.0.0.1:2');
  routing = prefixed;
  await seen('example.com', '2', 'rpush under a prefix');
});

it('a request from memory sends Redis nothing', async () => {
  await redis.cli('rpush', 'frontend:example.com', 'example', 'http://127.0.0.1:1');
  await redis.cli('rpush', 'frontend:*.example.com', 'example', 'http://127.0.0.1:1');
  const hosts = ['example.com', 'EXAMPLE.com', 'a.example.com', 'b.example.com:8080', 'unknown.org'];
  for (const host of hosts) await routing.find(host);
  await redis.client.config('RESETSTAT');
  for (let round = 0; round < 2000; round += 1) {
    for (const host of hosts) expect(routing.cache.find(host)).not.toBeInstanceOf(Promise);
  }
  const commands = (await redis.client.info('commandstats')).match(/cmdstat_[a-z|]+/g) ?? [];
  // The heartbeat of the connections goes on; nothing else does.
  expect(commands.filter((command) => !/cmdstat_(ping|config|info)/.test(command))).toEqual([]);
});
