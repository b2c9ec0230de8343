// A few counts by key, such as answers by status. Most frontends have one key and no other, which is kept where the counts are: of ten
// thousand frontends nothing is in the cache of the processor when it is their turn to be told of, and each further object costs a wait.

/** The most keys that are told apart; the keys may be a backend's choice. */
const mostKeys = 40;

export class KeyedCounts<K extends number | string> {
  /** Null: nothing was ever counted. */
  firstKey: K | null = null;
  firstCount = 0;
  /** The other keys, and how often each; null: there are none. */
  restKeys: K[] | null = null;
  restCounts: number[] | null = null;
  readonly #other: K;

  /** @param other what is counted under it once there are too many keys */
  constructor(other: K) {
    this.#other = other;
  }

  add(key: K, count: number): void {
    if (key === this.firstKey) this.firstCount += count;
    else if (this.firstCount === 0 && this.restKeys === null) {
      this.firstKey = key;
      this.firstCount = count;
    } else this.#addRest(key, count);
  }

  addAll(other: KeyedCounts<K>): void {
    for (const [key, count] of other.entries()) this.add(key, count);
  }

  /** Begins anew; the keys stay where they are. */
  clear(): void {
    this.firstCount = 0;
    if (this.restCounts !== null) this.restCounts.fill(0);
  }

  /** Keys that were counted. */
  get size(): number {
    let size = this.firstCount === 0 ? 0 : 1;
    if (this.restCounts !== null) for (const count of this.restCounts) if (count > 0) size++;
    return size;
  }

  total(): number {
    let total = this.firstCount;
    if (this.restCounts !== null) for (const count of this.restCounts) total += count;
    return total;
  }

  of(key: K): number {
    if (key === this.firstKey) return this.firstCount;
    return this.restCounts?.[this.restKeys?.indexOf(key) ?? -1] ?? 0;
  }

  /** Keys and how often, without those that were not counted. */
  entries(): [K, number][] {
    const found: [K, number][] = this.firstKey === null || this.firstCount === 0 ? [] : [[this.firstKey, this.firstCount]];
    this.restKeys?.forEach((key, at) => {
      const count = this.restCounts?.[at] ?? 0;
      if (count > 0) found.push([key, count]);
    });
    return found;
  }

  /** The same as an object. */
  toObject(): Record<string, number> {
    return Object.fromEntries(this.entries());
  }

  #addRest(key: K, count: number): void {
    if (this.restKeys === null || this.restCounts === null) {
      this.restKeys = [key];
      this.restCounts = [count];
      return;
    }
    const at = this.restKeys.indexOf(key);
    if (at >= 0) this.restCounts[at] = (this.restCounts[at] as number) + count;
    else if (this.restKeys.length >= mostKeys && key !== this.#other) this.add(this.#other, count);
    else {
      this.restKeys.push(key);
      this.restCounts.push(count);
    }
  }
}
