// A proxy over a Redis of its own that a test takes away in one way or another, while clients go on asking for what is known.
import { request } from 'node:http';
import { onTestFinished } from 'vitest';
import type { RedisConfig } from '../../src/config/config.js';
import { createProxy } from '../../src/proxy/create-proxy.js';
import type { Proxy as RunningProxy } from '../../src/proxy/proxy.js';
import { eventually } from './eventually.js';
import { KeepAliveLoad, startEchoBackend } from './keep-alive-load.js';
import { recordingLogger } from './recording-logger.js';
import { startRedis, type TestRedis, type TestRedisOptions } from './redis.js';
import { testConfig } from './start-proxy.js';

/** What came of one request. */
export interface Reply {
  readonly status: number;
  /** `x-cjs-proxy-error` and `retry-after`; empty: it has none. */
  readonly code: string;
  readonly retryAfter: string;
  /** Milliseconds until its head. */
  readonly took: number;
  /** Whether it says that it may be out of date. */
  readonly stale: boolean;
}

export interface Outage {
  readonly redis: TestRedis;
  readonly proxy: RunningProxy;
  /** Lines of the log that hold a text, `level: text`. */
  logged(part: string): string[];
  readonly load: KeepAliveLoad;
  ask(host: string): Promise<Reply>;
  /** Writes the frontends that the clients ask for, into a Redis that has forgotten them. */
  write(into: TestRedis): Promise<void>;
  /** From now on the second backend of `half.example` refuses every connection. */
  killBackend(): Promise<void>;
  /** Resolves when so many further requests for the known host have been answered. */
  goOn(requests: number): Promise<void>;
  until(state: RunningProxy['store']['state']): Promise<void>;
  /** Ends the clients, and gives what failed and a line of figures. */
  end(what: string): Promise<readonly string[]>;
}

export interface OutageOptions {
  readonly redis?: TestRedisOptions;
  readonly settings?: Partial<RedisConfig>;
  /** Where the proxy looks for the Redis, made of where it is. */
  readonly driver?: (redis: TestRedis) => string | Promise<string>;
}

/** `known.example` has a backend; `half.example` another one besides, which can be killed. */
export const knownHost = 'known.example';
export const halfHost = 'half.example';

/** Ends with the test. */
export async function startOutage({ redis: redisOptions = {}, settings = {}, driver }: OutageOptions = {}): Promise<Outage> {
  const redis = await startRedis(redisOptions);
  onTestFinished(() => redis.stop());
  const backend = await startEchoBackend();
  onTestFinished(() => backend.close());
  const doomed = await startEchoBackend();
  let doomedClosed: Promise<void> | null = null;
  const killBackend = (): Promise<void> => {
    doomedClosed ??= doomed.close();
    return doomedClosed;
  };
  onTestFinished(killBackend);
  const write = async (into: TestRedis): Promise<void> => {
    await into.client.rpush(`frontend:${knownHost}`, 'known', backend.url);
    await into.client.rpush(`frontend:${halfHost}`, 'half', backend.url, doomed.url);
  };
  await write(redis);
  const config = testConfig({ driver: (await driver?.(redis)) ?? redis.url, server: { debugHeaders: 'everyone' } });
  const { logger, lines } = recordingLogger();
  const proxy = await createProxy(
    { ...config, redis: { ...config.redis, timeout: 400, lookupWait: 30, ...settings } },
    { logger },
  );
  onTestFinished(() => proxy.close());
  const port = proxy.addresses[0]!.port;
  const ask = (host: string): Promise<Reply> => askForStaleness(port, host);
  await ask(knownHost);
  await ask(halfHost);
  // Of a worker that has looked up less nothing is usual.
  for (const host of ['nobody.example', 'none.example']) await ask(host);
  const load = new KeepAliveLoad({ port, host: knownHost, clients: 4, rate: 200 });
  let ended = false;
  onTestFinished(async () => {
    if (!ended) await load.stop();
  });
  const goOn = async (requests: number): Promise<void> => {
    const wanted = load.answered + load.failures.length + requests;
    await eventually(`${requests} more requests`, () => load.answered + load.failures.length >= wanted, 15_000);
  };
  await goOn(40);
  return {
    ...{ redis, proxy, load, ask, write, killBackend, goOn },
    logged: (part) => lines.map(({ level, msg }) => `${level}: ${msg}`).filter((line) => line.includes(part)),
    until: async (state) => void (await eventually(`the store to be ${state}`, () => proxy.store.state === state, 15_000)),
    end: async (what) => {
      ended = true;
      await load.stop();
      const sorted = [...load.latencies].sort((one, other) => one - other);
      const figure = (part: number): string => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(2);
      process.stdout.write(
        `${what}: ${load.answered} answered, ${load.failures.length} failed; p50 ${figure(0.5)}, p99 ${figure(0.99)}, longest ${figure(1)} ms\n`,
      );
      return load.failures.map(({ reason }) => reason);
    },
  };
}

/** Asks a proxy once, on a connection of its own. */
export function askForStaleness(port: number, host: string): Promise<Reply> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { host, 'x-debug': '1' };
    const sent = request({ host: '127.0.0.1', port, path: '/1/1', headers, agent: false }, (response) => {
      const took = performance.now() - begun;
      response.resume();
      response.once('error', reject);
      const stale = response.headers['x-debug-stale'] !== undefined;
      const code = String(response.headers['x-cjs-proxy-error'] ?? '');
      const retryAfter = response.headers['retry-after'] ?? '';
      response.once('end', () => resolve({ status: response.statusCode ?? 0, code, retryAfter, took, stale }));
    });
    sent.once('error', reject);
    sent.end();
  });
}
