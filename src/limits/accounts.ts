// What a worker knows of clients: one account each for a window, of all tiers together not more than a bound.
import type { Count } from './limiter.js';

/** A client's account. Plain whole numbers, since there may be hundreds of thousands of them. */
export class Account {
  /** Points that were counted for it by all workers, as far as this one has heard. */
  spent = 0;
  /** Points that this worker has given out and not told yet, and those that it is telling now. */
  pending = 0;
  telling = 0;
  /** How many of both there may be. */
  block = 0;
  /** What the rate of the client asks for as a block. */
  wish = 0;
  /** When its window ends, and when the block was last told; milliseconds on the scale of `performance.now()`. */
  ends = 0;
  toldAt = 0;
  /** Counts the windows: what was told in one says nothing of the telling in the next. */
  turn = 0;

  /** A new window begins; nothing of the last one counts in it. */
  begin(now: number, milliseconds: number, block: number): void {
    this.spent = 0;
    this.pending = 0;
    this.telling = 0;
    this.block = block;
    this.wish = block;
    this.ends = Math.ceil(now + milliseconds);
    this.toldAt = Math.floor(now);
    this.turn++;
  }

  /** What the others have spent too. */
  learn({ spent, left }: Count, now: number): void {
    this.spent = spent;
    this.ends = Math.ceil(now + left);
  }
}

/** The accounts of one window. */
export class AccountTable {
  readonly #accounts: Accounts;
  #young = new Map<string, Account>();
  #old = new Map<string, Account>();

  constructor(accounts: Accounts) {
    this.#accounts = accounts;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The account of a key; a new one has not begun a window. */
  of(key: string): Account {
    return this.#young.get(key) ?? this.#fromOldOrNew(key);
  }

  /** What was not asked for since the last time is forgotten. */
  age(): void {
    this.#old = this.#young;
    this.#young = new Map();
  }

  #fromOldOrNew(key: string): Account {
    const old = this.#old.get(key);
    if (old !== undefined) this.#old.delete(key);
    const account = old ?? new Account();
    this.#accounts.grew();
    this.#young.set(key, account);
    return account;
  }
}

/**
 * Two generations: when the young ones are half of the bound, they become the old ones, and those who were old and did not come
 * back meanwhile are forgotten. A client who is known costs one look-up.
 */
export class Accounts {
  readonly #half: number;
  readonly #tables = new Set<AccountTable>();
  #young = 0;

  /** @param bound the most accounts that are kept */
  constructor(bound: number) {
    this.#half = Math.max(1, Math.floor(bound / 2));
  }

  get size(): number {
    let size = 0;
    for (const table of this.#tables) size += table.size;
    return size;
  }

  createTable(): AccountTable {
    const table = new AccountTable(this);
    this.#tables.add(table);
    return table;
  }

  /** A window is no longer in force. */
  drop(table: AccountTable): void {
    this.#tables.delete(table);
  }

  /** A table is about to have one more young account. */
  grew(): void {
    if (this.#young >= this.#half) {
      for (const table of this.#tables) table.age();
      this.#young = 0;
    }
    this.#young++;
  }
}
