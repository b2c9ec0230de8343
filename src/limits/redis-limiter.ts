// Counts in Redis, where all workers of all nodes see the same: one integer a key, which expires with its window.
import type { RateLimiterRedis } from 'rate-limiter-flexible';
import type { StoreCounters } from '../store/store.js';
import type { Count, Limiter, Taking, Window } from './limiter.js';
import { rateLimiterPackage } from './rate-limiter-package.js';

/** Points, seconds of a new window, limit. A counter that somebody wrote by hand without an end gets one. */
const spendScript = `redis.call('set', KEYS[1], 0, 'EX', ARGV[2], 'NX')
local spent = redis.call('incrby', KEYS[1], ARGV[1])
local left = redis.call('pttl', KEYS[1])
if left == -1 then
  redis.call('expire', KEYS[1], ARGV[2])
  left = 1000 * ARGV[2]
end
return {spent, left}`;

/** The same, but for points that are not there: these are answered as if they had been counted, and are not. */
const takeScript = `local spent = tonumber(redis.call('get', KEYS[1]) or '0')
if spent + tonumber(ARGV[1]) > tonumber(ARGV[3]) then
  local left = redis.call('pttl', KEYS[1])
  if left == -1 then redis.call('expire', KEYS[1], ARGV[2]) end
  if left < 0 then left = 1000 * ARGV[2] end
  return {spent + tonumber(ARGV[1]), left}
end
${spendScript}`;

export class RedisLimiter implements Limiter {
  readonly strict = false;
  readonly alone = false;
  readonly #spending: RateLimiterRedis;
  readonly #taking: RateLimiterRedis;

  constructor(window: Window, counters: StoreCounters) {
    this.#spending = limiterWith(spendScript, window, counters);
    this.#taking = limiterWith(takeScript, window, counters);
  }

  async spend(key: string, points: number, seconds: number): Promise<Count> {
    const { consumedPoints, msBeforeNext } = await this.#spending.penalty(key, points, { customDuration: seconds });
    return { spent: consumedPoints, left: msBeforeNext };
  }

  async take(key: string, points: number, seconds: number): Promise<Taking> {
    try {
      const { consumedPoints, msBeforeNext } = await this.#taking.consume(key, points, { customDuration: seconds });
      return { taken: true, spent: consumedPoints, left: msBeforeNext };
    } catch (refusal) {
      if (!(refusal instanceof rateLimiterPackage().RateLimiterRes)) throw refusal;
      return { taken: false, spent: refusal.consumedPoints - points, left: refusal.msBeforeNext };
    }
  }
}

/** The package calls its script by this name, with the key and three numbers as texts. */
function limiterWith(script: string, { name, points, duration }: Window, counters: StoreCounters): RateLimiterRedis {
  const storeClient = {
    rlflxIncr: ([key = '', ...args]: readonly string[]) => counters.run(script, key, args),
  };
  return new (rateLimiterPackage().RateLimiterRedis)({ storeClient, keyPrefix: name, points, duration });
}
