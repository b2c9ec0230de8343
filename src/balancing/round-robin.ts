// Candidates in turn, a turn for each frontend and worker: PlanB's way where all are equal, smooth and by weight where not.
import { BoundedMap } from '../base/bounded-map.js';
import type { Backend } from '../model/backend.js';
import type { Balancer, Weights } from './balancer.js';

/** Frontends whose turn is remembered. The one that was seen first is forgotten first, and begins anew. */
const mostFrontends = 10_000;

/** Ids that a frontend may have credits of beyond those of its candidates: backends that left its list. */
const mostLeftovers = 64;

/** Begins with the first backend of the list; one that is dead loses its turn, and the others keep theirs. */
export function createRoundRobin(): Balancer {
  // The turn is held as the index in the list, not as a count: candidates come and go, and a count would jump.
  const turns = new BoundedMap<string, { last: number }>(mostFrontends);
  const credits = new BoundedMap<string, Map<string, number>>(mostFrontends);

  function pickInTurn(candidates: readonly Backend[], frontend: string): Backend | null {
    const turn = turns.getOrAdd(frontend, newTurn);
    const next = turn.last + 1;
    // While all are alive the next one stands where its index says.
    const expected = candidates[next];
    const chosen = expected?.index === next ? expected : (candidates.find((one) => one.index >= next) ?? candidates[0]);
    if (chosen === undefined) return null;
    turn.last = chosen.index;
    return chosen;
  }

  /**
   * Every candidate earns its weight at each pick; the richest is picked and pays what all earned. So 5, 1 and 1 give
   * a a b a c a a, never five in a row.
   */
  function pickSmoothly(candidates: readonly Backend[], frontend: string, weights: Weights): Backend | null {
    const credit = credits.getOrAdd(frontend, newCredits);
    if (credit.size > candidates.length + mostLeftovers) credit.clear();
    let chosen: Backend | null = null;
    let most = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (const candidate of candidates) {
      const weight = weights[candidate.index] as number;
      const now = (credit.get(candidate.id) ?? 0) + weight;
      credit.set(candidate.id, now);
      sum += weight;
      if (now > most) {
        most = now;
        chosen = candidate;
      }
    }
    if (chosen !== null) credit.set(chosen.id, most - sum);
    return chosen;
  }

  return {
    pick(candidates, frontend, _key, weights) {
      if (candidates.length === 0) return null;
      return weights === null ? pickInTurn(candidates, frontend) : pickSmoothly(candidates, frontend, weights);
    },
  };
}

function newTurn(): { last: number } {
  return { last: -1 };
}

function newCredits(): Map<string, number> {
  return new Map();
}
