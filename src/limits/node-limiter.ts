// Counts with all workers of a node together, while nobody counts for the fleet; alone where there is nobody to ask.
import type { Count, Limiter, Taking, Window } from './limiter.js';
import type { PointsQuestion } from './window-counts.js';

/** Asks the keeper of the node's counters; rejects where it does not answer. */
export type AskPoints = (question: PointsQuestion) => Promise<Taking>;

export class NodeLimiter implements Limiter {
  readonly strict = false;
  readonly alone = false;
  readonly #window: Window;
  readonly #ask: AskPoints;
  readonly #own: Limiter;

  /** @param own counts where the keeper does not answer */
  constructor(window: Window, ask: AskPoints, own: Limiter) {
    this.#window = window;
    this.#ask = ask;
    this.#own = own;
  }

  spend(key: string, points: number, seconds: number): Promise<Count> {
    const question = { window: this.#window.name, key, points, seconds, limit: 0 };
    return this.#ask(question).catch(() => this.#own.spend(key, points, seconds));
  }

  take(key: string, points: number, seconds: number): Promise<Taking> {
    const question = { window: this.#window.name, key, points, seconds, limit: this.#window.points };
    return this.#ask(question).catch(() => this.#own.take(key, points, seconds));
  }
}
