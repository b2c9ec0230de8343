// How many passwords are checked at a time: each takes a thread and a tenth of a second, and files and names need threads too.
import { availableParallelism } from 'node:os';
import { type PasswordHash, verifyPassword } from './password-hash.js';

/** Threads that a process has for such work unless its environment says otherwise. */
const standardThreads = 4;

/** Half of the threads, and half of the processors. */
export function standardLimit(): number {
  const threads = Number(process.env.UV_THREADPOOL_SIZE) || standardThreads;
  return Math.max(1, Math.floor(Math.min(threads, availableParallelism()) / 2));
}

/** Those that wait beyond, so that nobody waits for longer than a few seconds. */
const standardWaiting = 32;

/** One for all providers of a process. */
export class PasswordChecks {
  readonly #limit: number;
  readonly #most: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /**
   * @param limit checks that run at the same time
   * @param most checks that wait
   */
  constructor(limit = standardLimit(), most = standardWaiting) {
    this.#limit = limit;
    this.#most = most;
  }

  /** Checks that run and that wait. */
  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.#running, waiting: this.#waiting.length };
  }

  /** Whether the password is right; `busy` at once where too many wait already. */
  verify(password: string, known: PasswordHash): Promise<boolean> | 'busy' {
    if (this.#running < this.#limit) {
      this.#running += 1;
      return this.#run(password, known);
    }
    if (this.#waiting.length >= this.#most) return 'busy';
    return new Promise<void>((resolve) => this.#waiting.push(resolve)).then(() => this.#run(password, known));
  }

  /** Whoever waits longest takes the place over; it is not free for a moment, or somebody else could slip in. */
  async #run(password: string, known: PasswordHash): Promise<boolean> {
    try {
      return await verifyPassword(password, known);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
