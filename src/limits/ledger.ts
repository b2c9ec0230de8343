// Decides about the points of one window: from memory as long as a block lasts or a client is known to have none left.
//
// A worker may give out a block of points to a client before it tells the others. It tells them when most of the block is
// spent, and learns what they have spent meanwhile; a block can be given out while the answer is on its way. So a client who
// spreads over many workers is never refused for points that it has not spent, and what all of them give out together is never
// more than the limit and one block for each worker.
import type { Account, Accounts, AccountTable } from './accounts.js';
import { blockOf, firstBlock, nextWish, tellsAt } from './block.js';
import type { Limiter, Window } from './limiter.js';

/** What was decided, and what the client may be told. */
export interface Verdict {
  readonly admitted: boolean;
  /** Points that are left in the window, as far as this worker knows. */
  readonly remaining: number;
  /** Milliseconds until the window ends. */
  readonly reset: number;
}

export class Ledger {
  readonly window: Window;
  readonly #limiter: Limiter;
  readonly #accounts: Accounts;
  readonly #table: AccountTable;
  readonly #now: () => number;

  /** @param now milliseconds on the scale of what is given to `take` */
  constructor(window: Window, limiter: Limiter, accounts: Accounts, now: () => number = () => performance.now()) {
    this.window = window;
    this.#limiter = limiter;
    this.#accounts = accounts;
    this.#table = accounts.createTable();
    this.#now = now;
  }

  /**
   * Takes points for a request. A refused request costs nothing and does not put off the end of the window.
   * @param cost from 1; more than the whole limit counts as the whole limit
   * @param now `performance.now()`, or a moment before
   * @returns a promise only where the limiter must be asked; it rejects when nothing can be counted
   */
  take(key: string, cost: number, now: number): Verdict | Promise<Verdict> {
    const { points, duration } = this.window;
    const wanted = cost < points ? cost : points;
    const account = this.#table.of(key);
    if (now >= account.ends) account.begin(now, 1000 * duration, this.#limiter.alone ? points : firstBlock(points));
    const untold = account.pending + account.telling;
    if (account.spent + untold + wanted > points) return this.#verdict(false, account, now);
    if (untold + wanted > account.block || this.#limiter.strict) return this.#ask(key, account, wanted, now);
    account.pending += wanted;
    if (account.telling === 0 && account.pending >= tellsAt(account.block)) this.#tell(key, account, now);
    return this.#verdict(true, account, now);
  }

  /** The ledger is not used any more. */
  close(): void {
    this.#accounts.drop(this.#table);
  }

  async #ask(key: string, account: Account, wanted: number, now: number): Promise<Verdict> {
    const taking = await this.#limiter.take(key, wanted, this.#secondsLeft(account, now));
    const then = this.#now();
    account.learn(taking, then);
    account.block = this.#blockOf(account);
    // A block that has shrunk below what was given out of the last one would have every request ask until that is told.
    if (account.telling === 0 && account.pending > 0 && account.pending >= tellsAt(account.block)) this.#tell(key, account, then);
    return this.#verdict(taking.taken, account, then);
  }

  #tell(key: string, account: Account, now: number): void {
    const { turn, pending: told } = account;
    const { points } = this.window;
    account.telling = told;
    account.pending = 0;
    account.wish = nextWish(points, account.wish, now - account.toldAt);
    account.toldAt = Math.floor(now);
    this.#limiter.spend(key, told, this.#secondsLeft(account, now)).then(
      (count) => {
        if (account.turn === turn) account.telling = 0;
        account.learn(count, this.#now());
        account.block = this.#blockOf(account);
      },
      () => {
        if (account.turn !== turn) return;
        // Nobody counts now: they are told later, and whoever comes meanwhile has to ask.
        account.telling = 0;
        account.pending += told;
        account.block = 0;
      },
    );
  }

  /** Where nobody else gives anything out, all that is left is the block. */
  #blockOf({ spent, wish }: Account): number {
    const { points } = this.window;
    return this.#limiter.alone ? points - spent : blockOf(points, spent, wish);
  }

  #verdict(admitted: boolean, { spent, pending, telling, ends }: Account, now: number): Verdict {
    const { points, duration } = this.window;
    const remaining = Math.max(0, points - spent - pending - telling);
    return { admitted, remaining, reset: Math.max(0, Math.min(1000 * duration, ends - now)) };
  }

  /** A window that begins in Redis with what a worker tells began in fact when the worker gave it out. */
  #secondsLeft({ ends }: Account, now: number): number {
    return Math.max(1, Math.min(this.window.duration, Math.ceil((ends - now) / 1000)));
  }
}
