// A store and a route cache over a real Redis, as a worker has them.
import { onTestFinished } from 'vitest';
import { parseDriverUrl } from '../../src/config/driver-url.js';
import { deathsOf } from '../../src/model/dead-set.js';
import type { Route } from '../../src/model/frontend.js';
import { isMiss, RouteCache, type RouteMiss } from '../../src/routing/route-cache.js';
import { RedisStore } from '../../src/store/redis-store.js';

export interface TestRouting {
  readonly cache: RouteCache;
  readonly store: RedisStore;
  readonly logged: string[];
  /** What serves a host and a path, for reading: ports of the live backends (`3000,!3001` where 3001 is dead), or the kind of miss. */
  find(host: string, target?: string): Promise<string>;
}

/** Ends with the test. */
export async function startRouting(
  url: string,
  { timeout = 1000, entries = 1000, writeUrl = url, lookupWait = 1000 } = {},
): Promise<TestRouting> {
  const read = parseDriverUrl(url);
  const write = writeUrl === url ? read : parseDriverUrl(writeUrl);
  if (read.kind !== 'redis' || write.kind !== 'redis') throw new Error('needs a Redis');
  const logged: string[] = [];
  const store = new RedisStore({ read, write, timeout, lookupWait, log: (level, text) => void logged.push(`${level}: ${text}`) });
  const cache = new RouteCache({ store, entries, maxStale: 0, log: (text) => void logged.push(text) });
  onTestFinished(() => store.close());
  await store.start(cache);
  return { cache, store, logged, find: async (host, target) => shortly(await cache.find(host, target)) };
}

function shortly(found: Route | RouteMiss): string {
  if (isMiss(found)) return found.kind;
  if (found.fault !== '') return 'fault';
  const dead = deathsOf(found.records, found.backends, Date.now());
  return found.backends.map((backend, at) => `${dead[at] ? '!' : ''}${backend.port}`).join(',');
}
