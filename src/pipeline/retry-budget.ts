// How many further attempts the requests of a frontend may have together, so that retries cannot become most of the load of
// backends that are in trouble already.
import { BoundedMap } from '../base/bounded-map.js';
import type { RetryBudget } from '../model/policy/retries.js';

/** Frontends that are counted. The one that was seen first is forgotten first, and begins anew. */
const mostFrontends = 10_000;

/** Requests and further attempts of the last seconds, a slot for each second. */
class RecentCounts {
  requests = 0;
  retries = 0;
  readonly #requests: number[];
  readonly #retries: number[];
  #second: number;

  constructor(seconds: number, second: number) {
    this.#requests = Array<number>(seconds).fill(0);
    this.#retries = Array<number>(seconds).fill(0);
    this.#second = second;
  }

  get seconds(): number {
    return this.#requests.length;
  }

  /** Forgets what is older than the window. */
  moveTo(second: number): void {
    const { seconds } = this;
    if (second - this.#second >= seconds) {
      this.#requests.fill(0);
      this.#retries.fill(0);
      this.requests = 0;
      this.retries = 0;
      this.#second = second;
    }
    while (this.#second < second) {
      const slot = ++this.#second % seconds;
      this.requests -= this.#requests[slot] as number;
      this.retries -= this.#retries[slot] as number;
      this.#requests[slot] = 0;
      this.#retries[slot] = 0;
    }
  }

  addRequest(): void {
    const slot = this.#second % this.seconds;
    this.#requests[slot] = (this.#requests[slot] as number) + 1;
    this.requests++;
  }

  addRetry(): void {
    const slot = this.#second % this.seconds;
    this.#retries[slot] = (this.#retries[slot] as number) + 1;
    this.retries++;
  }
}

/**
 * The budgets of all frontends of a worker. Within the window a frontend may have further attempts up to a share of its
 * requests, or up to the guaranteed number a second times the seconds of the window, whichever is more. That number is
 * counted over the window too: a quiet site whose backend restarts needs its retries all at once.
 * The times given are milliseconds on any steady scale; one that lies before a time given earlier counts as that.
 */
export class RetryBudgets {
  readonly #frontends = new BoundedMap<string, RecentCounts>(mostFrontends);

  /** A request of the frontend begins. */
  request(frontend: string, budget: RetryBudget, now: number): void {
    this.#counts(frontend, budget, now).addRequest();
  }

  /** Whether a further attempt may be made now; `retry` tells that it is. */
  allows(frontend: string, budget: RetryBudget, now: number): boolean {
    const { requests, retries } = this.#counts(frontend, budget, now);
    return retries < Math.max((requests * budget.percent) / 100, budget.minPerSecond * budget.window);
  }

  /** A further attempt is made. */
  retry(frontend: string, budget: RetryBudget, now: number): void {
    this.#counts(frontend, budget, now).addRetry();
  }

  #counts(frontend: string, { window }: RetryBudget, now: number): RecentCounts {
    const second = Math.floor(now / 1000);
    let counts = this.#frontends.get(frontend);
    if (counts === undefined || counts.seconds !== window) {
      counts = new RecentCounts(window, second);
      this.#frontends.set(frontend, counts);
    }
    counts.moveTo(second);
    return counts;
  }
}
