// Which turn a route picks its backends by: the one that its frontend had before it was compiled anew.
import { BoundedMap } from '../base/bounded-map.js';
import type { Route } from '../model/frontend.js';
import { Turn } from '../model/turn.js';
import { isMiss, isWritten, type RouteMiss } from './kept-answers.js';

/** Frontends for more than one host whose turn is remembered. The one that was seen first is forgotten first, and begins anew. */
const mostShared = 10_000;

export class Turns {
  /** Of wildcards, and of ports that nobody wrote, by frontend: each of their routes may be asked for once only. */
  readonly #shared = new BoundedMap<string, Turn>(mostShared);

  /**
   * @param key of the answer that the route is; empty: it is not kept
   * @param frontend the name that matched
   * @param before the last answer of the key, if there was one
   */
  of(key: string, frontend: string, before: Route | RouteMiss | undefined): Turn {
    if (before !== undefined && !isMiss(before) && before.frontend === frontend) return before.turn;
    return isWritten(key, frontend) ? new Turn() : this.#shared.getOrAdd(frontend, newTurn);
  }
}

function newTurn(): Turn {
  return new Turn();
}
