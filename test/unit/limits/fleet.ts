// A fleet in a time of its own: workers with their ledgers, one shared counter, and a network between them that takes a while.
import { Accounts } from '../../../src/limits/accounts.js';
import { Ledger, type Verdict } from '../../../src/limits/ledger.js';
import type { Count, Limiter, Taking, Window } from '../../../src/limits/limiter.js';

/** Milliseconds that points which were given out already may wait to be told with those of others. */
const patience = 10;

interface Event {
  readonly at: number;
  readonly run: () => void;
}

/** What a fleet is made of. */
export interface FleetOptions {
  readonly workers: number;
  readonly points: number;
  /** Seconds. */
  readonly duration: number;
  /** Milliseconds that a question and its answer are on their way, each; asked for each of them. */
  readonly delay: () => number;
}

/** What became of a request. */
export interface Outcome {
  readonly at: number;
  readonly worker: number;
  readonly admitted: boolean;
}

/** One counter for each key, as Redis has it. */
class SharedCounter {
  readonly #points: number;
  #spent = 0;
  #ends = 0;

  constructor(points: number) {
    this.#points = points;
  }

  spend(points: number, seconds: number, now: number): Count {
    if (now >= this.#ends) {
      this.#spent = 0;
      this.#ends = now + 1000 * seconds;
    }
    this.#spent += points;
    return { spent: this.#spent, left: this.#ends - now };
  }

  take(points: number, seconds: number, now: number): Taking {
    const spent = now >= this.#ends ? 0 : this.#spent;
    if (spent + points > this.#points)
      return { taken: false, spent, left: now >= this.#ends ? 1000 * seconds : this.#ends - now };
    return { taken: true, ...this.spend(points, seconds, now) };
  }
}

export class Fleet {
  readonly outcomes: Outcome[] = [];
  /** Questions to the shared counter. */
  questions = 0;
  now = 0;
  readonly #options: FleetOptions;
  readonly #ledgers: Ledger[];
  readonly #events: Event[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
    const { points, duration, workers } = options;
    const window: Window = { name: 'tier', points, duration };
    const counter = new SharedCounter(points);
    const limiter: Limiter = {
      strict: false,
      alone: false,
      spend: (_, cost, seconds) => this.#remote(() => counter.spend(cost, seconds, this.now), patience),
      take: (_, cost, seconds) => this.#remote(() => counter.take(cost, seconds, this.now)),
    };
    this.#ledgers = Array.from({ length: workers }, () => new Ledger(window, limiter, new Accounts(10), () => this.now));
  }

  /** A request of the one client there is. */
  request(at: number, worker: number, cost = 1): void {
    this.#at(at, () => {
      const decide = ({ admitted }: Verdict): void => void this.outcomes.push({ at, worker, admitted });
      const verdict = (this.#ledgers[worker] as Ledger).take('client', cost, this.now);
      if (verdict instanceof Promise) void verdict.then(decide);
      else decide(verdict);
    });
  }

  /** Lets all of it happen. */
  async run(): Promise<void> {
    while (this.#events.length > 0) {
      const next = this.#events.shift() as Event;
      this.now = next.at;
      next.run();
      for (let turn = 0; turn < 6; turn++) await null;
    }
  }

  get admitted(): number {
    return this.outcomes.filter(({ admitted }) => admitted).length;
  }

  /** In the order of time; of two at one time the one that was added first comes first. */
  #at(at: number, run: () => void): void {
    let from = 0;
    let to = this.#events.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#events[middle] as Event).at <= at) from = middle + 1;
      else to = middle;
    }
    this.#events.splice(from, 0, { at, run });
  }

  #remote<T>(ask: () => T, wait = 0): Promise<T> {
    this.questions++;
    const { delay } = this.#options;
    return new Promise((resolve) => {
      this.#at(this.now + wait + delay(), () => {
        const answer = ask();
        this.#at(this.now + delay(), () => resolve(answer));
      });
    });
  }
}
