// A node that starts while Redis is away serves what an earlier one has read: from a file that is whole, its own, and of this Redis.
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createProxy } from '../../src/proxy/create-proxy.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { startEchoBackend } from '../helpers/keep-alive-load.js';
import { recordingLogger } from '../helpers/recording-logger.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { testConfig } from '../helpers/start-proxy.js';

let file: string;
let redis: TestRedis;
let backend: string;

interface Reply {
  readonly status: number;
  readonly stale: boolean;
}

beforeEach(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'cjs-proxy-snapshot-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  file = join(dir, 'snapshot');
  redis = await startRedis();
  onTestFinished(() => redis.stop());
  const echo = await startEchoBackend();
  onTestFinished(() => echo.close());
  backend = echo.url;
  await redis.client.rpush('frontend:known.example', 'known', backend);
  await redis.client.rpush('frontend:*.wild.example', 'wild', backend);
  await redis.client.rpush('frontend:known.example/private', 'private', backend);
  await redis.client.hset('route:known.example/private', 'deny', '0.0.0.0/0');
  await redis.client.rpush('patterns', JSON.stringify({ hostname: 'pattern.test', to: backend }));
});

async function start({ driver = redis.url, workerId = 0, maxStale = 0, emptyMeans = 'trust' as 'trust' | 'keep' } = {}) {
  const config = testConfig({ driver, server: { debugHeaders: 'everyone' } });
  const { logger, lines } = recordingLogger();
  const settings = { ...config, redis: { ...config.redis, timeout: 400, snapshot: file, maxStale, emptyMeans } };
  const proxy = await createProxy(settings, { logger, workerId });
  onTestFinished(() => proxy.close());
  const port = proxy.addresses[0]!.port;
  const ask = async (host: string, path = '/1/1'): Promise<Reply> => {
    const { request } = await import('node:http');
    return new Promise((resolve, reject) => {
      const sent = request({ port, host: '127.0.0.1', path, headers: { host, 'x-debug': '1' }, agent: false }, (response) => {
        response.resume();
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, stale: response.headers['x-debug-stale'] !== undefined }),
        );
      });
      sent.once('error', reject);
      sent.end();
    });
  };
  return { proxy, ask, logged: (part: string) => lines.map(({ msg }) => msg).filter((line) => line.includes(part)) };
}

/** What a node asks for and writes down. */
async function fill(workerId = 0): Promise<void> {
  const { proxy, ask } = await start({ workerId });
  expect(await ask('known.example')).toEqual({ status: 200, stale: false });
  expect((await ask('a.wild.example')).status).toBe(200);
  expect((await ask('pattern.test')).status).toBe(200);
  expect((await ask('known.example', '/private/1')).status).toBe(403);
  await proxy.close();
}

