// Counts in Redis, where all workers of all nodes see the same: one integer a key, which expires with its window.
import type { RateLimiterRedis } from 'rate-limiter-flexible';
import type { StoreCounters } from '../store/store.js';
import type { Count, Limiter, Taking, Window } from './limiter.js';
import { rateLimiterPackage } from './rate-limiter-package.js';

/** Points, seconds of a new window, limit. A counter that somebody wrote by hand without an end gets one. */
const spend = `local function spend(key, points, seconds)
  redis.call('set', key, 0, 'EX', seconds, 'NX')
  local spent = redis.call('incrby', key, points)
  local left = redis.call('pttl', key)
  if left == -1 then
    redis.call('expire', key, seconds)
    left = 1000 * seconds
  end
  return {spent, left}
end`;

/** The same, but for points that are not there: these are answered as if they had been counted, and are not. */
const take = `local function take(key, points, seconds, limit)
  local spent = tonumber(redis.call('get', key) or '0')
  if spent + tonumber(points) <= tonumber(limit) then return spend(key, points, seconds) end
  local left = redis.call('pttl', key)
  if left == -1 then redis.call('expire', key, seconds) end
  if left < 0 then left = 1000 * seconds end
  return {spent + tonumber(points), left}
end`;

/** Does it for all keys; one that is no counter harms no other. */
const forEach = (name: string): string => `local replies = {}
for at, key in ipairs(KEYS) do
  local done, reply = pcall(${name}, key, ARGV[3 * at - 2], ARGV[3 * at - 1], ARGV[3 * at])
  replies[at] = done and reply or redis.error_reply(type(reply) == 'table' and reply.err or tostring(reply))
end
return replies`;

/**
 * Milliseconds that points which were given out already wait for those of others, so that many are told by one command. What a
 * worker has not told is bounded by the blocks of its clients, however long it takes.
 */
const patience = 10;

const spendScript = `${spend}\n${forEach('spend')}`;
const takeScript = `${spend}\n${take}\n${forEach('take')}`;

export class RedisLimiter implements Limiter {
  readonly strict = false;
  readonly alone = false;
  readonly #spending: RateLimiterRedis;
  readonly #taking: RateLimiterRedis;

  constructor(window: Window, counters: StoreCounters) {
    this.#spending = limiterWith(spendScript, window, counters, patience);
    this.#taking = limiterWith(takeScript, window, counters, 0);
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

/** The package calls its script by this name, with the key, three numbers as texts, and what else scripts of its own would need. */
function limiterWith(
  script: string,
  { name, points, duration }: Window,
  counters: StoreCounters,
  waits: number,
): RateLimiterRedis {
  const storeClient = {
    rlflxIncr: ([key = '', spent = '', seconds = '', limit = '']: readonly string[]) =>
      counters.run(script, key, [spent, seconds, limit], waits),
  };
  return new (rateLimiterPackage().RateLimiterRedis)({ storeClient, keyPrefix: name, points, duration });
}
