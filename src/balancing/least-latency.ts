// Of two candidates drawn by weight, the one that will answer sooner: as fast as it was lately, times what it is busy with.
//
// Two, not all: nodes and workers that measure the same would all run to the one fastest backend and make it the slowest.
import { performance } from 'node:perf_hooks';
import type { Backend } from '../model/backend.js';
import type { Balancer, Weights } from './balancer.js';
import type { Load, LoadView } from './loads.js';
import { drawByWeight } from './random.js';

/**
 * @param random gives numbers from 0 to below 1; a test passes its own
 * @param now the clock that `loads` measures by
 */
export function createLeastLatency(
  loads: LoadView,
  random: () => number = Math.random,
  now: () => number = () => performance.now(),
): Balancer {
  return {
    pick(candidates, { frontend }, _key, weights) {
      if (candidates.length <= 1) return candidates[0] ?? null;
      const first = draw(candidates, weights, random);
      const second = drawAnother(candidates, first, weights, random);
      const known = loads.of(frontend);
      if (known === undefined) return first;
      return sooner(first, second, known, weights, now()) ? first : second;
    },
  };
}

/** Whether the first of two is the better choice; of equals it is, because it was drawn first. */
function sooner(
  first: Backend,
  second: Backend,
  known: ReadonlyMap<string, Load>,
  weights: Weights | null,
  now: number,
): boolean {
  const one = known.get(first.id);
  const other = known.get(second.id);
  const latency = one?.latencyAt(now) ?? 0;
  const otherLatency = other?.latencyAt(now) ?? 0;
  const busy = (one?.inFlight ?? 0) / (weights?.[first.index] ?? 1) + 1;
  const otherBusy = (other?.inFlight ?? 0) / (weights?.[second.index] ?? 1) + 1;
  if (latency > 0 && otherLatency > 0) return latency * busy <= otherLatency * otherBusy;
  // One was not measured yet: it is taken for as fast as the other, and gets the next request when it is no busier.
  if (busy !== otherBusy) return busy < otherBusy;
  return latency === 0 || otherLatency > 0;
}

function draw(candidates: readonly Backend[], weights: Weights | null, random: () => number): Backend {
  if (weights !== null) return drawByWeight(candidates, weights, random) as Backend;
  return candidates[Math.floor(random() * candidates.length)] as Backend;
}

/** Draws among the others than the first. */
function drawAnother(candidates: readonly Backend[], first: Backend, weights: Weights | null, random: () => number): Backend {
  if (weights === null) {
    const at = Math.floor(random() * (candidates.length - 1));
    // The last one stands in for the first drawn.
    return (candidates[at] === first ? candidates.at(-1) : candidates[at]) as Backend;
  }
  let sum = 0;
  for (const candidate of candidates) if (candidate !== first) sum += weights[candidate.index] as number;
  let left = random() * sum;
  let last = first;
  for (const candidate of candidates) {
    if (candidate === first) continue;
    last = candidate;
    left -= weights[candidate.index] as number;
    if (left < 0) break;
  }
  return last;
}
