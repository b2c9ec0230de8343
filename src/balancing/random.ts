// Any candidate, each with the same chance: Hipache's way.
import type { Backend } from '../model/backend.js';

/**
 * A `Balancer` (see the table in balancer.ts).
 * @param random gives numbers from 0 to below 1; a test passes its own
 */
export function createRandom(random: () => number = Math.random) {
  return {
    pick(candidates: readonly Backend[]): Backend | null {
      return candidates[Math.floor(random() * candidates.length)] ?? null;
    },
  };
}
