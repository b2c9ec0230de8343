// The last durations of something: their mean and percentiles follow what is going on now, not what was an hour ago.

/** Samples that the mean is made of. */
const meanOf = 50;

/** Half, nineteen of twenty, ninety-nine of a hundred did not exceed these, in milliseconds; 0 without samples. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** A ring: recording is a store into an array, sorting is left to whoever reads. */
export class SampleWindow {
  readonly #ring: Float64Array;
  #recorded = 0;

  /** @param size samples that percentiles are made of; at least 50 */
  constructor(size: number) {
    this.#ring = new Float64Array(size);
  }

  /** @param milliseconds a duration; fractions count */
  record(milliseconds: number): void {
    this.#ring[this.#recorded % this.#ring.length] = milliseconds;
    this.#recorded++;
  }

  /** The samples that the mean is made of, oldest first. */
  last(): readonly number[] {
    const count = Math.min(this.#recorded, meanOf);
    const samples: number[] = [];
    for (let at = this.#recorded - count; at < this.#recorded; at++) samples.push(this.#ring[at % this.#ring.length] as number);
    return samples;
  }

  /** Mean of the last 50; 0 without any. */
  mean(): number {
    const samples = this.last();
    return samples.length === 0 ? 0 : samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  }

  percentiles(): Percentiles {
    const sorted = this.#ring.slice(0, Math.min(this.#recorded, this.#ring.length)).sort();
    const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
  }
}
