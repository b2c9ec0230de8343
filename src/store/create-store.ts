// The driver setting to a store: the one place that knows which stores there are.
import type { Config } from '../config/config.js';
import { type DriverUrl, formatRedisUrl, parseDriverUrl, type RedisUrl } from '../config/driver-url.js';
import { StartError } from '../errors/start-error.js';
import { readRedisTls } from '../redis/tls-files.js';
import type { ManagedStore } from './managed-store.js';
import { MemoryStore } from './memory-store.js';
import { RedisStore } from './redis-store.js';
import { SnapshotStore } from './snapshot-store.js';

type Log = (level: 'info' | 'warn' | 'error', text: string) => void;

/** What of a store is not the same for all who open it. */
export interface StorePurpose {
  /** Its listener is told of heartbeats. */
  readonly followNodes?: boolean;
  /** The worker that keeps a snapshot, where one is configured: 0 for a node in one process; absent: none is kept. */
  readonly worker?: number;
}

/** Makes the store that `driver` names; nothing is connected or opened before its `start`. Throws a StartError for a bad URL. */
export function createStore(
  config: Pick<Config, 'driver' | 'redis'>,
  log: Log,
  { followNodes = false, worker }: StorePurpose = {},
): ManagedStore {
  const read = parse(config.driver.read);
  const write = config.driver.write === config.driver.read ? read : parse(config.driver.write);
  if (read.kind === 'redis' && write.kind === 'redis') {
    const { timeout, emptyMeans, lookupWait, maxStale, cacheEntries: entries, snapshot: path } = config.redis;
    const tls = read.tls || write.tls ? { tls: readRedisTls(config.redis) } : {};
    const options = { read, write, ...tls, timeout, emptyMeans, lookupWait, followNodes, log };
    if (path === '' || worker === undefined) return new RedisStore(options);
    return new SnapshotStore({ ...options, path, worker, of: nameOf(read), entries, maxStale });
  }
  if (read.kind === 'none' && write === read) return new MemoryStore(null, log);
  if (read.kind === 'memory' && write === read) return new MemoryStore(read.file, log);
  throw new StartError('driver: memory: keeps everything in one place; name it alone, or name two Redis servers');
}

/** Which Redis it is, for people and for a snapshot: without credentials. */
function nameOf(url: RedisUrl): string {
  const sentinel = url.sentinel === undefined ? {} : { sentinel: { ...url.sentinel, username: '', password: '' } };
  return formatRedisUrl({ ...url, ...sentinel, username: '', password: '' });
}

function parse(text: string): DriverUrl {
  try {
    return parseDriverUrl(text);
  } catch (error) {
    throw new StartError(`driver: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}
