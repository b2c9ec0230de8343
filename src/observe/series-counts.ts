// What a node has counted since it started, for whoever keeps time series of it: of a bounded number of frontends and backends. What
// has a series of its own keeps it for as long as it is asked for, and what is counted as `other` stays there: no series ever goes back.
import { type BackendCounts, type FrontendCounts, noFrontend, otherBackends, otherFrontends } from './frontend-counts.js';
import { MergedCounts } from './merged-counts.js';

/** Backends of a frontend with series of their own. */
const mostBackends = 20;
/** Milliseconds after which a frontend or a backend that nobody asks for makes room, and how often that is looked for. */
const idleTime = 3600_000;
const sweepEvery = 60_000;

export class SeriesCounts {
  readonly #now: () => number;
  readonly #merged: MergedCounts;
  readonly #usedAt = new WeakMap<FrontendCounts | BackendCounts, number>();
  #sweptAt: number;

  /**
   * @param most frontends with series of their own
   * @param now milliseconds on a steady scale
   */
  constructor(most: number, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#sweptAt = now();
    this.#merged = new MergedCounts({
      most: most + 1,
      mostBackends,
      changing: (counts) => this.#usedAt.set(counts, now()),
      backendChanging: (counts) => this.#usedAt.set(counts, now()),
      makeRoom: () => {},
    });
    // These have their places whatever comes.
    this.#merged.frontend(noFrontend);
  }

  get frontends(): ReadonlyMap<string, FrontendCounts> {
    return this.#merged.frontends;
  }

  /** @throws Error for bytes that nobody wrote */
  merge(source: number, told: string): void {
    this.#merged.merge(source, told);
    if (this.#now() - this.#sweptAt >= sweepEvery) this.#sweep();
  }

  lose(source: number): void {
    this.#merged.lose(source);
  }

  #sweep(): void {
    this.#sweptAt = this.#now();
    for (const counts of this.#merged.frontends.values()) {
      if (counts.name === noFrontend || counts.name === otherFrontends) continue;
      if (this.#isIdle(counts)) this.#merged.drop(counts);
      for (const backend of counts.backends.values()) {
        if (backend.id !== otherBackends && this.#isIdle(backend)) counts.backends.delete(backend.id);
      }
    }
  }

  #isIdle(counts: FrontendCounts | BackendCounts): boolean {
    return counts.active === 0 && this.#now() - (this.#usedAt.get(counts) ?? 0) >= idleTime;
  }
}
