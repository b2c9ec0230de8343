// The contract of a balancer, and the table of those there are.
import type { Strategy } from '../config/config.js';
import type { Backend } from '../model/backend.js';
import { createRandom } from './random.js';
import { createRoundRobin } from './round-robin.js';

/** Chooses among backends that may be used; health is decided before, stickiness and retries elsewhere. */
export interface Balancer {
  /**
   * @param candidates in the order of the frontend's list
   * @param frontend the name that matched: what a turn is counted by
   * @returns one of the candidates, or null when there is none
   */
  pick(candidates: readonly Backend[], frontend: string): Backend | null;
}

const factories: Readonly<Record<Strategy, () => Balancer>> = {
  RANDOM: createRandom,
  ROUND_ROBIN: createRoundRobin,
};

/** A balancer with a state of its own. */
export function createBalancer(strategy: Strategy): Balancer {
  return factories[strategy]();
}
