// What a worker has counted since it last told its node, by frontend. Whoever holds a route holds its counters as well: an exchange
// adds to a few numbers and looks nothing up.
import { type BackendCounts, FrontendCounts, noFrontend, otherFrontends } from './frontend-counts.js';
import type { RouteCounts } from './route-counts.js';
import { Telling } from './telling.js';

/** The most frontends that are told apart. */
const mostFrontends = 12_000;
/** A frontend or backend that had nothing to tell so many times in a row is let go of; all of it has been told. */
const quietUntilDropped = 60;

export class Tally {
  /** Of exchanges that no frontend serves. */
  readonly none = new FrontendCounts(noFrontend);
  readonly #frontends = new Map<string, FrontendCounts>([[noFrontend, this.none]]);
  readonly #telling = new Telling();
  readonly #changed: BackendCounts[] = [];

  /** Frontends that are told apart now. */
  get size(): number {
    return this.#frontends.size;
  }

  /** The counters of a route's frontend. */
  frontend(held: RouteCounts, name: string): FrontendCounts {
    if (held.frontend !== null) return held.frontend;
    const found = this.#open(name);
    held.hold(found);
    return found;
  }

  /** What has changed since the last call, for `ToldCounts`; empty: nothing. Valid until the next call. The counters begin anew. */
  collect(): Buffer {
    const changed = this.#changed;
    for (const counts of this.#frontends.values()) {
      changed.length = 0;
      for (const backend of counts.backends.values()) {
        if (backend.attempts > 0 || backend.active !== backend.toldActive) changed.push(backend);
        else if (++backend.quiet >= quietUntilDropped && backend.active === 0) this.#dropBackend(counts, backend);
      }
      if (changed.length === 0 && !hasChanged(counts)) {
        if (++counts.quiet >= quietUntilDropped) this.#drop(counts);
        continue;
      }
      this.#telling.frontend(counts, changed);
      told(counts);
      for (const backend of changed) backendTold(backend);
    }
    return this.#telling.take();
  }

  #open(name: string): FrontendCounts {
    const known = this.#frontends.get(name);
    if (known !== undefined) return known;
    // Nobody is let go of for a newcomer: where more frontends are in use than are told apart, each would push out another one for ever.
    if (this.#frontends.size >= mostFrontends && name !== otherFrontends) return this.#open(otherFrontends);
    const made = new FrontendCounts(name);
    this.#frontends.set(name, made);
    return made;
  }

  #drop(counts: FrontendCounts): void {
    if (counts.active > 0 || counts === this.none) return;
    for (const backend of counts.backends.values()) if (backend.active > 0 || backend.attempts > 0) return;
    this.#frontends.delete(counts.name);
    this.#telling.forget(counts);
    counts.dropped = true;
  }

  #dropBackend(frontend: FrontendCounts, backend: BackendCounts): void {
    frontend.backends.delete(backend.id);
    this.#telling.forgetBackend(backend);
    backend.dropped = true;
  }
}

function hasChanged(counts: FrontendCounts): boolean {
  return (
    counts.requests > 0 ||
    counts.hits > 0 ||
    counts.queued > 0 ||
    counts.active !== counts.toldActive ||
    counts.running !== counts.toldRunning ||
    counts.waiting !== counts.toldWaiting
  );
}

function told(counts: FrontendCounts): void {
  counts.clear();
  counts.toldActive = counts.active;
  counts.toldRunning = counts.running;
  counts.toldWaiting = counts.waiting;
  counts.quiet = 0;
}

function backendTold(counts: BackendCounts): void {
  counts.clear();
  counts.toldActive = counts.active;
  counts.quiet = 0;
}
