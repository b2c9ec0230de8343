// Counters of limits in Redis: scripts that it keeps by their digest, sent whole only when it does not know them.
import { createHash } from 'node:crypto';
import type { Commands } from '../redis/commands.js';
import type { RedisKeys } from '../redis/keys.js';
import { asError } from '../redis/redis-errors.js';
import type { StoreCounters } from './store.js';

/** @param run runs commands on the side that is written to */
export function createRedisCounters(
  keys: RedisKeys,
  run: <T>(work: (commands: Commands) => Promise<T>) => Promise<T>,
): StoreCounters {
  const digests = new Map<string, string>();

  function digestOf(script: string): string {
    const known = digests.get(script);
    if (known !== undefined) return known;
    const digest = createHash('sha1').update(script).digest('hex');
    digests.set(script, digest);
    return digest;
  }

  return {
    run: (script, name, args) =>
      run(async (commands) => {
        const key = keys.limit(name);
        try {
          return await commands.one(['EVALSHA', digestOf(script), 1, key, ...args]);
        } catch (error) {
          // New to this server, or it was started anew.
          if (!asError(error).message.startsWith('NOSCRIPT')) throw error;
          return commands.one(['EVAL', script, 1, key, ...args]);
        }
      }),
  };
}
