// The limiter of a window, by what the store offers and the settings ask for.
import type { StoreCounters } from '../store/store.js';
import { FallbackLimiter, type WhenAway } from './fallback-limiter.js';
import type { Limiter, Window } from './limiter.js';
import { MemoryLimiter } from './memory-limiter.js';
import { RedisLimiter } from './redis-limiter.js';

/**
 * @param counters null: there is one process, and what it counts is all there is
 * @param bound the most keys that are counted in memory, a window
 */
export function createLimiters(counters: StoreCounters | null, whenAway: WhenAway, bound: number): (window: Window) => Limiter {
  return (window) => {
    const own = new MemoryLimiter(window, bound);
    return counters === null ? own : new FallbackLimiter(window, new RedisLimiter(window, counters), own, whenAway);
  };
}
