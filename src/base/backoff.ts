// Growing delays between attempts, with jitter so that many that failed together do not try again together.

/** Delays that double from `first` to `most` milliseconds; each is drawn between half of its step and the whole. */
export class Backoff {
  readonly #first: number;
  readonly #most: number;
  readonly #random: () => number;
  #step: number;

  /** @param random gives numbers from 0 to below 1; a test passes its own */
  constructor(first: number, most: number, random: () => number = Math.random) {
    this.#first = first;
    this.#most = most;
    this.#random = random;
    this.#step = first;
  }

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const step = this.#step;
    this.#step = Math.min(step * 2, this.#most);
    return Math.round(step / 2 + (step / 2) * this.#random());
  }

  /** After a success that lasted: the next delay is a short one again. */
  reset(): void {
    this.#step = this.#first;
  }
}
