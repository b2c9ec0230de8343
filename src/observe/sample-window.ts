// The last durations of something: their mean and percentiles follow what is going on now, not what was an hour ago.

/** Samples that the mean is made of. */
const meanOf = 50;

/** Half, nineteen of twenty, ninety-nine of a hundred did not exceed these, in milliseconds; 0 without samples. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** A ring that grows with what is recorded, up to its size: recording is a store into an array, sorting is left to whoever reads. */
export class SampleWindow {
  readonly #size: number;
  readonly #ring: number[] = [];
  /** Where the oldest sample is once the ring is full. */
  #next = 0;

  /** @param size samples that percentiles are made of; at least 50 */
  constructor(size: number) {
    this.#size = size;
  }

  /** @param milliseconds a duration; fractions count */
  record(milliseconds: number): void {
    if (this.#ring.length < this.#size) {
      this.#ring.push(milliseconds);
      return;
    }
    this.#ring[this.#next] = milliseconds;
    this.#next = (this.#next + 1) % this.#size;
  }

  /** The samples that the mean is made of, oldest first. */
  last(): readonly number[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)].slice(-meanOf);
  }

  /** Mean of the last 50; 0 without any. */
  mean(): number {
    const samples = this.last();
    return samples.length === 0 ? 0 : samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  }

  percentiles(): Percentiles {
    const sorted = Float64Array.from(this.#ring).sort();
    const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
  }
}
