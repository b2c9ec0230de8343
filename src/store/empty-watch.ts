// Notices that a Redis which held frontends holds none any more: it was flushed, or started again without its data.
import type { RedisConfig } from '../config/config.js';

export interface EmptyWatchOptions {
  readonly emptyMeans: RedisConfig['emptyMeans'];
  /** Where it is, without credentials. */
  readonly place: string;
  /** Asks whether there is any frontend. */
  readonly hasFrontends: () => Promise<boolean>;
  readonly log: (level: 'info' | 'warn' | 'error', text: string) => void;
  /** From now on what was read before is kept, and is not in force any more; or it is kept no longer. */
  readonly onChange: () => void;
}

/**
 * Where an empty Redis is trusted, it is told of and no more. Else what was read before is kept: whoever wants to read waits until
 * it has been looked whether anything is there, and is refused while nothing is.
 */
export class EmptyWatch {
  readonly #options: EmptyWatchOptions;
  /** Some frontend has been read since it was empty last. */
  #held = false;
  #kept = false;
  #looking: Promise<void> | null = null;
  /** Something has happened since the look that runs began. */
  #again = false;

  constructor(options: EmptyWatchOptions) {
    this.#options = options;
  }

  /** Whether what was read before is kept. */
  get kept(): boolean {
    return this.#kept;
  }

  /** Whether an empty Redis is not trusted. */
  get keeps(): boolean {
    return this.#options.emptyMeans === 'keep';
  }

  /** A frontend has been read. */
  held(): void {
    this.#held = true;
  }

  /** Whether some frontend is known to have been there. */
  get holds(): boolean {
    return this.#held;
  }

  /** At a start: whoever has read nothing yet shall not take it for one that was always empty, either. Never rejects. */
  async begin(): Promise<void> {
    if (this.keeps && (await this.#options.hasFrontends().catch(() => null)) === true) this.held();
  }

  /** Everything may have gone, or something may have come: looks what is there. Resolves when that is known; never rejects. */
  async look(): Promise<void> {
    if (!this.#held && !this.#kept) return;
    if (this.#looking !== null) this.#again = true;
    else
      this.#looking = this.#look().finally(() => {
        this.#looking = null;
      });
    await this.#looking;
  }

  /** Null where there is nothing to wait for. Rejects while what was read before is kept. */
  beforeRead(): Promise<void> | null {
    return this.keeps && (this.#kept || this.#looking !== null) ? this.#waitToRead() : null;
  }

  async #waitToRead(): Promise<void> {
    await this.#looking;
    if (this.#kept) throw new Error(`Redis at ${this.#options.place} is empty, and redis.emptyMeans is "keep"`);
  }

  /** Never rejects: who cannot look will be told so by what is read next. */
  async #look(): Promise<void> {
    do {
      this.#again = false;
      const some = await this.#options.hasFrontends().catch(() => null);
      if (some === false && !this.#kept) this.#isEmpty();
      else if (some === true && this.#kept) this.#hasSome();
    } while (this.#again);
  }

  #isEmpty(): void {
    const { place, log } = this.#options;
    this.#held = false;
    this.#kept = this.keeps;
    const what = this.#kept
      ? 'the last known ones go on being served until a frontend is written (redis.emptyMeans is "keep")'
      : 'no host is known any more (redis.emptyMeans is "trust")';
    log('error', `Redis at ${place} is EMPTY, though it held frontends: ${what}; was it flushed, or started without its data?`);
    if (this.#kept) this.#options.onChange();
  }

  #hasSome(): void {
    const { place, log, onChange } = this.#options;
    this.#kept = false;
    log('warn', `Redis at ${place} holds frontends again: what is there now is served`);
    onChange();
  }
}
