// Counts in the memory of this process: the whole truth where it is the only one, the best there is while Redis is away.
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Count, Limiter, Taking, Window } from './limiter.js';

export class MemoryLimiter implements Limiter {
  readonly strict = false;
  readonly #limiter: RateLimiterMemory;
  readonly #bound: number;
  /** Keys in the order in which they were first counted; some may have expired. */
  readonly #keys = new Set<string>();
  /** What was asked before: a refusal takes back what it has counted, and nobody may look in between. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param bound the most keys that are counted; the oldest are forgotten first */
  constructor({ name, points, duration }: Window, bound: number) {
    this.#limiter = new RateLimiterMemory({ keyPrefix: name, points, duration });
    this.#bound = bound;
  }

  spend(key: string, points: number, seconds: number): Promise<Count> {
    return this.#inTurn(async () => countOf(await this.#counted(key).penalty(key, points, { customDuration: seconds })));
  }

  take(key: string, points: number, seconds: number): Promise<Taking> {
    return this.#inTurn(async () => {
      try {
        return { taken: true, ...countOf(await this.#counted(key).consume(key, points, { customDuration: seconds })) };
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        return { taken: false, ...countOf(await this.#limiter.reward(key, points)) };
      }
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #counted(key: string): RateLimiterMemory {
    if (this.#keys.size >= this.#bound && !this.#keys.has(key)) {
      const oldest = this.#keys.values().next().value as string;
      this.#keys.delete(oldest);
      void this.#limiter.delete(oldest);
    }
    this.#keys.add(key);
    return this.#limiter;
  }
}

function countOf({ consumedPoints, msBeforeNext }: RateLimiterRes): Count {
  return { spent: consumedPoints, left: msBeforeNext };
}
