// Any candidate, each with a chance as large as its weight: Hipache's way where all are equal.
import type { Backend } from '../model/backend.js';
import type { Balancer, Weights } from './balancer.js';

/** @param random gives numbers from 0 to below 1; a test passes its own */
export function createRandom(random: () => number = Math.random): Balancer {
  return {
    pick(candidates, _whose, _key, weights) {
      if (weights !== null) return drawByWeight(candidates, weights, random);
      return candidates[Math.floor(random() * candidates.length)] ?? null;
    },
  };
}

/** One of the candidates, by their weights; null when there is none. */
export function drawByWeight(candidates: readonly Backend[], weights: Weights, random: () => number): Backend | null {
  let sum = 0;
  for (const candidate of candidates) sum += weights[candidate.index] as number;
  let left = random() * sum;
  for (const candidate of candidates) {
    left -= weights[candidate.index] as number;
    if (left < 0) return candidate;
  }
  // Rounding may leave a crumb.
  return candidates.at(-1) ?? null;
}
