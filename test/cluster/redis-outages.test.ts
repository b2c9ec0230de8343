// Redis fails in the ways that it fails in: whoever asks for what is known must not notice, and whoever asks for more is told at once.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseDriverUrl } from '../../src/config/driver-url.js';
import { RedisStore } from '../../src/store/redis-store.js';
import { startCutWire } from '../helpers/cut-wire.js';
import { eventually } from '../helpers/eventually.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { halfHost, knownHost, type Outage, startOutage } from '../helpers/redis-outage.js';

/** Requests of the clients that an outage lasts at least. */
const long = 200;

/** What must hold while Redis cannot be reached. */
async function expectServedWithoutRedis(outage: Outage): Promise<void> {
  await outage.until('away');
  expect(await outage.ask(knownHost)).toMatchObject({ status: 200, stale: true });
  for (let at = 0; at < 20; at += 1) {
    const { status, took } = await outage.ask(`unknown-${at}.example`);
    expect(status).toBe(503);
    // A read that waited for the server would take its 400 ms.
    expect(took).toBeLessThan(300);
  }
  await outage.killBackend();
  for (let at = 0; at < 10; at += 1) expect((await outage.ask(halfHost)).status).toBe(200);
  await eventually('the line of the mark', () => outage.logged('stays in this worker alone').length > 0);
  expect(outage.logged('is dead (ECONNREFUSED)')).toHaveLength(1);
  await outage.goOn(long);
  expect((await outage.ask(knownHost)).status).toBe(200);
}

/** The log has one line for the beginning and, once Redis is there again, one for the end. */
async function expectLogged(outage: Outage): Promise<void> {
  expect(outage.logged('(read side) is away')).toHaveLength(1);
  await outage.until('live');
  await eventually('the line of the end', () => outage.logged('is back after').length === 1);
  await eventually('fresh answers', async () => !(await outage.ask(knownHost)).stale);
}

describe('known hosts are served without a failure, dead backends kept out, unknown hosts told at once', () => {
  it('when Redis is killed and started again with what it held', async () => {
    const outage = await startOutage();
    await outage.redis.stop();
    await expectServedWithoutRedis(outage);
    const again = await startRedis({ port: outage.redis.port });
    onTestFinished(() => again.stop());
    // Between the start and the first record it is an empty one: nobody connects that soon, and `emptyMeans` is tried elsewhere.
    await outage.write(again);
    await expectLogged(outage);
    expect(await outage.end('killed')).toEqual([]);
  });

  it('when Redis is frozen', async () => {
    const outage = await startOutage({ settings: { timeout: 2000 } });
    outage.redis.pause();
    // Nobody has noticed yet, and nobody waits for the 2000 ms that a command may take.
    const first = await outage.ask('unknown.example');
    expect(first).toMatchObject({ status: 503, code: 'store-late', retryAfter: '1' });
    expect(first.took).toBeLessThan(1000);
    expect(outage.proxy.store.state).toBe('live');
    expect(await outage.ask(knownHost)).toMatchObject({ status: 200, stale: false });
    await expectServedWithoutRedis(outage);
    outage.redis.resume();
    await expectLogged(outage);
    expect(await outage.end('frozen')).toEqual([]);
  });

  it('when Redis is frozen and told no changes before, so that known hosts are about to be read again', async () => {
    const outage = await startOutage({ driver: withoutTracking, settings: { timeout: 2000 } });
    expect(outage.proxy.store.state).toBe('polling');
    outage.redis.pause();
    await expectServedWithoutRedis(outage);
    outage.redis.resume();
    await outage.until('polling');
    expect(await outage.end('frozen, polled')).toEqual([]);
    // Nobody waited for the 2000 ms that a command may take.
    expect(Math.max(...outage.load.latencies)).toBeLessThan(1000);
  });

  it('when the network swallows what is sent to Redis', async () => {
    const wire = await startCutWire();
    onTestFinished(() => wire.close());
    const outage = await startOutage({ driver: (redis) => wire.to(redis.port) });
    wire.cut();
    await expectServedWithoutRedis(outage);
    wire.mend();
    await expectLogged(outage);
    expect(await outage.end('cut off')).toEqual([]);
  });
});

