// What a node has counted since it started, for whoever keeps time series of it: of a bounded number of frontends and backends. What
// has a series of its own keeps it for as long as it is asked for, and what is counted as `other` stays there: no series ever goes back.
import { type BackendCounts, FrontendCounts, noFrontend, otherBackends, otherFrontends } from './frontend-counts.js';
import { MergedCounts } from './merged-counts.js';

/** Backends of a frontend with series of their own. */
const mostBackends = 20;
/** Milliseconds after which a frontend or a backend that nobody asks for makes room, and how often that is looked for. */
const idleTime = 3600_000;
const sweepEvery = 60_000;

export class SeriesCounts {
  /** To be added to by a `ToldCounts`. */
  readonly merged: MergedCounts<FrontendCounts>;
  readonly #now: () => number;
  #sweptAt: number;

  /**
   * @param most frontends with series of their own
   * @param now milliseconds on a steady scale
   */
  constructor(most: number, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#sweptAt = now();
    this.merged = new MergedCounts({ most: most + 1, now, make: (name) => new FrontendCounts(name, mostBackends) });
    // These have their places whatever comes.
    this.merged.frontend(noFrontend);
  }

  get frontends(): ReadonlyMap<string, FrontendCounts> {
    return this.merged.frontends;
  }

  /** Lets go of what nobody asks for, from time to time. */
  sweep(): void {
    const now = this.#now();
    if (now - this.#sweptAt < sweepEvery) return;
    this.#sweptAt = now;
    for (const counts of this.frontends.values()) {
      if (counts.name === noFrontend || counts.name === otherFrontends) continue;
      if (isIdle(counts, now)) this.merged.drop(counts);
      for (const backend of counts.backends.values()) {
        if (backend.id === otherBackends || !isIdle(backend, now)) continue;
        counts.backends.delete(backend.id);
        backend.dropped = true;
      }
    }
  }
}

function isIdle({ active, usedAt }: FrontendCounts | BackendCounts, now: number): boolean {
  return active === 0 && now - usedAt >= idleTime;
}
