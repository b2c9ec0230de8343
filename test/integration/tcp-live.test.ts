import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.js';
import { connectClient } from '../helpers/raw-client.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import {
  isServed,
  named,
  type StartedStreams,
  served,
  startStreams,
  startTarget,
  type TestTarget,
  turnedAway,
} from '../helpers/streams.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function target(...args: Parameters<typeof startTarget>): Promise<TestTarget> {
  const started = await startTarget(...args);
  open.push(started);
  return started;
}

async function streams(...args: Parameters<typeof startStreams>): Promise<StartedStreams> {
  const started = await startStreams(...args);
  open.push(started);
  return started;
}

async function redisServer(): Promise<TestRedis> {
  const redis = await startRedis();
  open.push({ close: () => redis.stop() });
  return redis;
}

async function heard(port: number): Promise<string> {
  const client = await connectClient(port);
  const { bytes } = await client.queue.rest();
  client.close();
  return bytes.toString();
}

describe('TCP streams that change while they run', () => {
  it('goes to the targets of the list as soon as it changes, and lets running connections go on', async () => {
    const redis = await redisServer();
    const [own, one, two] = [await target(named('own')), await target(), await target(named('two'))];
    const { port } = await streams({ settings: { driver: redis.url }, streams: [{ name: 'db', targets: [own.url] }] });
    expect(await heard(port())).toBe('own');
    await redis.cli('rpush', 'stream:db:targets', one.url);
    const client = await eventually('the list', async () => {
      const started = await connectClient(port());
      started.send('x');
      return (await started.queue.take(1)).toString() === 'x' ? started : false;
    });
    await redis.cli('rpush', 'stream:db:targets', two.url);
    await redis.cli('lrem', 'stream:db:targets', '1', one.url);
    await eventually('the change', async () => (await heard(port())) === 'two');
    client.send('still there');
    expect((await client.queue.take(11)).toString()).toBe('still there');
    client.close();
    await redis.cli('del', 'stream:db:targets');
    await eventually('the targets of the configuration', async () => (await heard(port())) === 'own');
  });

  it('takes settings from the hash at once', async () => {
    const redis = await redisServer();
    const echo = await target();
    const { port } = await streams({ settings: { driver: redis.url }, streams: [{ name: 'db', targets: [echo.url] }] });
    const first = await served(port());
    await redis.cli('hset', 'stream:db', 'maxConnections', '1');
    await eventually('the limit', async () => !(await isServed(port())));
    first.close();
  });

  it('says in one line each what is wrong with the records, goes on with what is right, and says it again after it was mended', async () => {
    const redis = await redisServer();
    const echo = await target(named('echo'));
    await redis.cli('hset', 'stream:db', 'mode', 'fast', 'framing', 'lines', 'maxConections', '5', 'inactivityTimeout', '1m');
    await redis.cli('rpush', 'stream:db:targets', 'http://127.0.0.1:80', echo.url, '127.0.0.1');
    const started = await streams({ settings: { driver: redis.url }, streams: [{ name: 'db' }] });
    expect(await heard(started.port())).toBe('echo');
    const faults = (): string[] => started.lines.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
    const forms = 'write tcp://host:port, tls://host:port, host:port or unix:/path';
    expect(faults().sort()).toEqual([
      expect.stringContaining('stream:db: framing is "lines"; allowed: "chunk", "line", "resp"'),
      'stream:db: maxConections is not a known field; the nearest known one is maxConnections',
      'stream:db: mode is "fast"; allowed: "proxy", "fifo", "funnel", "l4", "auto"',
      `stream:db:targets: target 0 has the scheme http; ${forms}`,
      `stream:db:targets: target 2 has neither a scheme nor a port; ${forms}`,
    ]);
    await redis.cli('hdel', 'stream:db', 'mode');
    await redis.cli('hset', 'stream:db', 'mode', 'slow');
    await eventually('the new fault', () => faults().some((line) => line.includes('"slow"')));
    expect(faults()).toHaveLength(6);
    await redis.cli('set', 'stream:db:targets', 'text');
    await eventually('the wrong type', () =>
      faults().some((line) => line.startsWith('stream:db:targets: ') && line.includes('no target')),
    );
    expect(await turnedAway(started.port())).toBe(0);
  });

  it('serves the configured targets while Redis is away, and the list once it is there', async () => {
    const redis = await redisServer();
    const { port: redisPort } = redis;
    const [own, listed] = [await target(named('own')), await target(named('listed'))];
    await redis.stop();
    const { port } = await streams({
      settings: { driver: `redis://127.0.0.1:${redisPort}` },
      streams: [{ name: 'db', targets: [own.url] }],
    });
    expect(await heard(port())).toBe('own');
    const again = await startRedis({ port: redisPort });
    open.push({ close: () => again.stop() });
    await again.cli('rpush', 'stream:db:targets', listed.url);
    await eventually('the list', async () => (await heard(port())) === 'listed', 8_000);
  });
});
