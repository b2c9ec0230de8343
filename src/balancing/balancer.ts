// The contract of a balancer.
import type { Backend } from '../model/backend.js';
import type { Turn } from '../model/turn.js';

/** Whose backends are picked from; a route is one. */
export interface Whose {
  /** The name that matched: what loads are counted by. */
  readonly frontend: string;
  readonly turn: Turn;
}

/**
 * Chooses among backends that may be used. Health, stickiness, retries and who is a backup are decided before. One serves all
 * frontends of a worker; none keeps anybody waiting or throws.
 */
export interface Balancer {
  /**
   * @param candidates in the order of the frontend's list, each with a weight above zero
   * @param key what a client is told apart by: the address, or what `hashOn` names; only hashing looks at it
   * @param weights by the index of a backend; null: all are equal
   * @returns one of the candidates, or null when there is none
   */
  pick(candidates: readonly Backend[], whose: Whose, key: string, weights: Weights | null): Backend | null;
}

/** Shares of new requests relative to each other, by `Backend.index`; any scale. */
export type Weights = readonly number[];
