// Tells when a frontend's list expires: Redis itself tells an expiry late, up to seconds when many keys carry one.

/** `setTimeout` takes no more than 31 bits; a longer expiry is simply looked at again. */
const longestTimer = 0x7fffffff;
/** Beyond this many names Redis's own notice has to do. */
const maxNames = 10_000;

/** One timer for each name that carries an expiry, which is rare. */
export class ExpiryWatch {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #onExpiry: (name: string) => void;

  constructor(onExpiry: (name: string) => void) {
    this.#onExpiry = onExpiry;
  }

  /** Tells after `milliseconds` that `name` has expired; replaces what was set for it before. */
  watch(name: string, milliseconds: number): void {
    this.forget(name);
    if (this.#timers.size >= maxNames) return;
    const timer = setTimeout(
      () => {
        this.#timers.delete(name);
        this.#onExpiry(name);
      },
      // A timer may fire up to a millisecond early, as the reply may have been rounded.
      Math.min(milliseconds + 1, longestTimer),
    );
    this.#timers.set(name, timer.unref());
  }

  forget(name: string): void {
    const timer = this.#timers.get(name);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#timers.delete(name);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
