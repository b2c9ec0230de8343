// How long a request waits for the store although something is known that it could be answered by: not for a server that hangs.

/** Milliseconds. A store that is well replies within one; one that is far away or busy within this. */
const longestWait = 50;
/** Milliseconds after a failed read in which nobody waits for the next one. */
const afterFailure = 10_000;
const maxKeys = 10_000;

/** What came of a wait: `late` is a read that goes on. */
type Outcome<T> = T | null | 'late';

/**
 * Remembers whose reads did not come in time. The first who ask wait a moment; who asks after them is answered by what is known
 * while the read goes on, or another one is tried, behind them.
 */
export class LateReads {
  /** Keys and until when they are late, by `performance.now()`. */
  readonly #late = new Map<string, number>();

  /** Whether nobody should wait for a key. */
  has(key: string): boolean {
    const until = this.#late.size === 0 ? undefined : this.#late.get(key);
    if (until === undefined) return false;
    if (until > performance.now()) return true;
    this.#late.delete(key);
    return false;
  }

  /** Takes note of how a read of a key ends. @param reading gives null when it failed, and never rejects */
  follow<T>(key: string, reading: Promise<T | null>): void {
    void reading.then((value) => {
      if (value !== null) this.#late.delete(key);
      else if (this.#late.has(key)) this.#late.set(key, performance.now() + afterFailure);
    });
  }

  /** Waits for a read for a moment, and takes note of the key if it does not end within it. */
  async inTime<T>(key: string, reading: Promise<T | null>): Promise<Outcome<T>> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      // Where it was this process that was busy, the reply is there already: it is taken before the verdict.
      timer = setTimeout(() => setImmediate(() => resolve('late')), longestWait);
    });
    const outcome = await Promise.race([reading, late]);
    clearTimeout(timer);
    if (outcome !== 'late') return outcome;
    if (this.#late.size >= maxKeys) this.#late.clear();
    this.#late.set(key, Number.POSITIVE_INFINITY);
    this.follow(key, reading);
    return outcome;
  }
}
