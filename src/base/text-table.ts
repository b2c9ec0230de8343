// Values by a text that was just cut out of a longer one, such as the host of a request: as a Map, in less memory and a little less time.
//
// V8 knows no hash of such a text, and compares it to an equal one by a call into its runtime. Of a hundred thousand values none is in the
// processor's cache: a Map waits for memory at each step of a chain, here all but the value that is found is in one piece.
import { randomInt } from 'node:crypto';
import { isSameText } from './same-text.js';

/** What is kept: it carries the text that it is found by. */
export interface Keyed {
  readonly key: string;
}

/** Marks a place without a value; no hash is this. */
const none = 0;
const fewest = 16;

export class TextTable<V extends Keyed> {
  /** Open addressing: a value lies where its hash says or, if others lie there, behind them without a gap. At most half of it is in use. */
  #hashes = new Int32Array(fewest);
  #values: (V | undefined)[] = new Array<V | undefined>(fewest).fill(undefined);
  #size = 0;
  /** Drawn for each table: whoever chooses texts must not know which of them lie together. */
  readonly #start = randomInt(2 ** 32) | 0;
  readonly #factor = randomInt(2 ** 32) | 1;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    return this.#values[this.#find(key, this.#hash(key))];
  }

  /** Puts a value in under its key, in the place of the one that was there. */
  set(value: V): void {
    if (this.#size * 2 >= this.#hashes.length) this.#resize(this.#hashes.length * 2);
    const hash = this.#hash(value.key);
    const at = this.#find(value.key, hash);
    if (this.#hashes[at] === none) this.#size++;
    this.#hashes[at] = hash;
    this.#values[at] = value;
  }

  /** @returns whether it was there */
  delete(key: string): boolean {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    let hole = this.#find(key, this.#hash(key));
    if (hashes[hole] === none) return false;
    this.#size--;
    // What lies behind moves up, unless it would come to lie before its place.
    for (let at = (hole + 1) & mask; hashes[at] !== none; at = (at + 1) & mask) {
      const hash = hashes[at] as number;
      if (((at - hash) & mask) < ((at - hole) & mask)) continue;
      hashes[hole] = hash;
      this.#values[hole] = this.#values[at];
      hole = at;
    }
    hashes[hole] = none;
    this.#values[hole] = undefined;
    return true;
  }

  /** Its place, or the one where it would be put. */
  #find(key: string, hash: number): number {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    let at = hash & mask;
    for (; hashes[at] !== none; at = (at + 1) & mask) {
      if (hashes[at] === hash && isSameText((this.#values[at] as V).key, key)) return at;
    }
    return at;
  }

  /** 32 bits, none of which is known without the two secrets. */
  #hash(key: string): number {
    const factor = this.#factor;
    let hash = this.#start;
    for (let at = 0; at < key.length; at++) hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ key.charCodeAt(at), factor);
    hash ^= hash >>> 15;
    return hash === none ? 1 : hash;
  }

  #resize(length: number): void {
    const [hashes, values] = [this.#hashes, this.#values];
    this.#hashes = new Int32Array(length);
    this.#values = new Array<V | undefined>(length).fill(undefined);
    const mask = length - 1;
    for (let from = 0; from < hashes.length; from++) {
      const hash = hashes[from] as number;
      if (hash === none) continue;
      let at = hash & mask;
      while (this.#hashes[at] !== none) at = (at + 1) & mask;
      this.#hashes[at] = hash;
      this.#values[at] = values[from];
    }
  }
}
