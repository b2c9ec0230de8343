// Counts in Redis as long as it is there, and does what the settings ask for while it is not.
import type { Count, Limiter, Taking, Window } from './limiter.js';

/** `open`: nobody is limited; `local`: each node counts by itself, from nothing; `closed`: nothing that must be counted passes. */
export type WhenAway = 'open' | 'local' | 'closed';

export class FallbackLimiter implements Limiter {
  /** Redis may be back at any moment. */
  readonly alone = false;
  readonly #shared: Limiter;
  /** Null: nothing counts in its place. */
  readonly #instead: Limiter | null;
  #away = false;

  /**
   * @param shared asked each time: it fails at once while Redis is away
   * @param own counts while it is, if the settings say `local`
   */
  constructor(window: Window, shared: Limiter, own: Limiter, whenAway: WhenAway) {
    this.#shared = shared;
    this.#instead = whenAway === 'closed' ? null : whenAway === 'local' ? own : new OpenLimiter(window);
  }

  get strict(): boolean {
    return this.#away && this.#instead === null;
  }

  spend(key: string, points: number, seconds: number): Promise<Count> {
    return this.#ask((limiter) => limiter.spend(key, points, seconds));
  }

  take(key: string, points: number, seconds: number): Promise<Taking> {
    return this.#ask((limiter) => limiter.take(key, points, seconds));
  }

  async #ask<T>(question: (limiter: Limiter) => Promise<T>): Promise<T> {
    try {
      const answer = await question(this.#shared);
      this.#away = false;
      return answer;
    } catch (error) {
      this.#away = true;
      if (this.#instead === null) throw error;
      return question(this.#instead);
    }
  }
}

/** Finds that nothing was ever spent. */
class OpenLimiter implements Limiter {
  readonly strict = false;
  readonly alone = false;
  readonly #nothing: Taking;

  constructor({ duration }: Window) {
    this.#nothing = Object.freeze({ taken: true, spent: 0, left: 1000 * duration });
  }

  async spend(): Promise<Count> {
    return this.#nothing;
  }

  async take(): Promise<Taking> {
    return this.#nothing;
  }
}
