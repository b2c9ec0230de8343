// Notices that the replica which is read from has lost its primary: it goes on answering, with what it was told last.
import { performance } from 'node:perf_hooks';
import { asError, isForbidden } from '../redis/redis-errors.js';

export interface ReplicaWatchOptions {
  /** Where it is, without credentials. */
  readonly place: string;
  /** Gives its reply to ROLE. */
  readonly askRole: () => Promise<unknown>;
  readonly log: (level: 'info' | 'warn', text: string) => void;
  /** It has found its primary again: what was read before may have changed without a word. */
  readonly onFound: () => void;
}

/** Asks when it is told to. A replica that cannot be asked is as it was: whether it is there is for others to find out. */
export class ReplicaWatch {
  readonly #options: ReplicaWatchOptions;
  /** By `performance.now()`; 0: it has its primary, or is none. */
  #since = 0;
  #looking = false;
  #complained = false;

  constructor(options: ReplicaWatchOptions) {
    this.#options = options;
  }

  /** Whether what it answers may be out of date. */
  get cutOff(): boolean {
    return this.#since !== 0;
  }

  /** Never rejects. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      this.#take(hasLostPrimary(await this.#options.askRole()));
    } catch (error) {
      if (isForbidden(asError((error as Error).cause ?? error))) this.#complain();
    } finally {
      this.#looking = false;
    }
  }

  #take(lost: boolean): void {
    if (lost === this.cutOff) return;
    const { place, log, onFound } = this.#options;
    if (lost) {
      this.#since = performance.now();
      log('warn', `Redis at ${place} has lost its primary: what it answers may be out of date until it has found it again`);
      return;
    }
    const seconds = Math.round((performance.now() - this.#since) / 1000);
    this.#since = 0;
    log('info', `Redis at ${place} is up to date again after ${seconds} s`);
    onFound();
  }

  #complain(): void {
    if (this.#complained) return;
    this.#complained = true;
    const { place, log } = this.#options;
    log('warn', `Redis at ${place} does not tell whether it has lost its primary: give this user +role`);
  }
}

/** Of `slave`, host, port, state of the link, offset; a primary begins otherwise. */
function hasLostPrimary(reply: unknown): boolean {
  return Array.isArray(reply) && reply[0] === 'slave' && reply[3] !== 'connected';
}
