// Redis goes away and comes back: known hosts go on being served, unknown ones are told at once, nobody has to do anything.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { startRouting, type TestRouting } from '../helpers/routing.js';

async function redisForTest(options: Parameters<typeof startRedis>[0] = {}): Promise<TestRedis> {
  const redis = await startRedis(options);
  onTestFinished(() => redis.stop());
  return redis;
}

async function until(routing: TestRouting, state: string): Promise<void> {
  await vi.waitFor(() => expect(routing.store.state).toBe(state), { interval: 5, timeout: 10_000 });
}

/** The longest time that a request for the host took, of some in a row. */
async function slowest(routing: TestRouting, host: string, expected: string): Promise<number> {
  let longest = 0;
  for (let round = 0; round < 100; round += 1) {
    const begin = performance.now();
    expect(await routing.find(host)).toBe(expected);
    longest = Math.max(longest, performance.now() - begin);
  }
  return longest;
}

describe('a Redis that was killed', () => {
  it('is done without, and picked up again with what it then holds', async () => {
    const redis = await redisForTest();
    await redis.client.rpush('frontend:known.com', 'id', 'http://127.0.0.1:1');
    const routing = await startRouting(redis.url);
    expect(await routing.find('known.com')).toBe('1');
    expect(await routing.find('seen-without-frontend.com')).toBe('unknown');
    await redis.stop();
    await until(routing, 'away');
    expect(await slowest(routing, 'known.com', '1')).toBeLessThan(400);
    expect(await slowest(routing, 'never-seen.com', 'away')).toBeLessThan(400);
    expect(await slowest(routing, 'seen-without-frontend.com', 'away')).toBeLessThan(400);
    expect(routing.cache.stale).toBe(true);

    const again = await redisForTest({ port: redis.port });
    await again.client.rpush('frontend:known.com', 'id', 'http://127.0.0.1:2');
    await again.client.rpush('frontend:never-seen.com', 'id', 'http://127.0.0.1:3');
    await until(routing, 'live');
    expect(await routing.find('known.com')).toBe('2');
    expect(await routing.find('never-seen.com')).toBe('3');
    expect(routing.cache.stale).toBe(false);
    await again.client.rpush('frontend:known.com', 'http://127.0.0.1:4');
    await vi.waitFor(async () => expect(await routing.find('known.com')).toBe('2,4'), { interval: 1, timeout: 1000 });
    // Whoever connects before the first record is written finds it empty, and says so.
    expect(routing.logged.filter((line) => !line.includes('is EMPTY'))).toEqual([
      expect.stringMatching(/^warn: Redis at 127\.0\.0\.1:\d+ \(read side\) is away: .*; trying again$/),
      expect.stringMatching(/^info: Redis at 127\.0\.0\.1:\d+ \(read side\) is back after \d+ s$/),
    ]);
  });

  it('that comes back empty makes its hosts unknown', async () => {
    const redis = await redisForTest();
    await redis.client.rpush('frontend:known.com', 'id', 'http://127.0.0.1:1');
    const routing = await startRouting(redis.url);
    expect(await routing.find('known.com')).toBe('1');
    await redis.stop();
    await until(routing, 'away');
    await redisForTest({ port: redis.port });
    await until(routing, 'live');
    expect(await routing.find('known.com')).toBe('unknown');
  });
});

describe('a Redis that hangs', () => {
  it('is noticed by the heartbeat; until then and after it known hosts are served without a wait', async () => {
    const redis = await redisForTest();
    await redis.client.rpush('frontend:known.com', 'id', 'http://127.0.0.1:1');
    const routing = await startRouting(redis.url, { timeout: 500 });
    expect(await routing.find('known.com')).toBe('1');
    redis.pause();
    let longest = 0;
    await vi.waitFor(
      async () => {
        longest = Math.max(longest, await slowest(routing, 'known.com', '1'));
        expect(routing.store.state).toBe('away');
      },
      { interval: 5, timeout: 10_000 },
    );
    expect(longest).toBeLessThan(400);
    expect(await slowest(routing, 'never-seen.com', 'away')).toBeLessThan(400);
    redis.resume();
    await until(routing, 'live');
    expect(await routing.find('never-seen.com')).toBe('unknown');
  });
});

