// Who of a route's backends gets new requests, and in what shares: weights of list and policy, and backups.
import type { Backend } from '../model/backend.js';
import type { Route } from '../model/frontend.js';
import type { Weights } from './balancer.js';

/** What a list and its policy say about shares. Made once for a route. */
export interface Shares {
  /** By the index of a backend: that of the policy, else that of the list entry. */
  readonly weights: Weights;
  /** Whether all backends that get new requests have the same weight, so that nothing has to be weighed. */
  readonly equal: boolean;
  /** Whether some backend gets no new requests now: its weight is 0, or it is a backup. */
  readonly selective: boolean;
}

/** Reads the shares of a route. */
export function sharesOf({ backends, policy }: Route): Shares {
  const named = policy?.weights;
  const weights: number[] = [];
  let common = 0;
  let equal = true;
  let selective = false;
  for (const backend of backends) {
    const weight = named !== undefined && Object.hasOwn(named, backend.id) ? (named[backend.id] as number) : backend.weight;
    // Faulty entries of the list leave gaps, which no candidate points at.
    while (weights.length < backend.index) weights.push(0);
    weights.push(weight);
    if (weight === 0 || backend.backup) selective = true;
    if (weight === 0) continue;
    if (common === 0) common = weight;
    else if (weight !== common) equal = false;
  }
  return { weights, equal, selective };
}

/**
 * The candidates that may get a new session: those with a weight that are no backups; where there is none, backups with a weight.
 * @param candidates backends that are alive and untried
 */
export function eligible(candidates: readonly Backend[], { weights, selective }: Shares): readonly Backend[] {
  if (!selective) return candidates;
  const weighty = candidates.filter((backend) => (weights[backend.index] as number) > 0);
  const primaries = weighty.filter((backend) => !backend.backup);
  return primaries.length > 0 ? primaries : weighty;
}
