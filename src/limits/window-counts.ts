// Counters of points that several workers ask one keeper for, each for as long as its window lasts.
import { BoundedMap } from '../base/bounded-map.js';
import type { Taking } from './limiter.js';

/** What a worker asks the keeper: plain values. */
export interface PointsQuestion {
  /** Name of the window; its counters are apart from those of others. */
  readonly window: string;
  readonly key: string;
  readonly points: number;
  /** That the window lasts, where it begins with these points. */
  readonly seconds: number;
  /** Points are taken only as long as no more than this have been; 0: they were given out already. */
  readonly limit: number;
}

interface Counter {
  spent: number;
  /** Milliseconds on the scale of the keeper's clock. */
  readonly ends: number;
}

/** Counts nothing that it refuses. Under a flood of keys the oldest are forgotten first. */
export class WindowCounts {
  readonly #counters: BoundedMap<string, Counter>;
  readonly #now: () => number;

  /**
   * @param bound the most keys that are counted, of all windows together
   * @param now milliseconds that never run backwards
   */
  constructor(bound: number, now: () => number = () => performance.now()) {
    this.#counters = new BoundedMap(bound);
    this.#now = now;
  }

  get size(): number {
    return this.#counters.size;
  }

  answer({ window, key, points, seconds, limit }: PointsQuestion): Taking {
    const now = this.#now();
    const name = `${window}\0${key}`;
    let counter = this.#counters.get(name);
    if (counter !== undefined && counter.ends <= now) {
      // Its place in the order is that of its window.
      this.#counters.delete(name);
      counter = undefined;
    }
    const spent = counter?.spent ?? 0;
    if (limit > 0 && spent + points > limit) {
      return { taken: false, spent, left: counter === undefined ? 1000 * seconds : counter.ends - now };
    }
    if (counter === undefined) {
      counter = { spent: 0, ends: now + 1000 * seconds };
      this.#counters.set(name, counter);
    }
    counter.spent += points;
    return { taken: true, spent: counter.spent, left: counter.ends - now };
  }
}