describe('what Redis has lost', () => {
  it('is lost at once when it is flushed, and served again as soon as it is written', async () => {
    const outage = await startOutage();
    await outage.load.stop();
    await outage.redis.client.flushall();
    await eventually('the known host to be unknown', async () => (await outage.ask(knownHost)).status !== 200);
    await outage.write(outage.redis);
    await eventually('the known host to be served', async () => (await outage.ask(knownHost)).status === 200);
    expect(await outage.end('flushed')).toEqual([]);
  });
});

describe('a Redis that is suddenly empty, where that is not trusted', () => {
  it.each<[string, Parameters<typeof startOutage>[0]]>([
    ['flushed', {}],
    ['flushed while it told no changes', { driver: withoutTracking }],
  ])('because it was %s, goes on being served from memory until a frontend is written', async (what, options) => {
    const outage = await startOutage({ ...options, settings: { emptyMeans: 'keep' } });
    const { state } = outage.proxy.store;
    await outage.redis.client.flushall();
    await outage.until('away');
    expect(outage.logged('error: Redis at')).toEqual([
      expect.stringContaining('is EMPTY, though it held frontends: the last known'),
    ]);
    expect(await outage.ask(knownHost)).toMatchObject({ status: 200, stale: true });
    expect((await outage.ask('unknown.example')).status).toBe(503);
    // Certificates, tiers and accounts go on as they last were too: whoever holds them is refused, and told why.
    await expect(outage.proxy.store.readRecord('tier', 'free')).rejects.toThrow('is empty, and redis.emptyMeans is "keep"');
    await outage.goOn(long);
    await outage.write(outage.redis);
    await outage.until(state);
    await eventually('a fresh answer', async () => !(await outage.ask(knownHost)).stale);
    expect((await outage.ask('unknown.example')).status).toBeLessThan(500);
    expect(outage.logged('holds frontends again')).toHaveLength(1);
    expect(await outage.end(`${what}, kept`)).toEqual([]);
  });

  it('because it was started again without its data, goes on being served, although the node itself writes there', async () => {
    const outage = await startOutage({ settings: { emptyMeans: 'keep' } });
    await outage.redis.stop();
    await outage.until('away');
    const again = await startRedis({ port: outage.redis.port });
    onTestFinished(() => again.stop());
    await eventually('the line', () => outage.logged('is EMPTY').length === 1, 10_000);
    await again.client.set('node:other', 'a heartbeat, say');
    await outage.goOn(long);
    expect(outage.proxy.store.state).toBe('away');
    await outage.write(again);
    await outage.until('live');
    expect(await outage.end('started empty, kept')).toEqual([]);
  });
});

it('what is read right after a flush is not believed, although the flush is told later: where an empty Redis is not trusted', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  await redis.client.rpush('frontend:known.example', 'known', 'http://127.0.0.1:1');
  const late = await startLateInvalidations(redis.port);
  onTestFinished(() => late.close());
  const url = parseDriverUrl(`redis://127.0.0.1:${late.port}`);
  if (url.kind !== 'redis') throw new Error('no Redis URL');
  const store = new RedisStore({ read: url, write: url, timeout: 2000, emptyMeans: 'keep', log: () => undefined });
  onTestFinished(() => store.close());
  await store.start({ changed: () => undefined, everythingChanged: () => undefined });
  expect(store.state).toBe('live');
  expect((await store.readFrontends(['known.example']))[0]?.list).toHaveLength(2);
  await redis.client.flushall();
  await expect(store.readFrontends(['never-asked.example'])).rejects.toThrow('is empty');
  await expect(store.readRecord('patterns', '')).rejects.toThrow('is empty');
});

