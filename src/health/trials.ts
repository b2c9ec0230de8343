// The one request that a half-open breaker lets through: at most one at a time in all workers of all nodes, agreed on by a lease.
import { randomUUID } from 'node:crypto';
import type { Backend } from '../model/backend.js';
import type { Route } from '../model/frontend.js';
import type { Store } from '../store/store.js';

/**
 * `asking`: the store is asked for the lease. `refused`: another worker has it, or has just had it. `ready`: the next request
 * may go. `running`: it went. `settling`: what came of it is on its way to the store.
 */
type TrialState = 'asking' | 'refused' | 'ready' | 'running' | 'settling';

interface Trial {
  state: TrialState;
  /**
   * The backend as the running request has it. Requests that were under way when the breaker opened have another object: the
   * mark made a new route.
   */
  backend: Backend | null;
  /** When a state in which nothing need happen ends, milliseconds since the epoch. */
  until: number;
}

/** How long a request is waited for before another worker may let one through. */
const readyTime = 5_000;
/** When another worker is asked after again. */
const refusedTime = 1_000;
/** How long the lease of a running trial lasts; a worker that dies with one blocks the others no longer. */
const runningTime = 60_000;

export interface TrialsParts {
  readonly store: Pick<Store, 'takeLease' | 'dropLease'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Told of attempts as an observer of the stage `forward`; its two calls cost nothing while no breaker is half-open. */
export class Trials {
  readonly #store: TrialsParts['store'];
  readonly #now: () => number;
  readonly #holder = randomUUID();
  readonly #trials = new Map<string, Trial>();

  constructor({ store, now }: TrialsParts) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Whether the next request may try a backend whose breaker is half-open. Asks for the lease where it is not known; the
   * request that comes meanwhile goes elsewhere.
   */
  allows({ frontend }: Route, backend: Backend): boolean {
    const key = keyOf(frontend, backend);
    const trial = this.#trials.get(key);
    if (trial === undefined) {
      this.#ask(key);
      return false;
    }
    if (trial.state === 'running' || trial.state === 'settling' || trial.state === 'asking') return false;
    if (trial.until > this.#now()) return trial.state === 'ready';
    // The lease has run out, or may be free by now.
    this.#trials.delete(key);
    this.#ask(key);
    return false;
  }

  /** Whether the trial of a backend runs: what its request meets decides. */
  running({ frontend }: Route, backend: Backend): boolean {
    return this.#trials.size > 0 && runs(this.#trials.get(keyOf(frontend, backend)), backend);
  }

  /** An attempt begins: the first one for a backend whose trial is ready is the trial. */
  started({ frontend }: Route, backend: Backend): void {
    if (this.#trials.size === 0) return;
    const key = keyOf(frontend, backend);
    const trial = this.#trials.get(key);
    if (trial?.state !== 'ready') return;
    trial.state = 'running';
    trial.backend = backend;
    trial.until = this.#now() + runningTime;
    this.#store.takeLease(leaseOf(key), this.#holder, runningTime).catch(() => undefined);
  }

  /** What an answer or a failure means is for passive health to say, which knows the rule of the frontend. */
  answered(): void {}
  failed(): void {}

  /** The attempt has ended. One that decided nothing, since its client left, gives the trial back. */
  ended({ frontend }: Route, backend: Backend): void {
    if (this.#trials.size === 0) return;
    const key = keyOf(frontend, backend);
    if (runs(this.#trials.get(key), backend)) this.#release(key);
  }

  /** The trial is decided, and `told` settles when the store knows. */
  decided({ frontend }: Route, backend: Backend, told: Promise<void>): void {
    const key = keyOf(frontend, backend);
    const trial = this.#trials.get(key);
    if (trial === undefined) return;
    trial.state = 'settling';
    told.then(
      () => this.#release(key),
      () => this.#release(key),
    );
  }

  #ask(key: string): void {
    const trial: Trial = { state: 'asking', backend: null, until: 0 };
    this.#trials.set(key, trial);
    this.#forgetOld();
    const answered = (granted: boolean): void => {
      trial.state = granted ? 'ready' : 'refused';
      trial.until = this.#now() + (granted ? readyTime : refusedTime);
    };
    // While the store is away each worker decides for itself.
    this.#store.takeLease(leaseOf(key), this.#holder, readyTime).then(answered, () => answered(true));
  }

  #release(key: string): void {
    this.#trials.delete(key);
    this.#store.dropLease(leaseOf(key), this.#holder).catch(() => undefined);
  }

  /** Trials that nobody asks after any more. */
  #forgetOld(): void {
    const now = this.#now();
    for (const [key, { state, until }] of this.#trials) {
      if ((state === 'refused' || state === 'ready') && until <= now) this.#trials.delete(key);
    }
  }
}

function runs(trial: Trial | undefined, backend: Backend): boolean {
  return trial?.state === 'running' && trial.backend === backend;
}

function keyOf(frontend: string, { entry }: Backend): string {
  return `${frontend} ${entry}`;
}

function leaseOf(key: string): string {
  return `trial:${key}`;
}
