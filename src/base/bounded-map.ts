// A map that forgets what was put in first when it is full: for state that may be lost, kept for names that strangers may choose.

/** Order is that of insertion: looking at an entry does not renew it. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #bound: number;

  /** @param bound the most entries that are kept */
  constructor(bound: number) {
    this.#bound = bound;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Adds or replaces an entry. */
  set(key: K, value: V): void {
    if (this.#entries.size >= this.#bound && !this.#entries.has(key)) {
      this.#entries.delete(this.#entries.keys().next().value as K);
    }
    this.#entries.set(key, value);
  }

  /** The entry of a key, made where there is none. */
  getOrAdd(key: K, make: () => V): V {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const value = make();
    this.set(key, value);
    return value;
  }
}
