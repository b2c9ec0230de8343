// A map that forgets what was put in first when it is full: for state that may be lost, kept for names that strangers may choose.
import { type Linked, LinkedList } from './linked-list.js';

interface Entry<K, V> extends Linked<Entry<K, V>> {
  readonly key: K;
  value: V;
}

/** Order is that of insertion: looking at an entry does not renew it, nor does replacing its value. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, Entry<K, V>>();
  readonly #order = new LinkedList<Entry<K, V>>();
  readonly #bound: number;

  /** @param bound the most entries that are kept; at least one is */
  constructor(bound: number) {
    this.#bound = Math.max(1, Math.floor(bound));
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Adds an entry as the newest one, or replaces the value of one where it stands. */
  set(key: K, value: V): void {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.value = value;
      return;
    }
    const oldest = this.#order.first;
    if (oldest !== null && this.#entries.size >= this.#bound) {
      this.#order.remove(oldest);
      this.#entries.delete(oldest.key);
    }
    const entry: Entry<K, V> = { key, value, previous: null, next: null };
    this.#entries.set(key, entry);
    this.#order.append(entry);
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#order.remove(entry);
  }

  /** All values, in no order. */
  *values(): Generator<V> {
    for (const { value } of this.#entries.values()) yield value;
  }

  /** The entry of a key, made where there is none. */
  getOrAdd(key: K, make: () => V): V {
    const known = this.get(key);
    if (known !== undefined) return known;
    const value = make();
    this.set(key, value);
    return value;
  }
}
