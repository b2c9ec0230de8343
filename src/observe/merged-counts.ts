// A sum of what several workers tell, of a bounded number of frontends: the rest is counted together. `ToldCounts` adds to it.
import { type BackendCounts, type FrontendCounts, otherFrontends } from './frontend-counts.js';

export interface MergedCountsParts<C extends FrontendCounts> {
  /** The most frontends that are told apart. */
  readonly most: number;
  /** Milliseconds, on any scale. */
  readonly now: () => number;
  make(name: string): C;
  /**
   * Told of each frontend whose numbers are about to change.
   * @param requests of it that have ended
   */
  changing?(counts: C, requests: number, now: number): void;
  /** Asked to make room where there is none for another frontend, by `drop`. */
  makeRoom?(): void;
}

export class MergedCounts<C extends FrontendCounts> {
  readonly #frontends = new Map<string, C>();
  readonly #parts: MergedCountsParts<C>;
  #others: C | null = null;
  #now = 0;

  constructor(parts: MergedCountsParts<C>) {
    this.#parts = parts;
  }

  get frontends(): ReadonlyMap<string, C> {
    return this.#frontends;
  }

  /** What those are counted as that are not told apart; null: there were none yet. */
  get others(): C | null {
    return this.#others;
  }

  /** Another frontend is told apart without anybody making room. */
  get hasRoom(): boolean {
    return this.#frontends.size < this.#parts.most;
  }

  /** What changes from here on changes now. */
  readClock(): void {
    this.#now = this.#parts.now();
  }

  /** The counts of a frontend, or those of all that are not told apart. */
  frontend(name: string): C {
    const known = this.#frontends.get(name);
    if (known !== undefined) return known;
    if (!this.hasRoom && name !== otherFrontends) {
      this.#parts.makeRoom?.();
      if (!this.hasRoom) return this.frontend(otherFrontends);
    }
    const made = this.#parts.make(name);
    this.#frontends.set(name, made);
    if (name === otherFrontends) this.#others = made;
    return made;
  }

  /** Its numbers are about to change. @param requests of it that have ended */
  changing(counts: C, requests: number): void {
    counts.usedAt = this.#now;
    this.#parts.changing?.(counts, requests, this.#now);
  }

  backendChanging(counts: BackendCounts): void {
    counts.usedAt = this.#now;
  }

  /** Adds what was counted elsewhere; what runs is not in it. */
  add(told: FrontendCounts): void {
    const counts = this.frontend(told.name);
    this.changing(counts, 0);
    // Whose backends they are would not be seen any more.
    if (counts.name !== told.name) told.foldBackends();
    counts.add(told);
  }

  /** Ends the counting of a frontend of which nothing runs. */
  drop(counts: C): void {
    if (counts.active > 0) return;
    this.#frontends.delete(counts.name);
    counts.dropped = true;
  }
}