describe('a connection that is cut', () => {
  it('for tracking is armed again, and changes made in between are not missed', async () => {
    const redis = await redisForTest();
    await redis.client.rpush('frontend:known.com', 'id', 'http://127.0.0.1:1');
    const routing = await startRouting(redis.url);
    for (let port = 2; port < 7; port += 1) {
      await routing.find('known.com');
      const id = /id=(\d+)[^\n]*name=cjs-proxy-tracking/.exec(String(await redis.client.client('LIST')))![1]!;
      await redis.client
        .multi()
        .client('KILL', 'ID', Number(id))
        .lset('frontend:known.com', 1, `http://127.0.0.1:${port}`)
        .exec();
      await vi.waitFor(async () => expect(await routing.find('known.com')).toBe(String(port)), { interval: 1, timeout: 5000 });
      await until(routing, 'live');
    }
  });

  it('for reading is made again, while known hosts are served', async () => {
    const redis = await redisForTest();
    await redis.client.rpush('frontend:known.com', 'id', 'http://127.0.0.1:1');
    const routing = await startRouting(redis.url);
    await routing.find('known.com');
    const id = /id=(\d+)[^\n]*name=cjs-proxy-read/.exec(String(await redis.client.client('LIST')))![1]!;
    await redis.client.client('KILL', 'ID', Number(id));
    await until(routing, 'away');
    expect(await routing.find('known.com')).toBe('1');
    await until(routing, 'live');
    expect(await routing.find('other.com')).toBe('unknown');
  });
});

describe('a Redis that tells no changes', () => {
  async function accountWithout(redis: TestRedis, ...rules: string[]): Promise<string> {
    await redis.client.call('ACL', 'SETUSER', 'proxy', 'reset', 'on', '>pw', '~*', '&*', '+@all', ...rules);
    return `redis://proxy:pw@127.0.0.1:${redis.port}`;
  }

  it.each([
    ['because CLIENT TRACKING is forbidden', ['-client|tracking'], 'refuses CLIENT TRACKING'],
    ['because the channel is forbidden', ['resetchannels', '&dead'], 'refuses CLIENT TRACKING'],
  ])('%s is polled: changes are in force within a second or so', async (_why, rules, text) => {
    const redis = await redisForTest();
    const routing = await startRouting(await accountWithout(redis, ...rules));
    expect(routing.store.state).toBe('polling');
    expect(await routing.find('example.com')).toBe('unknown');
    await redis.client.rpush('frontend:example.com', 'id', 'http://127.0.0.1:1');
    const begin = performance.now();
    await vi.waitFor(async () => expect(await routing.find('example.com')).toBe('1'), { interval: 5, timeout: 5000 });
    expect(performance.now() - begin).toBeLessThan(2000);
    expect(routing.logged).toEqual([expect.stringContaining(text)]);
  });

  it('still shows what this node wrote itself at once', async () => {
    const redis = await redisForTest();
    const routing = await startRouting(await accountWithout(redis, '-client|tracking'));
    expect(await routing.find('example.com')).toBe('unknown');
    await routing.store.writeFrontend('example.com', 'id', ['http://127.0.0.1:1']);
    expect(await routing.find('example.com')).toBe('1');
  });

  it('is asked at most once a second for a host that is busy', async () => {
    const redis = await redisForTest();
    const routing = await startRouting(await accountWithout(redis, '-client|tracking'));
    await routing.find('example.com');
    const before = routing.cache.reader.reads;
    const begin = performance.now();
    while (performance.now() - begin < 1500) {
      await routing.find('example.com');
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(routing.cache.reader.reads - before).toBeLessThanOrEqual(2);
  });

  it('though it accepts CLIENT TRACKING is found out by a probe', async () => {
    // A write side that the read side never hears of: what is written there is told by nobody.
    const [readSide, writeSide] = [await redisForTest(), await redisForTest()];
    const routing = await startRouting(readSide.url, { writeUrl: writeSide.url });
    expect(routing.store.state).toBe('polling');
    expect(routing.logged).toEqual([expect.stringContaining('sends no invalidations')]);
  });

  it('without the right to write a probe is taken at its word', async () => {
    const redis = await redisForTest();
    const routing = await startRouting(await accountWithout(redis, '-set'));
    expect(routing.store.state).toBe('live');
    expect(await routing.find('example.com')).toBe('unknown');
    await redis.client.rpush('frontend:example.com', 'id', 'http://127.0.0.1:1');
    await vi.waitFor(async () => expect(await routing.find('example.com')).toBe('1'), { interval: 1, timeout: 500 });
  });
});

it('a replica tells the changes that it receives', async () => {
  const primary = await redisForTest();
  const replica = await redisForTest({ args: ['--replicaof', `127.0.0.1 ${primary.port}`] });
  await vi.waitFor(async () => expect(await replica.client.info('replication')).toContain('master_link_status:up'), {
    interval: 20,
    timeout: 10_000,
  });
  const routing = await startRouting(replica.url);
  expect(routing.store.state).toBe('live');
  expect(await routing.find('example.com')).toBe('unknown');
  await primary.client.rpush('frontend:example.com', 'id', 'http://127.0.0.1:1');
  await vi.waitFor(async () => expect(await routing.find('example.com')).toBe('1'), { interval: 1, timeout: 2000 });
});
