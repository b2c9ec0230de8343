// The candidate with the fewest running requests for its weight; of equals any, each with a chance as large as its weight.
import type { Backend } from '../model/backend.js';
import type { Balancer } from './balancer.js';
import type { LoadView } from './loads.js';

/** @param random gives numbers from 0 to below 1; a test passes its own */
export function createLeastConnections(loads: LoadView, random: () => number = Math.random): Balancer {
  return {
    pick(candidates, { frontend }, _key, weights) {
      const known = loads.of(frontend);
      let chosen: Backend | null = null;
      let least = Number.POSITIVE_INFINITY;
      /** Weight of all that are equal to the least so far. */
      let tied = 0;
      for (const candidate of candidates) {
        const weight = weights === null ? 1 : (weights[candidate.index] as number);
        const busy = (known?.get(candidate.id)?.inFlight ?? 0) / weight;
        if (busy > least) continue;
        if (busy < least) {
          least = busy;
          tied = 0;
        }
        tied += weight;
        // Replacing the earlier ones with this chance leaves each of the equals its share, in one pass.
        if (tied === weight || random() * tied < weight) chosen = candidate;
      }
      return chosen;
    },
  };
}
