// The counters that a compiled route holds, so that an exchange looks nothing up to count.
import { type BackendCounts, type FrontendCounts, otherBackends, otherFrontends } from './frontend-counts.js';

type Held = readonly (BackendCounts | undefined)[];

/** Of a route that nobody has asked for: there may be a hundred thousand of them. */
const none: Held = [];

/** Of its frontend, and of its backends by their index. Found by the first exchange that needs them, and found again where they were let go of. */
export class RouteCounts {
  #frontend: FrontendCounts | null = null;
  #backends = none;

  /** Those of its frontend; null: they must be found first. */
  get frontend(): FrontendCounts | null {
    return this.#frontend === null || this.#frontend.dropped ? null : this.#frontend;
  }

  /** `Tally.frontend` has found them. */
  hold(frontend: FrontendCounts): void {
    this.#frontend = frontend;
    this.#backends = none;
  }

  /**
   * The counters of one of its backends.
   * @param frontend that the exchange is counted for; another one where the route was found anew while it waited
   * @param index of the backend in the route
   */
  backend(frontend: FrontendCounts, index: number, id: string): BackendCounts {
    if (frontend.name === otherFrontends) return frontend.backend(otherBackends);
    if (frontend !== this.#frontend) return frontend.backend(id);
    const known = this.#backends[index];
    if (known !== undefined && !known.dropped) return known;
    const found = frontend.backend(id);
    // An array that grows by itself takes room for sixteen more.
    const { length } = this.#backends;
    const held = Array.from({ length: Math.max(length, index + 1) }, (_, at) => this.#backends[at]);
    held[index] = found;
    this.#backends = held;
    return found;
  }
}
