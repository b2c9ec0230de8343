// A wrong record harms only its own frontend.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { startRouting, type TestRouting } from '../helpers/routing.js';

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
  await redis.client.rpush('frontend:good.example.com', 'id', 'http://127.0.0.1:1', 'http://127.0.0.1:2');
  await redis.client.rpush('frontend:*.example.com', 'id', 'http://127.0.0.1:3');
  routing = await startRouting(redis.url);
});

async function expectNeighboursUnharmed(): Promise<void> {
  expect(await routing.find('good.example.com')).toBe('1,2');
  expect(await routing.find('other.example.com')).toBe('3');
  expect(routing.store.state).toBe('live');
}

it.each([
  ['a string', ['set', 'frontend:bad.example.com', 'x']],
  ['a hash', ['hset', 'frontend:bad.example.com', 'a', 'b']],
  ['a list of junk', ['rpush', 'frontend:bad.example.com', 'id', 'notaurl', 'ftp://x', '']],
  ['a list of bytes', ['rpush', 'frontend:bad.example.com', 'id', '\u0001\u0002']],
])('a frontend that is %s', async (_what, command) => {
  await redis.cli(...command);
  expect(await routing.find('bad.example.com')).toBe('fault');
  await expectNeighboursUnharmed();
  await routing.find('bad.example.com');
  expect(routing.logged).toEqual([expect.stringContaining('frontend:bad.example.com')]);
});

it('an identifier alone is a frontend without backends', async () => {
  await redis.cli('rpush', 'frontend:bad.example.com', 'id');
  expect(await routing.find('bad.example.com')).toBe('');
  await expectNeighboursUnharmed();
});

it('a list of 100,000 entries is cut, and nobody waits for it', async () => {
  const items = Array.from({ length: 100_000 }, (_, at) => `http://127.0.0.1:${(at % 60_000) + 1}`);
  for (let at = 0; at < items.length; at += 20_000)
    await redis.client.rpush('frontend:bad.example.com', ...items.slice(at, at + 20_000));
  const huge = routing.find('bad.example.com');
  await expectNeighboursUnharmed();
  expect((await huge).split(',')).toHaveLength(4096);
});

it.each([
  ['a string', ['set', 'dead:good.example.com', '0']],
  ['junk members', ['sadd', 'dead:good.example.com', 'undefined', 'NaN', '-1', '99', 'junk']],
])('a dead set that is %s kills nobody', async (_what, command) => {
  await redis.cli(...command);
  await expectNeighboursUnharmed();
});

/** Writes thousands of members or fields. */
async function fill(count: number, write: (from: number, to: number) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < count; at += 10_000) await write(at, Math.min(count, at + 10_000));
}
const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, at) => `m${from + at}`);

it.each([
  ['a policy of 200,000 fields', 'hash', 'route', 'fault'],
  ['200,000 marks', 'hash', 'health', '1,2'],
  ['a dead set of 200,000 members', 'set', 'dead', '1,2'],
] as const)('%s is cut, and nobody waits for it', async (_what, shape, key, served) => {
  const name = `${key}:bad.example.com`;
  await redis.client.rpush('frontend:bad.example.com', 'id', 'http://127.0.0.1:1', 'http://127.0.0.1:2');
  await fill(200_000, (from, to) => {
    const names = numbers(from, to);
    if (shape === 'set') return redis.client.sadd(name, ...names);
    return redis.client.hset(name, ...names.flatMap((field) => [field, '{"index":7,"until":9e15}']));
  });
  const [record] = await routing.store.readFrontends(['bad.example.com']);
  // A part of it is read: what one look finds.
  expect((record?.dead.length ?? 0) + (record?.marks.length ?? 0) + (record?.policy.length ?? 0)).toBeLessThan(40_000);
  expect(await routing.find('bad.example.com')).toBe(served);
  await expectNeighboursUnharmed();
});

it.each([
  ['megabytes of bytes', Buffer.alloc(1 << 20, 0xff)],
  ['a megabyte of brackets', Buffer.alloc(1 << 20, '[')],
  ['deep JSON', Buffer.from('{"a":'.repeat(100_000))],
])('a policy with %s in it is told in short lines, and harms nobody else', async (_what, junk) => {
  await redis.client.rpush('frontend:bad.example.com', 'id', 'http://127.0.0.1:1');
  await redis.client.hset('route:bad.example.com', 'strategy', junk, 'headers', junk, 'retry', junk);
  await redis.client.hset('route:bad.example.com', junk, 'x');
  expect(await routing.find('bad.example.com')).toBe('1');
  await expectNeighboursUnharmed();
  expect(routing.logged.join('').length).toBeLessThan(3_000);
});

describe.each([
  ['a policy', 'route', 'hset'],
  ['a list of backends', 'frontend', 'rpush'],
] as const)('%s with 64 MiB in one value', (_what, key, command) => {
  const sent = async (): Promise<number> => Number(/total_net_output_bytes:(\d+)/.exec(await redis.client.info('stats'))?.[1]);
  /** The 64 MiB and what else there is to say. */
  const onlyOnce = 65 << 20;

  beforeEach(async () => {
    await redis.client.rpush('frontend:bad.example.com', 'id', 'http://127.0.0.1:1');
    const huge = Buffer.alloc(64 << 20, 'x');
    await redis.client.call(command, `${key}:bad.example.com`, ...(command === 'hset' ? ['headers', huge] : [huge]));
  });

  it('is refused, and read once however often it changes', async () => {
    const patient = await startRouting(redis.url, { timeout: 20_000 });
    const before = await sent();
    expect(await patient.find('bad.example.com')).toBe('fault');
    for (let change = 0; change < 5; change++) {
      await redis.client.hset('route:bad.example.com', 'strategy', `s${change}`);
      expect(await patient.find('bad.example.com')).toBe('fault');
    }
    expect((await sent()) - before).toBeLessThan(onlyOnce);
    expect(patient.logged.filter((line) => line.includes('more than 1 MiB'))).toHaveLength(1);
    const [record] = await patient.store.readFrontends(['bad.example.com']);
    expect(JSON.stringify(record).length).toBeLessThan(1000);
    expect(await patient.find('good.example.com')).toBe('1,2');
    expect(await patient.find('other.example.com')).toBe('3');
  });

  it('that takes longer to come than a command may is not asked for again', async () => {
    const hasty = await startRouting(redis.url, { timeout: 40 });
    const before = await sent();
    expect(await hasty.find('bad.example.com')).toBe('away');
    await eventually('the connection to be there again', () => hasty.store.state === 'live', 10_000);
    await eventually('it to be refused', async () => (await hasty.find('bad.example.com')) === 'fault');
    expect((await sent()) - before).toBeLessThan(onlyOnce);
    await eventually('neighbours to be served', async () => (await hasty.find('good.example.com')) === '1,2');
  });
});

it('what was mended is served on the next request', async () => {
  await redis.cli('set', 'frontend:bad.example.com', 'x');
  expect(await routing.find('bad.example.com')).toBe('fault');
  await redis.client.multi().del('frontend:bad.example.com').rpush('frontend:bad.example.com', 'id', 'http://127.0.0.1:9').exec();
  const begin = performance.now();
  while ((await routing.find('bad.example.com')) !== '9') {
    expect(performance.now() - begin).toBeLessThan(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
});
