// Latencies as counts in buckets that grow with the value: cheap to record, exact to about three percent.

/**
 * 32 buckets for each doubling. Recording costs about 3 ns; `perf_hooks.createHistogram` costs about 20, since each call
 * crosses into C++, and there are two records a request.
 */
const bucketsPerDoubling = 32;
const mostMicroseconds = 2 ** 31 - 1;

/** Durations from a microsecond to half an hour; longer ones count as that. */
export class Histogram {
  readonly #counts = new Float64Array(bucketOf(mostMicroseconds) + 1);
  /** Number of durations, their sum and the longest, in milliseconds. */
  count = 0;
  sum = 0;
  max = 0;

  /** @param milliseconds a duration; fractions count */
  record(milliseconds: number): void {
    let valid = milliseconds;
    // Negated, because NaN fails every comparison.
    if (!(valid > 0)) valid = 0;
    const microseconds = valid * 1000;
    const bucket = bucketOf(microseconds < mostMicroseconds ? microseconds | 0 : mostMicroseconds);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.count++;
    this.sum += valid;
    if (valid > this.max) this.max = valid;
  }

  /**
   * The duration that a share of all did not exceed, in milliseconds; 0 without any.
   * @param share from 0 to 1, such as 0.99
   */
  percentile(share: number): number {
    if (this.count === 0) return 0;
    const wanted = Math.max(1, Math.ceil(this.count * share));
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket] as number;
      if (seen >= wanted) return Math.min(middleOf(bucket) / 1000, this.max);
    }
    return this.max;
  }
}

/** Small values have a bucket each; from there the leading six bits decide. */
function bucketOf(microseconds: number): number {
  if (microseconds < bucketsPerDoubling) return microseconds;
  const doubling = 26 - Math.clz32(microseconds);
  return (doubling + 1) * bucketsPerDoubling + ((microseconds >>> doubling) & (bucketsPerDoubling - 1));
}

function middleOf(bucket: number): number {
  if (bucket < bucketsPerDoubling) return bucket;
  const doubling = Math.floor(bucket / bucketsPerDoubling) - 1;
  const lowest = (bucketsPerDoubling + (bucket % bucketsPerDoubling)) * 2 ** doubling;
  return lowest + 2 ** doubling / 2;
}
