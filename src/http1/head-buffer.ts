// Collects the pieces of a head that does not arrive at once, in time linear in its length however it is cut.
import { carriageReturn, fieldValueBytes, lineFeed } from './characters.js';

const firstCapacity = 1024;
/** Room behind a head of the greatest size, so that a head and the start of its body seldom need another copy. */
const slack = 1024;
/** The first lines of a head tell whether it is HTTP at all: up to the request line behind two empty lines, and Host. */
const tellingLines = 4;
const empty = Buffer.alloc(0);

/** Bytes of one head that is not complete yet. */
export class HeadBuffer {
  /**
   * Whether the bytes of the last `append` can have completed the head, or made it wrong: only then is it worth parsing
   * again. True for an empty line, for the first few lines, for a byte that no head has, at the size limit, and whenever
   * the length has doubled, so that all parses together take time linear in the length of the head.
   */
  mayBeComplete = false;

  readonly #limit: number;
  #store: Buffer = empty;
  #length = 0;
  /** Length when `mayBeComplete` was last true. */
  #judgedAt = 0;
  #linesSeen = 0;
  /** Where the line begins that the last byte belongs to. */
  #lineStart = 0;

  /** @param maxHeadBytes size of the greatest head that is accepted */
  constructor(maxHeadBytes: number) {
    this.#limit = maxHeadBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** What was collected. A view: valid as long as it is held, since bytes are only added behind it. */
  get bytes(): Buffer {
    return this.#store.subarray(0, this.#length);
  }

  /** Adds a copy of a piece. Look at `mayBeComplete` after each one. */
  append(chunk: Buffer): void {
    const from = this.#length;
    const length = from + chunk.length;
    if (length > this.#store.length) this.#grow(length);
    chunk.copy(this.#store, from);
    this.#length = length;
    this.mayBeComplete = this.#isTelling(from) || length >= this.#limit || length >= 2 * this.#judgedAt;
    if (this.mayBeComplete) this.#judgedAt = length;
  }

  /** Forgets everything; views that were given out stay as they are. */
  clear(): void {
    this.#store = empty;
    this.#length = 0;
    this.#judgedAt = 0;
    this.#linesSeen = 0;
    this.#lineStart = 0;
    this.mayBeComplete = false;
  }

  /** Whether the bytes from `from` on hold the end of a telling line, an empty line, or something that no head has. */
  #isTelling(from: number): boolean {
    const store = this.#store;
    // Behind the size limit nothing belongs to a head, and the limit makes it worth parsing anyway.
    const end = Math.min(this.#length, this.#limit);
    let telling = false;
    for (let at = from; at < end; at++) {
      const byte = store[at] as number;
      if (fieldValueBytes[byte] !== 0 || byte === carriageReturn) continue;
      if (byte !== lineFeed || at === 0 || store[at - 1] !== carriageReturn) return true;
      if (at - this.#lineStart === 1 || this.#linesSeen < tellingLines) telling = true;
      this.#linesSeen++;
      this.#lineStart = at + 1;
    }
    return telling;
  }

  #grow(needed: number): void {
    const doubled = Math.min(2 * this.#store.length, this.#limit + slack);
    // Not from the pool: these bytes may be held for as long as a slow client likes.
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, doubled, Math.min(firstCapacity, this.#limit)));
    this.#store.copy(larger, 0, 0, this.#length);
    this.#store = larger;
  }
}
