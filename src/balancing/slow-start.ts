// A backend that came back, or is new to the list, gets its share little by little, so that cold caches are not flooded.
import { performance } from 'node:perf_hooks';
import { BoundedMap } from '../base/bounded-map.js';
import type { Backend } from '../model/backend.js';
import type { Route } from '../model/frontend.js';
import type { Weights } from './balancer.js';

/** What is remembered of a host: who was usable when it was last asked for, and since when. */
interface Usable {
  candidates: readonly Backend[];
  /** By id; since ever for those that were there when the host was first seen. */
  since: Map<string, number>;
  /** The latest of these. */
  latest: number;
}

/** Hosts that are remembered. One that was forgotten begins with all its backends at full weight. */
const mostHosts = 10_000;

/** A share to begin with, so that even a frontend with few requests warms a backend up. */
const smallest = 0.1;

/**
 * Follows who comes and goes by the candidates that it is shown. A backend that died and came back between two requests was
 * not missed, and does not ramp up.
 */
export class SlowStart {
  readonly #hosts = new BoundedMap<string, Usable>(mostHosts);
  readonly #now: () => number;

  /** @param now milliseconds that never run backwards */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Reduces the weights of backends that are starting: from a tenth to the whole in a straight line.
   * @param candidates all that are alive, also those that get no new requests; not those of a second attempt, where one is missing
   * @param weights by index
   * @param duration milliseconds of the ramp
   * @returns weights by index; those that were given when nobody is starting
   */
  weigh(route: Route, candidates: readonly Backend[], weights: Weights, duration: number): Weights {
    const now = this.#now();
    const usable = this.#look(route, candidates, now);
    return this.#ramped(usable, candidates, weights, duration, now);
  }

  /** The same for a further attempt of a request: looks at nothing anew. */
  weighAgain(route: Route, candidates: readonly Backend[], weights: Weights, duration: number): Weights {
    const usable = this.#hosts.get(nameOf(route));
    return usable === undefined ? weights : this.#ramped(usable, candidates, weights, duration, this.#now());
  }

  #look(route: Route, candidates: readonly Backend[], now: number): Usable {
    const name = nameOf(route);
    const usable = this.#hosts.get(name);
    if (usable === undefined) {
      const since = new Map(candidates.map((backend) => [backend.id, Number.NEGATIVE_INFINITY]));
      const first: Usable = { candidates, since, latest: Number.NEGATIVE_INFINITY };
      this.#hosts.set(name, first);
      return first;
    }
    if (usable.candidates !== candidates) this.#compare(usable, candidates, now);
    return usable;
  }

  #compare(usable: Usable, candidates: readonly Backend[], now: number): void {
    const { since } = usable;
    usable.candidates = candidates;
    let met = 0;
    for (const { id } of candidates) if (since.has(id)) met++;
    if (met === candidates.length && met === since.size) return;
    usable.since = new Map(candidates.map(({ id }) => [id, since.get(id) ?? now]));
    if (met < candidates.length) usable.latest = now;
  }

  #ramped({ since, latest }: Usable, candidates: readonly Backend[], weights: Weights, duration: number, now: number): Weights {
    if (now - latest >= duration) return weights;
    const ramped = [...weights];
    for (const { id, index } of candidates) {
      const grown = (now - (since.get(id) ?? Number.NEGATIVE_INFINITY)) / duration;
      if (grown < 1) ramped[index] = (ramped[index] as number) * Math.max(grown, smallest);
    }
    return ramped;
  }
}

/** Dead marks are kept by host, so two hosts of one wildcard may see different backends. */
function nameOf({ host, frontend }: Route): string {
  return host === frontend ? frontend : `${frontend} ${host}`;
}
