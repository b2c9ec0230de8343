// A few counts by key, such as answers by status: two short lists, because most frontends have one or two keys.

/** The most keys that are told apart; the keys may be a backend's choice. */
const mostKeys = 40;

export class KeyedCounts<K extends number | string> {
  readonly keys: K[] = [];
  readonly counts: number[] = [];
  readonly #other: K;

  /** @param other what is counted under it once there are too many keys */
  constructor(other: K) {
    this.#other = other;
  }

  add(key: K, count: number): void {
    const { keys } = this;
    for (let at = 0; at < keys.length; at++) {
      if (keys[at] === key) {
        this.counts[at] = (this.counts[at] as number) + count;
        return;
      }
    }
    if (keys.length >= mostKeys && key !== this.#other) {
      this.add(this.#other, count);
      return;
    }
    keys.push(key);
    this.counts.push(count);
  }

  addAll({ keys, counts }: KeyedCounts<K>): void {
    for (let at = 0; at < keys.length; at++) {
      if ((counts[at] as number) > 0) this.add(keys[at] as K, counts[at] as number);
    }
  }

  /** Begins anew; the keys stay where they are. */
  clear(): void {
    this.counts.fill(0);
  }

  total(): number {
    let total = 0;
    for (const count of this.counts) total += count;
    return total;
  }

  of(key: K): number {
    return this.counts[this.keys.indexOf(key)] ?? 0;
  }

  /** By key, without those that were not counted. */
  toObject(): Record<string, number> {
    const shown: [string, number][] = [];
    for (let at = 0; at < this.keys.length; at++) {
      if ((this.counts[at] as number) > 0) shown.push([String(this.keys[at]), this.counts[at] as number]);
    }
    return Object.fromEntries(shown);
  }
}