describe('a node with a snapshot that starts while Redis is away', () => {
  it('serves what was asked for before, keeps out whom it kept out, and knows no more than that', async () => {
    await fill();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await redis.stop();
    const { ask, logged, proxy } = await start();
    expect(logged('served from the snapshot of')).toHaveLength(1);
    expect(proxy.store.state).toBe('away');
    expect(await ask('known.example')).toEqual({ status: 200, stale: true });
    expect(await ask('a.wild.example')).toEqual({ status: 200, stale: true });
    expect((await ask('pattern.test')).status).toBe(200);
    expect((await ask('known.example', '/private/1')).status).toBe(403);
    expect((await ask('b.wild.example')).status).toBe(503);
    expect((await ask('unknown.example')).status).toBe(503);
    // As soon as Redis is there it alone counts.
    const again = await startRedis({ port: redis.port });
    onTestFinished(() => again.stop());
    await again.client.rpush('frontend:known.example', 'known', backend);
    await eventually('a fresh answer', async () => {
      const { status, stale } = await ask('known.example');
      return status === 200 && !stale;
    });
    await eventually('the wildcard to be unknown', async () => (await ask('a.wild.example')).status === 400);
    expect((await ask('known.example', '/private/1')).status).toBe(200);
  });

  it('reads the files of all workers, and of what is older than redis.maxStale nothing', async () => {
    await fill(2);
    await redis.stop();
    const { ask, proxy } = await start({ workerId: 1 });
    expect((await ask('known.example')).status).toBe(200);
    await proxy.close();
    const late = await start({ workerId: 1, maxStale: 1 });
    await eventually('the routes to be too old', async () => (await late.ask('known.example')).status === 503);
  });

  it('reads them also when Redis goes away later, for hosts that this worker was not asked for', async () => {
    await fill();
    const { ask, proxy } = await start({ workerId: 1 });
    expect((await ask('other.example')).status).toBe(400);
    await redis.stop();
    await eventually('Redis to be away', () => proxy.store.state === 'away');
    expect(await ask('known.example')).toEqual({ status: 200, stale: true });
    expect((await ask('known.example', '/private/1')).status).toBe(403);
    expect((await ask('unknown.example')).status).toBe(503);
  });

  it('uses no file that is damaged, cut short, of another Redis, or writable by others, and says so', async () => {
    await fill();
    await redis.stop();
    const whole = await readFile(file, 'utf8');
    const refused = async (why: string, driver = redis.url): Promise<void> => {
      const { ask, logged, proxy } = await start({ driver });
      expect(logged('is not used')).toEqual([expect.stringContaining(why)]);
      expect((await ask('known.example')).status).toBe(503);
      await proxy.close();
    };
    await writeFile(file, whole.replace('"known"', '"other"'));
    await refused('is not whole');
    await writeFile(file, whole.slice(0, Math.floor(whole.length / 2)));
    await refused('is not whole');
    await writeFile(file, whole);
    await chmod(file, 0o666);
    await refused('others than its owner may write it');
    await chmod(file, 0o600);
    await refused('is of another Redis', `redis://127.0.0.1:${await freePort()}`);
    // None of these nodes, which knew nothing, has written over it.
    const { ask } = await start();
    expect((await ask('known.example')).status).toBe(200);
  });
});

it('a node that was asked for little does not take away what the one before had read, but for what Redis has contradicted', async () => {
  await fill();
  await redis.client.del('frontend:*.wild.example');
  await redis.client.rpush('frontend:second.example', 'second', backend);
  for (const host of ['second.example', 'unknown.example']) {
    const young = await start();
    await young.ask(host);
    if (host === 'second.example') expect((await young.ask('a.wild.example')).status).toBe(400);
    await young.proxy.close();
  }
  await redis.stop();
  const { ask } = await start();
  expect(await ask('known.example')).toEqual({ status: 200, stale: true });
  expect((await ask('known.example', '/private/1')).status).toBe(403);
  expect((await ask('pattern.test')).status).toBe(200);
  expect(await ask('second.example')).toEqual({ status: 200, stale: true });
  expect((await ask('a.wild.example')).status).not.toBe(200);
});

describe('a node that starts while a Redis which is not trusted to be empty is empty', () => {
  it('serves from the snapshot until a frontend is written', async () => {
    await fill();
    await redis.client.flushall();
    const { ask, logged, proxy } = await start({ emptyMeans: 'keep' });
    expect(logged('is EMPTY, though it held frontends')).toHaveLength(1);
    expect(proxy.store.state).toBe('away');
    expect(await ask('known.example')).toEqual({ status: 200, stale: true });
    expect(await ask('a.wild.example')).toEqual({ status: 200, stale: true });
    expect((await ask('known.example', '/private/1')).status).toBe(403);
    expect((await ask('unknown.example')).status).toBe(503);
    await redis.client.rpush('frontend:known.example', 'known', backend);
    await eventually('a fresh answer', async () => {
      const { status, stale } = await ask('known.example');
      return status === 200 && !stale;
    });
    expect((await ask('a.wild.example')).status).toBe(400);
  });

  it('and has no snapshot tells an empty one from one that was flushed before anybody asked', async () => {
    file = `${file}.of-nobody`;
    const { ask, proxy } = await start({ emptyMeans: 'keep' });
    await redis.client.flushall();
    await eventually('the flush to be noticed', () => proxy.store.state === 'away');
    expect((await ask('known.example')).status).toBe(503);
    await redis.client.rpush('frontend:known.example', 'known', backend);
    await eventually('it to be served', async () => (await ask('known.example')).status === 200);
  });
});

it('a snapshot that cannot be written is complained of, and nothing else', async () => {
  file = '/proc/nowhere/snapshot';
  const { ask, logged, proxy } = await start();
  expect((await ask('known.example')).status).toBe(200);
  await proxy.close();
  expect(logged('cannot be written: ENOENT')).toHaveLength(1);
});