it('where changes are polled for, nothing is doubted that a Redis which hangs could not tell anew', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const url = parseDriverUrl(await withoutTracking(redis));
  if (url.kind !== 'redis') throw new Error('no Redis URL');
  const store = new RedisStore({ read: url, write: url, timeout: 2500, log: () => undefined });
  onTestFinished(() => store.close());
  const told: string[] = [];
  await store.start({ changed: () => undefined, everythingChanged: () => void told.push(store.state) });
  const begun = told.length;
  await eventually('a poll', () => told.length > begun);
  redis.pause();
  const before = told.length;
  await eventually('the silence to be noticed', () => store.state === 'away', 10_000);
  await eventually('everything to be doubted', () => told.length > before);
  expect(new Set(told.slice(before))).toEqual(new Set(['away']));
});

/** A way to a Redis on which what the connection that tells changes says comes a moment later. */
async function startLateInvalidations(behind: number): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const real = connect(behind, '127.0.0.1');
    for (const socket of [client, real]) sockets.add(socket.on('error', () => undefined));
    let delay = 0;
    client.on('data', (bytes) => {
      if (/\r\ntracking\r\n/i.test(bytes.toString('latin1'))) delay = 150;
      real.write(bytes);
    });
    real.on('data', (bytes) => {
      if (delay === 0) client.write(bytes);
      else setTimeout(() => client.write(bytes), delay);
    });
    client.on('close', () => real.destroy());
    real.on('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

it('a Redis that is suddenly empty, where that is trusted, is told of once', async () => {
  const outage = await startOutage();
  await outage.load.stop();
  await outage.redis.client.flushall();
  await eventually('the line', () => outage.logged('no host is known any more').length === 1);
  // Who removes the last frontend by hand means it.
  await outage.write(outage.redis);
  await eventually('the known host to be served', async () => (await outage.ask(knownHost)).status === 200);
  await outage.redis.client.del(`frontend:${knownHost}`, `frontend:${halfHost}`);
  await eventually('the known host to be unknown', async () => (await outage.ask(knownHost)).status !== 200);
  expect(outage.logged('is EMPTY')).toHaveLength(1);
  expect(await outage.end('flushed, trusted')).toEqual([]);
});

describe('a Redis that may be read only', () => {
  it.each<[string, (redis: TestRedis) => Promise<unknown>, (redis: TestRedis) => Promise<unknown>]>([
    [
      'because it follows a server that is gone',
      (redis) => redis.cli('REPLICAOF', '127.0.0.1', '1'),
      (redis) => redis.cli('REPLICAOF', 'NO', 'ONE'),
    ],
    [
      'because its memory is used up',
      (redis) => redis.cli('CONFIG', 'SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction'),
      (redis) => redis.cli('CONFIG', 'SET', 'maxmemory', '0'),
    ],
    [
      'because it cannot write its disk',
      (redis) => redis.cli('CONFIG', 'SET', 'min-replicas-to-write', '1'),
      (redis) => redis.cli('CONFIG', 'SET', 'min-replicas-to-write', '0'),
    ],
  ])('%s is read from, and dead backends are kept out by this worker', async (why, begin, finish) => {
    const outage = await startOutage();
    await begin(outage.redis);
    await outage.killBackend();
    for (let at = 0; at < 10; at += 1) expect((await outage.ask(halfHost)).status).toBe(200);
    await eventually('the line of the mark', () => outage.logged('stays in this worker alone').length > 0);
    // Marked once: all further requests know it.
    expect(outage.logged('is dead (ECONNREFUSED)')).toHaveLength(1);
    expect(await outage.redis.cli('EXISTS', `dead:${halfHost}`)).toBe('0');
    // Not known before, and read all the same.
    expect((await outage.ask('unknown.example')).status).toBeLessThan(500);
    await outage.goOn(40);
    expect(outage.proxy.store.state).toBe('live');
    await finish(outage.redis);
    await outage.redis.client.rpush('frontend:late.example', 'late', 'http://127.0.0.1:1');
    await eventually('changes to be told', async () => (await outage.ask('late.example')).status === 502);
    expect(await outage.end(`read only ${why}`)).toEqual([]);
  });
});

async function withoutTracking(redis: TestRedis): Promise<string> {
  await redis.client.call('ACL', 'SETUSER', 'proxy', 'reset', 'on', '>pw', '~*', '&*', '+@all', '-client|tracking');
  return `redis://proxy:pw@127.0.0.1:${redis.port}`;
}
