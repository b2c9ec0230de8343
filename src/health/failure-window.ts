// Counts failures of backends over a sliding window: a mark is made by the n-th within it.
import { BoundedMap } from '../base/bounded-map.js';

/** Backends that are remembered; those that failed least recently are forgotten first. */
const maxKeys = 10_000;

export class FailureWindow {
  /** By key: when its last failures were, oldest first, never more than the threshold asks for. */
  readonly #failures = new BoundedMap<string, number[]>(maxKeys);
  readonly #now: () => number;

  /** @param now milliseconds on any scale that does not run backwards */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Counts a failure.
   * @param threshold failures that are too many
   * @param window milliseconds that a failure counts
   * @returns whether there were as many as the threshold within the window
   */
  failed(key: string, threshold: number, window: number): boolean {
    if (threshold <= 1) return true;
    const now = this.#now();
    const times = this.#failures.get(key) ?? [];
    times.push(now);
    while (times.length > threshold) times.shift();
    this.#failures.delete(key);
    this.#failures.set(key, times);
    return times.length === threshold && now - (times[0] as number) <= window;
  }

  /** Begins anew, after the backend was marked. */
  forget(key: string): void {
    this.#failures.delete(key);
  }
}
