// Reads records by name, one read a name at a time, and knows which of them are still true.
import type { FrontendRecord } from '../model/frontend.js';
import { mostLookups } from '../store/patience.js';
import type { Store } from '../store/store.js';
import { RecordEntry } from './record-entry.js';

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

  /** Whether the record of a name has to be read, or is being read. */
  lacks(name: string): boolean {
    return !this.#entries.has(name);
  }

  /**
   * The records of some names if all that matter are known: up to the first that `ends` says yes to. Null otherwise.
   * What the store remembers counts as known here, until everything has to be read again: it is to be asked only while the store is away.
   */
  known(names: readonly string[], ends: (record: FrontendRecord) => boolean): RecordEntry[] | null {
    const entries: RecordEntry[] = [];
    for (const name of names) {
      const entry = this.#entries.get(name) ?? this.#recall(name);
      if (entry === undefined) return null;
      entries.push(entry);
      if (ends(entry)) break;
    }
    return entries;
  }

  #recall(name: string): RecordEntry | undefined {
    const record = this.#store.remembered?.(name);
    if (record === undefined) return undefined;
    const entry = new RecordEntry(record.name);
    entry.fill(record);
    this.#entries.set(entry.name, entry);
    this.#unheld.push(entry);
    return entry;
  }

  /**
   * The records of some names, up to the first that `ends` says yes to: those behind it are not waited for. They are read where they are
   * not known, in one round trip for those that nobody is reading already and that lie on the same servers.
   */
  async read(names: readonly string[], ends: (record: FrontendRecord) => boolean): Promise<RecordEntry[]> {
    this.#forgetUnheld(names);
    const missing = names.filter((name) => !this.#entries.has(name) && !this.#pending.has(name));
    if (missing.length > 0) this.#startReads(missing);
    const wanted = names.map((name) => this.#pending.get(name) ?? { promise: null, entry: this.#entries.get(name)! });
    const entries: RecordEntry[] = [];
    for (const { promise, entry } of wanted) {
      if (promise !== null) await promise;
      entries.push(entry);
      if (ends(entry)) break;
    }
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

  #startReads(names: readonly string[]): void {
    const store = this.#store;
    const servers = store.serversOf?.('frontend', names) ?? [];
    if (this.#inFlight >= (store.patience?.most(servers) ?? mostLookups)) {
      this.refused += 1;
      throw new Error(`${this.#inFlight} look-ups wait for the store already`);
    }
    this.#inFlight += 1;
    this.reads += 1;
    const groups = servers.length > 1 ? this.#byServers(names) : [names];
    const reads = groups.map((group) => {
      const entries = group.map((name) => new RecordEntry(name));
      const promise = this.#fill(entries);
      for (const entry of entries) this.#pending.set(entry.name, { promise, entry });
      return promise;
    });
    void Promise.allSettled(reads).then((ended) => {
      this.#inFlight -= 1;
      if (ended.some(({ status }) => status === 'rejected')) this.failures += 1;
    });
  }

  /** Names that lie on different servers are read apart, so that those which are there can be used without the others. */
  #byServers(names: readonly string[]): string[][] {
    const groups = new Map<string, string[]>();
    for (const name of names) {
      const servers = this.#store.serversOf?.('frontend', [name]).toSorted().join() ?? '';
      const group = groups.get(servers);
      if (group === undefined) groups.set(servers, [name]);
      else group.push(name);
    }
    return [...groups.values()];
  }

  async #fill(entries: readonly RecordEntry[]): Promise<void> {
    try {
      const records = await this.#store.readFrontends(entries.map((entry) => entry.name));
      entries.forEach((entry, at) => {
        entry.fill(records[at]!);
        if (!entry.live) return;
        this.#pending.delete(entry.name);
        this.#entries.set(entry.name, entry);
        this.#unheld.push(entry);
      });
    } catch (error) {
      for (const entry of entries) this.#forget(entry);
      throw error;
    }
  }
}
