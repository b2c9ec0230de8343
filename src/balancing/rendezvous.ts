// One key, one backend: for IP_HASH and HASH. Rendezvous hashing: every backend draws a lot for the key, the best lot wins.
//
// No ring has to be built and kept when a list changes, every node comes to the same choice from the list alone, and the share
// of a backend that goes is spread over all others: those keys move that have to, about one of n, and they come back with it.
import { hashText, mixBits } from '../base/text-hash.js';
import type { Backend } from '../model/backend.js';
import type { Balancer } from './balancer.js';

/** Two independent hashes of an id. */
interface Lot {
  readonly high: number;
  readonly low: number;
}

const highSeed = 0;
const lowSeed = 0x9e3779b9;

/** Hashes the ids of backends, not their places in the list: a list that shifts moves nobody. */
export function createRendezvous(): Balancer {
  const lots = new WeakMap<Backend, Lot>();

  function lotOf(backend: Backend): Lot {
    const known = lots.get(backend);
    if (known !== undefined) return known;
    const lot = { high: hashText(backend.id, highSeed), low: hashText(backend.id, lowSeed) };
    lots.set(backend, lot);
    return lot;
  }

  return {
    pick(candidates, _whose, key, weights) {
      const high = hashText(key, highSeed);
      const low = hashText(key, lowSeed);
      let chosen: Backend | null = null;
      let best = Number.NEGATIVE_INFINITY;
      for (const candidate of candidates) {
        const lot = lotOf(candidate);
        // Uniform between 0 and 1, neither of them included, so that its logarithm is finite and below zero.
        const draw = (mixBits(high ^ lot.high) + (mixBits(low ^ lot.low) + 0.5) / 0x1_0000_0000) / 0x1_0000_0000;
        // With this score a backend wins a share of the keys that is exactly that of its weight, and a weight that changes
        // moves keys to or from this backend alone.
        const score = weights === null ? draw : Math.log(draw) / (weights[candidate.index] as number);
        if (score > best) {
          best = score;
          chosen = candidate;
        }
      }
      return chosen;
    },
  };
}
