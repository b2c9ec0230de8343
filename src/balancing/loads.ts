// What the backends of this worker are busy with and how fast they were lately: fed by attempts, read by balancers.
import { performance } from 'node:perf_hooks';
import type { Strategy } from '../config/strategy.js';
import type { Backend } from '../model/backend.js';
import type { Route } from '../model/frontend.js';

/** What is known of one backend of a frontend. */
export interface Load {
  /** Attempts that run now, tunnels included. */
  readonly inFlight: number;
  /**
   * Milliseconds to the head of an answer: jumps up with a slow answer, comes down by and by, and fades when nothing is heard,
   * so that a backend that was slow is asked again. 0: nothing is known.
   */
  latencyAt(now: number): number;
}

/** What a balancer may look at. */
export interface LoadView {
  /** The backends of a frontend by id; those that are missing are idle and were not measured. */
  of(frontend: string): ReadonlyMap<string, Load> | undefined;
}

/** Milliseconds after which what was measured counts for 1/e: the horizon of the average. */
const horizon = 10_000;

/** What a failed attempt counts for at least: failing fast is no way to be chosen. */
const failurePenalty = 1_000;

/** Below this a measure has faded to nothing. */
const unmeasured = 0.001;

/** An idle backend is forgotten after that long; looked for as often. */
const forgottenAfter = 10 * 60_000;
const sweepEvery = 60_000;

/**
 * The average of peaks: a sample above it replaces it, one below it pulls it down by the time that has passed since the last.
 */
class BackendLoad implements Load {
  inFlight = 0;
  /** When something was heard of it last. */
  touched: number;
  #average = 0;

  constructor(now: number) {
    this.touched = now;
  }

  latencyAt(now: number): number {
    const faded = this.#average * Math.exp((this.touched - now) / horizon);
    return faded < unmeasured ? 0 : faded;
  }

  sample(milliseconds: number, now: number): void {
    const passed = Math.max(now - this.touched, 0);
    this.touched = now;
    if (milliseconds >= this.#average) {
      this.#average = Math.max(milliseconds, unmeasured);
      return;
    }
    // However close together samples come, each counts for something: a burst of fast answers is news too.
    const kept = Math.exp(-Math.max(passed, horizon / 100) / horizon);
    this.#average = Math.max(this.#average * kept + milliseconds * (1 - kept), unmeasured);
  }
}

/** Fits as an observer of attempts. Counts only for frontends whose strategy looks at loads. */
export class Loads implements LoadView {
  readonly #frontends = new Map<string, Map<string, BackendLoad>>();
  readonly #standard: Strategy;
  readonly #now: () => number;
  #sweptAt: number;

  /**
   * @param standard strategy of frontends without one of their own
   * @param now milliseconds that never run backwards
   */
  constructor(standard: Strategy, now: () => number = () => performance.now()) {
    this.#standard = standard;
    this.#now = now;
    this.#sweptAt = now();
  }

  /** Frontends that something is known of. */
  get size(): number {
    return this.#frontends.size;
  }

  of(frontend: string): ReadonlyMap<string, Load> | undefined {
    return this.#frontends.get(frontend);
  }

  started(route: Route, backend: Backend): void {
    if (!looksAtLoads(route.policy?.strategy ?? this.#standard)) return;
    let backends = this.#frontends.get(route.frontend);
    if (backends === undefined) {
      backends = new Map();
      this.#frontends.set(route.frontend, backends);
    }
    let load = backends.get(backend.id);
    if (load === undefined) {
      load = new BackendLoad(this.#now());
      backends.set(backend.id, load);
    }
    load.inFlight++;
  }

  answered(route: Route, backend: Backend, status: number, milliseconds: number): void {
    const load = this.#known(route, backend);
    if (load === undefined) return;
    const now = this.#now();
    // An error is quickly said: it proves slowness, never speed.
    if (status >= 500 && milliseconds < load.latencyAt(now)) return;
    load.sample(milliseconds, now);
  }

  failed(route: Route, backend: Backend): void {
    const load = this.#known(route, backend);
    if (load === undefined) return;
    const now = this.#now();
    load.sample(Math.max(failurePenalty, load.latencyAt(now)), now);
  }

  ended(route: Route, backend: Backend): void {
    const load = this.#known(route, backend);
    if (load !== undefined && load.inFlight > 0) load.inFlight--;
  }

  /** Told by the clock: forgets backends that are idle and were not heard of for long. */
  sweep(now: number): void {
    if (now - this.#sweptAt < sweepEvery) return;
    this.#sweptAt = now;
    for (const [frontend, backends] of this.#frontends) {
      for (const [id, load] of backends) {
        if (load.inFlight === 0 && now - load.touched >= forgottenAfter) backends.delete(id);
      }
      if (backends.size === 0) this.#frontends.delete(frontend);
    }
  }

  #known({ frontend }: Route, { id }: Backend): BackendLoad | undefined {
    return this.#frontends.get(frontend)?.get(id);
  }
}

/** Whether a strategy asks for loads: else nobody has to count them. */
export function looksAtLoads(strategy: Strategy): boolean {
  return strategy === 'LEAST_LATENCY' || strategy === 'LEAST_CONNECTIONS';
}
