// Candidates in turn, a turn for each frontend and worker: PlanB's way where all are equal, smooth and by weight where not.
import type { Backend } from '../model/backend.js';
import type { Turn } from '../model/turn.js';
import type { Balancer, Weights } from './balancer.js';

/** Ids that a frontend may have credits of beyond those of its candidates: backends that left its list. */
const mostLeftovers = 64;

/** Begins with the first backend of the list; one that is dead loses its turn, and the others keep theirs. */
export function createRoundRobin(): Balancer {
  return {
    pick(candidates, { turn }, _key, weights) {
      if (candidates.length === 0) return null;
      return weights === null ? pickInTurn(candidates, turn) : pickSmoothly(candidates, turn, weights);
    },
  };
}

/** The turn is held as the index in the list, not as a count: candidates come and go, and a count would jump. */
function pickInTurn(candidates: readonly Backend[], turn: Turn): Backend | null {
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
function pickSmoothly(candidates: readonly Backend[], turn: Turn, weights: Weights): Backend | null {
  turn.credits ??= new Map();
  const credit = turn.credits;
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
