// The limiter of a window, by what the store offers and the settings ask for.
import type { StoreCounters } from '../store/store.js';
import { FallbackLimiter, type WhenAway } from './fallback-limiter.js';
import type { Limiter, Window } from './limiter.js';
import { MemoryLimiter } from './memory-limiter.js';
import { type AskPoints, NodeLimiter } from './node-limiter.js';
import { RedisLimiter } from './redis-limiter.js';

/**
 * @param counters null: there is one process, and what it counts is all there is
 * @param clients whom a worker remembers: an eighth of them is counted in memory too, each of which takes several times as much
 * @param ask counts for the node while the store is away; null: each process by itself
 */
export function createLimiters(
  counters: StoreCounters | null,
  whenAway: WhenAway,
  clients: number,
  ask: AskPoints | null = null,
): (window: Window) => Limiter {
  return (window) => {
    const own = new MemoryLimiter(window, Math.ceil(clients / 8));
    if (counters === null) return own;
    const ofNode = ask === null ? own : new NodeLimiter(window, ask, own);
    return new FallbackLimiter(window, new RedisLimiter(window, counters), ofNode, whenAway);
  };
}
