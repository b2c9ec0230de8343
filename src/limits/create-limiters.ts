// The limiter of a window, by what the store offers and the settings ask for.
import type { StoreCounters } from '../store/store.js';
import { FallbackLimiter, type WhenAway } from './fallback-limiter.js';
import type { Limiter, Window } from './limiter.js';
import { MemoryLimiter } from './memory-limiter.js';
import { RedisLimiter } from './redis-limiter.js';

/**
 * @param counters null: there is one process, and what it counts is all there is
 * @param clients whom a worker remembers: an eighth of them is counted in memory too, each of which takes several times as much
 */
export function createLimiters(counters: StoreCounters | null, whenAway: WhenAway, clients: number): (window: Window) => Limiter {
  return (window) => {
    const own = new MemoryLimiter(window, Math.ceil(clients / 8));
    return counters === null ? own : new FallbackLimiter(window, new RedisLimiter(window, counters), own, whenAway);
  };
}
