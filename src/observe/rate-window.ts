// How often something happened lately: counts by second, those of the last ten full ones summed.

/** Seconds that a rate is the mean of. */
const seconds = 10;

export class RateWindow {
  /** Counts by second, and which second each of them is of. */
  readonly #counts = new Float64Array(seconds + 1);
  readonly #stamps = new Float64Array(seconds + 1).fill(-1);
  #first = -1;

  /** @param now milliseconds on a steady scale, the same for all calls */
  count(now: number): void {
    const second = Math.floor(now / 1000);
    const place = second % this.#counts.length;
    if (this.#stamps[place] !== second) {
      this.#stamps[place] = second;
      this.#counts[place] = 0;
    }
    this.#counts[place] = (this.#counts[place] as number) + 1;
    if (this.#first === -1) this.#first = now;
  }

  /** Events a second, over the last ten seconds or since the first event, whichever is shorter, but not over less than one. */
  perSecond(now: number): number {
    if (this.#first === -1) return 0;
    const second = Math.floor(now / 1000);
    let sum = 0;
    for (let place = 0; place < this.#counts.length; place++) {
      const age = second - (this.#stamps[place] as number);
      if (age >= 0 && age < seconds) sum += this.#counts[place] as number;
    }
    // The running second is counted as far as it has come.
    const span = Math.min(now - this.#first, (seconds - 1) * 1000 + (now % 1000)) / 1000;
    return sum / Math.max(1, span);
  }
}
