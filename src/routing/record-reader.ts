// Reads records by name, one read a name at a time, and knows which of them are still true.
import type { FrontendRecord } from '../model/frontend.js';
import type { Store } from '../store/store.js';

/**
 * A record as it was read. `live` until a change of it is told, which may be while the reply is still on its way: such a record
 * may answer who waited for it, and nobody after. What is live can be found by its name, so that a change always reaches it.
 */
export interface RecordEntry {
  readonly name: string;
  /** Null while it is being read. */
  record: FrontendRecord | null;
  live: boolean;
  /** Answers that were made from it and are kept. */
  users: number;
}

/** Reads in flight at one time; more than this many only pile up when the store is slow, and then nobody is helped by waiting. */
const maxReads = 1024;

interface Read {
  readonly promise: Promise<void>;
  readonly entry: RecordEntry;
}

export class RecordReader {
  /** Counters since the start, for metrics. */
  reads = 0;
  failures = 0;
  refused = 0;
  readonly #store: Store;
  readonly #entries = new Map<string, RecordEntry>();
  readonly #pending = new Map<string, Read>();
  /** Read, and perhaps used by no answer that is kept: looked at when the next read begins. */
  #unheld: RecordEntry[] = [];
  #inFlight = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Names that are held. */
  get size(): number {
    return this.#entries.size;
  }

  /** Look-ups that wait for the store. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * The records of some names if all that matter are known: up to the first that `ends` says yes to. Null otherwise.
   * What the store remembers counts as known here, until everything has to be read again: it is to be asked only while the store is away.
   */
  known(names: readonly string[], ends: (record: FrontendRecord) => boolean): RecordEntry[] | null {
    const entries: RecordEntry[] = [];
    for (const name of names) {
      const entry = this.#entries.get(name) ?? this.#recall(name);
      if (entry === undefined || entry.record === null) return null;
      entries.push(entry);
      if (ends(entry.record)) break;
    }
    return entries;
  }

  #recall(name: string): RecordEntry | undefined {
    const record = this.#store.remembered?.(name);
    if (record === undefined) return undefined;
    const entry: RecordEntry = { name: record.name, record, live: true, users: 0 };
    this.#entries.set(entry.name, entry);
    this.#unheld.push(entry);
    return entry;
  }

  /** The records of some names, read where they are not known, in one round trip for those that nobody is reading already. */
  async read(names: readonly string[]): Promise<RecordEntry[]> {
    this.#forgetUnheld(names);
    const missing = names.filter((name) => !this.#entries.has(name) && !this.#pending.has(name));
    if (missing.length > 0) this.#startRead(missing);
    const reads: Promise<void>[] = [];
    const entries = names.map((name) => {
      const read = this.#pending.get(name);
      if (read === undefined) return this.#entries.get(name)!;
      reads.push(read.promise);
      return read.entry;
    });
    await Promise.all(reads);
    return entries;
  }

  /** Holds entries for an answer that is kept, if all of them are still true. */
  hold(entries: readonly RecordEntry[]): boolean {
    if (!entries.every((entry) => entry.live)) return false;
    for (const entry of entries) entry.users += 1;
    return true;
  }

  /** The answer is kept no longer. */
  release(entries: readonly RecordEntry[]): void {
    for (const entry of entries) {
      entry.users -= 1;
      if (entry.users === 0) this.#forget(entry);
    }
  }

  /** The record of this name is no longer true; true if anything was known or being read of it. */
  changed(name: string): boolean {
    const entry = this.#entries.get(name) ?? this.#pending.get(name)?.entry;
    if (entry !== undefined) this.#forget(entry);
    return entry !== undefined;
  }

  everythingChanged(): void {
    for (const entry of this.#entries.values()) entry.live = false;
    for (const { entry } of this.#pending.values()) entry.live = false;
    this.#entries.clear();
    this.#pending.clear();
    this.#unheld = [];
  }

  /** Who asks from now on starts a read of their own. */
  #forget(entry: RecordEntry): void {
    entry.live = false;
    if (this.#entries.get(entry.name) === entry) this.#entries.delete(entry.name);
    if (this.#pending.get(entry.name)?.entry === entry) this.#pending.delete(entry.name);
  }

  /** Names that are wanted now stay: the catch-all, for one, is read with each host and seldom matches. */
  #forgetUnheld(wanted: readonly string[]): void {
    const kept: RecordEntry[] = [];
    for (const entry of this.#unheld) {
      if (entry.users > 0 || !entry.live) continue;
      if (wanted.includes(entry.name)) kept.push(entry);
      else this.#forget(entry);
    }
    this.#unheld = kept;
  }

  #startRead(names: readonly string[]): void {
    if (this.#inFlight >= maxReads) {
      this.refused += 1;
      throw new Error(`more than ${maxReads} look-ups wait for the store`);
    }
    this.#inFlight += 1;
    this.reads += 1;
    const entries = names.map((name): RecordEntry => ({ name, record: null, live: true, users: 0 }));
    const promise = this.#fill(entries);
    for (const entry of entries) this.#pending.set(entry.name, { promise, entry });
  }

  async #fill(entries: readonly RecordEntry[]): Promise<void> {
    try {
      const records = await this.#store.readFrontends(entries.map((entry) => entry.name));
      entries.forEach((entry, at) => {
        entry.record = records[at]!;
        if (!entry.live) return;
        this.#pending.delete(entry.name);
        this.#entries.set(entry.name, entry);
        this.#unheld.push(entry);
      });
    } catch (error) {
      this.failures += 1;
      for (const entry of entries) this.#forget(entry);
      throw error;
    } finally {
      this.#inFlight -= 1;
    }
  }
}
