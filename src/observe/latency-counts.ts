// Latencies as counts in buckets that grow with the value: cheap to record, small, and added up across processes and machines.
//
// Why none of `perf_hooks`: its histograms live in C++ (a record costs 20 ns, this one 3), the smallest takes 4 KiB, and what is in their
// buckets cannot be read, so that a process cannot hand them to another one.

/** Buckets for each doubling: a value is known to six percent, and to two where many are recorded. */
const bucketsPerDoubling = 8;
/** Microseconds below which values are not told apart. */
const finest = 8;
const mostMicroseconds = 2 ** 31 - 1;
/** Buckets that are added beyond a value outside of those there are: its neighbours come soon. */
const margin = 3;

/** Durations up to half an hour; longer ones count as that. Holds the buckets from the lowest to the highest in use. */
export class LatencyCounts {
  /** Number of the first bucket held, and what is in it and those after it. */
  first = 0;
  buckets: number[] = [];
  /** How many durations, and their sum in microseconds. */
  count = 0;
  sum = 0;
  /** Buckets with anything in them. */
  used = 0;

  /** @param milliseconds a duration; fractions count */
  record(milliseconds: number): void {
    const microseconds = milliseconds * 1000;
    // Negated, because NaN fails every comparison.
    const valid = !(microseconds > 0) ? 0 : microseconds < mostMicroseconds ? microseconds | 0 : mostMicroseconds;
    const bucket = bucketOf(valid);
    const at = bucket - this.first;
    const { buckets } = this;
    if (at >= 0 && at < buckets.length) {
      const before = buckets[at] as number;
      if (before === 0) this.used++;
      buckets[at] = before + 1;
    } else this.#put(bucket, 1);
    this.count++;
    this.sum += valid;
  }

  /** Adds what another one counted. */
  add(other: LatencyCounts): void {
    if (other.count === 0) return;
    for (let at = 0; at < other.buckets.length; at++) {
      const count = other.buckets[at] as number;
      if (count > 0) this.#put(other.first + at, count);
    }
    this.count += other.count;
    this.sum += other.sum;
  }

  /** Adds durations that another one counted, by the number of their bucket; their sum is for the caller to add. */
  addBucket(bucket: number, count: number): void {
    this.#put(bucket, count);
    this.count += count;
  }

  /** How many are in a bucket. */
  inBucket(bucket: number): number {
    return this.buckets[bucket - this.first] ?? 0;
  }

  /** Begins anew, with the room that was made. */
  clear(): void {
    if (this.count === 0) return;
    this.buckets.fill(0);
    this.count = 0;
    this.sum = 0;
    this.used = 0;
  }

  /** Mean in milliseconds; 0 without any. */
  mean(): number {
    return this.count === 0 ? 0 : this.sum / this.count / 1000;
  }

  /**
   * The duration that a share of all did not exceed, in milliseconds; 0 without any.
   * @param share from 0 to 1, such as 0.99
   */
  percentile(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.count * share));
    let seen = 0;
    for (let at = 0; at < this.buckets.length; at++) {
      const count = this.buckets[at] as number;
      if (seen + count >= wanted && count > 0) {
        const low = lowestOf(this.first + at);
        const high = lowestOf(this.first + at + 1);
        // As if they were spread evenly within the bucket.
        return (low + ((high - low) * (wanted - seen - 0.5)) / count) / 1000;
      }
      seen += count;
    }
    return 0;
  }

  /**
   * How many did not exceed each of some bounds: a bucket counts as its middle.
   * @param seconds ascending
   */
  upTo(seconds: readonly number[]): number[] {
    let at = 0;
    let seen = 0;
    return seconds.map((bound) => {
      for (; at < this.buckets.length; at++) {
        const bucket = this.first + at;
        if ((lowestOf(bucket) + lowestOf(bucket + 1)) / 2 > bound * 1e6) break;
        seen += this.buckets[at] as number;
      }
      return seen;
    });
  }

  #put(bucket: number, count: number): void {
    const { buckets } = this;
    if (buckets.length === 0) {
      this.first = Math.max(0, bucket - margin);
      this.buckets = Array.from({ length: bucket - this.first + margin + 1 }, () => 0);
    } else if (bucket < this.first) {
      const first = Math.max(0, bucket - margin);
      this.buckets = [...Array.from({ length: this.first - first }, () => 0), ...buckets];
      this.first = first;
    } else {
      const missing = bucket - this.first - buckets.length + 1;
      for (let more = missing > 0 ? missing + margin : 0; more > 0; more--) buckets.push(0);
    }
    const at = bucket - this.first;
    const before = this.buckets[at] as number;
    if (before === 0) this.used++;
    this.buckets[at] = before + count;
  }
}

/** The number of the last bucket. */
export const lastBucket = bucketOf(mostMicroseconds);

/** Small values have buckets of one width; from there the leading four bits decide. */
function bucketOf(microseconds: number): number {
  const units = (microseconds / finest) | 0;
  if (units < bucketsPerDoubling) return units;
  const doubling = 28 - Math.clz32(units);
  return (doubling + 1) * bucketsPerDoubling + ((units >>> doubling) & (bucketsPerDoubling - 1));
}

/** Microseconds from which on values fall into a bucket. */
function lowestOf(bucket: number): number {
  if (bucket < bucketsPerDoubling) return bucket * finest;
  const doubling = Math.floor(bucket / bucketsPerDoubling) - 1;
  return (bucketsPerDoubling + (bucket % bucketsPerDoubling)) * 2 ** doubling * finest;
}
