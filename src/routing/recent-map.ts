// A bounded map that forgets what was not asked for in a while, and whose hit is one `Map.get`.

/**
 * Two generations: what is set goes into the young one; when that holds half of the bound, it becomes the old one and what
 * is left of the old one before it is forgotten. Asking for something old makes it young. Compared with a linked list by
 * age, a hit touches nothing.
 */
export class RecentMap<V extends object> {
  readonly #half: number;
  readonly #onForget: (value: V) => void;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  /**
   * @param bound the most that is held
   * @param onForget told of each value that is forgotten or replaced, not of those that are deleted
   */
  constructor(bound: number, onForget: (value: V) => void) {
    this.#half = Math.max(1, Math.floor(bound / 2));
    this.#onForget = onForget;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): V | undefined {
    return this.#young.get(key) ?? this.#fromOld(key);
  }

  set(key: string, value: V): void {
    const before = this.get(key);
    if (this.#young.size >= this.#half && !this.#young.has(key)) this.#age();
    this.#young.set(key, value);
    if (before !== undefined && before !== value) this.#onForget(before);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  #fromOld(key: string): V | undefined {
    const value = this.#old.get(key);
    if (value === undefined) return undefined;
    this.#old.delete(key);
    if (this.#young.size >= this.#half) this.#age();
    this.#young.set(key, value);
    return value;
  }

  #age(): void {
    const forgotten = this.#old;
    this.#old = this.#young;
    this.#young = new Map();
    for (const value of forgotten.values()) this.#onForget(value);
  }
}
