// Candidates in turn, a turn for each frontend and worker: PlanB's way.
import type { Backend } from '../model/backend.js';

/** Frontends whose turn is remembered. The one that was seen first is forgotten first, and begins anew. */
const mostFrontends = 10_000;

/** A `Balancer` (see the table in balancer.ts). Begins with the first backend of the list; one that is dead loses its turn, and the others keep theirs. */
export function createRoundRobin() {
  // The turn is held as the index in the list, not as a count: candidates come and go, and a count would jump.
  const turns = new Map<string, { last: number }>();

  function turnOf(frontend: string): { last: number } {
    const known = turns.get(frontend);
    if (known !== undefined) return known;
    if (turns.size >= mostFrontends) turns.delete(turns.keys().next().value as string);
    const turn = { last: -1 };
    turns.set(frontend, turn);
    return turn;
  }

  return {
    pick(candidates: readonly Backend[], frontend: string): Backend | null {
      if (candidates.length === 0) return null;
      const turn = turnOf(frontend);
      const next = turn.last + 1;
      // While all are alive the next one stands where its index says.
      const expected = candidates[next];
      const chosen = expected?.index === next ? expected : (candidates.find((one) => one.index >= next) ?? candidates[0]);
      if (chosen === undefined) return null;
      turn.last = chosen.index;
      return chosen;
    },
  };
}
