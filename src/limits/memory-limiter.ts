// Counts in the memory of this process: the whole truth where it is the only one, the best there is while Redis is away.
import type { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Count, Limiter, Taking, Window } from './limiter.js';
import { rateLimiterPackage } from './rate-limiter-package.js';

export class MemoryLimiter implements Limiter {
  readonly strict = false;
  readonly alone = true;
  readonly #limiter: RateLimiterMemory;
  readonly #bound: number;
  /** Keys that are counted; some may have expired. */
  readonly #keys = new Set<string>();
  /** The same in the order in which they came, round and round: to look for the first of a set takes the longer the more it has lost. */
  readonly #ring: string[] = [];
  #next = 0;
  /** What was asked before: between the look at a counter and its change nobody else may come. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param bound the most keys that are counted; the oldest are forgotten first */
  constructor({ name, points, duration }: Window, bound: number) {
    this.#limiter = new (rateLimiterPackage().RateLimiterMemory)({ keyPrefix: name, points, duration });
    this.#bound = bound;
  }

  spend(key: string, points: number, seconds: number): Promise<Count> {
    return this.#inTurn(async () => countOf(await this.#counted(key).penalty(key, points, { customDuration: seconds })));
  }

  take(key: string, points: number, seconds: number): Promise<Taking> {
    return this.#inTurn(async () => {
      const known = await this.#limiter.get(key);
      const spent = known !== null && known.msBeforeNext > 0 ? known.consumedPoints : 0;
      if (spent + points > this.#limiter.points) {
        return { taken: false, spent, left: spent > 0 && known !== null ? known.msBeforeNext : 1000 * seconds };
      }
      return { taken: true, ...countOf(await this.#counted(key).penalty(key, points, { customDuration: seconds })) };
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #counted(key: string): RateLimiterMemory {
    if (this.#keys.has(key)) return this.#limiter;
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined) {
      this.#keys.delete(oldest);
      void this.#limiter.delete(oldest);
    }
    this.#keys.add(key);
    this.#ring[this.#next] = key;
    this.#next = (this.#next + 1) % this.#bound;
    return this.#limiter;
  }
}

function countOf({ consumedPoints, msBeforeNext }: RateLimiterRes): Count {
  return { spent: consumedPoints, left: msBeforeNext };
}
