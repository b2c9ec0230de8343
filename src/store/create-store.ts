// The driver setting to a store: the one place that knows which stores there are.
import type { Config } from '../config/config.js';
import { type DriverUrl, parseDriverUrl } from '../config/driver-url.js';
import { StartError } from '../errors/start-error.js';
import { readRedisTls } from '../redis/tls-files.js';
import type { ManagedStore } from './managed-store.js';
import { MemoryStore } from './memory-store.js';
import { RedisStore } from './redis-store.js';

/**
 * Makes the store that `driver` names; nothing is connected or opened before its `start`. Throws a StartError for a bad URL.
 * @param followNodes whether its listener is told of heartbeats
 */
export function createStore(
  config: Pick<Config, 'driver' | 'redis'>,
  log: (level: 'info' | 'warn' | 'error', text: string) => void,
  followNodes = false,
): ManagedStore {
  const read = parse(config.driver.read);
  const write = config.driver.write === config.driver.read ? read : parse(config.driver.write);
  if (read.kind === 'redis' && write.kind === 'redis') {
    const { redis } = config;
    const tls = read.tls || write.tls ? { tls: readRedisTls(redis) } : {};
    return new RedisStore({ read, write, ...tls, timeout: redis.timeout, emptyMeans: redis.emptyMeans, followNodes, log });
  }
  if (read.kind === 'none' && write === read) return new MemoryStore(null, log);
  if (read.kind === 'memory' && write === read) return new MemoryStore(read.file, log);
  throw new StartError('driver: memory: keeps everything in one place; name it alone, or name two Redis servers');
}

function parse(text: string): DriverUrl {
  try {
    return parseDriverUrl(text);
  } catch (error) {
    throw new StartError(`driver: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}
