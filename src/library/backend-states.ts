// How the backends of routes stand, as the bus tells: dead or alive, and how many attempts in a row have failed.
import type { EventBus } from '../observe/events.js';

/** One backend's. */
export interface BackendState {
  /** Milliseconds since the epoch; 0: it is alive. */
  readonly deadSince: number;
  readonly failureCount: number;
}

const well: BackendState = Object.freeze({ deadSince: 0, failureCount: 0 });

/** Holds what is not well only. */
export class BackendStates {
  readonly #states = new Map<string, BackendState>();

  constructor(events: EventBus) {
    events.on('backend.dead', ({ vHost, backend, since }) => this.#change(vHost, backend.id, { deadSince: since }));
    events.on('backend.alive', ({ vHost, backend }) => this.#states.delete(keyOf(vHost, backend.id)));
    events.on('attempt.failed', ({ vHost, backendId }) => {
      this.#change(vHost, backendId, { failureCount: this.of(vHost, backendId).failureCount + 1 });
    });
    events.on('attempt.answered', ({ vHost, backendId }) => {
      if (this.#states.size > 0) this.#change(vHost, backendId, { failureCount: 0 });
    });
  }

  of(vHost: string, backendId: string): BackendState {
    return this.#states.get(keyOf(vHost, backendId)) ?? well;
  }

  /** Of all backends of a route: it went, or the proxy did. */
  forget(vHost?: string): void {
    for (const key of this.#states.keys()) {
      if (vHost === undefined || key.startsWith(keyOf(vHost, ''))) this.#states.delete(key);
    }
  }

  #change(vHost: string, backendId: string, change: Partial<BackendState>): void {
    const key = keyOf(vHost, backendId);
    const state = { ...this.of(vHost, backendId), ...change };
    if (state.deadSince === 0 && state.failureCount === 0) this.#states.delete(key);
    else this.#states.set(key, state);
  }
}

function keyOf(vHost: string, backendId: string): string {
  return `${vHost} ${backendId}`;
}
