// Where nobody tells changes: once in a while everything is said to have changed, and whoever waits for that hears of it.

export interface ChangePollOptions {
  /** Whether it is asked for at the moment; where changes are told, only those who wait are answered. */
  readonly isNeeded: () => boolean;
  /** Resolves when the server has replied, or cannot; never rejects. */
  readonly ping: () => Promise<unknown>;
  /** Says that everything may have changed. */
  readonly tell: () => void;
}

export class ChangePoll {
  readonly #options: ChangePollOptions;
  #running = false;
  /** Those who wait until everything has been told. */
  #waiting: (() => void)[] = [];

  constructor(options: ChangePollOptions) {
    this.#options = options;
  }

  /** What is known is doubted only when the server has just replied: of one that hangs nobody waits for a newer answer. */
  async poll(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    if (this.#options.isNeeded()) {
      await this.#options.ping();
      this.#options.tell();
    }
    this.#running = false;
    this.release();
  }

  /** Resolves when all changes until now are told. */
  settle(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Nobody waits any more. */
  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
