// Records of one kind kept in memory and read again after a change: what auth providers, tiers, certificates and streams are read through.
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import type { Store } from './store.js';

/** What is known under a name. */
interface Entry<T> {
  readonly value: T;
  /** False once a change was told, or may have been missed: asked for again, it is read again. */
  fresh: boolean;
}

interface Read<T> {
  readonly promise: Promise<T>;
  /** False once a change was told while the reply was on its way. */
  fresh: boolean;
}

/**
 * A value stays known until there is a newer one: while the store is away the last known one is given. Names that were asked
 * for least recently are forgotten first.
 */
export class LiveRecords<T> {
  readonly #store: Pick<Store, 'readRecord'>;
  readonly #kind: RecordKind;
  readonly #parse: (name: string, record: StoredRecord) => T;
  readonly #bound: number;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #reads = new Map<string, Read<T>>();

  /**
   * @param parse makes a value of a record, also of an absent or faulty one; never throws
   * @param bound the most names that are kept
   */
  constructor(
    store: Pick<Store, 'readRecord'>,
    kind: RecordKind,
    parse: (name: string, record: StoredRecord) => T,
    bound: number,
  ) {
    this.#store = store;
    this.#kind = kind;
    this.#parse = parse;
    this.#bound = bound;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value of a name. A promise only when the store must be asked; it rejects when that fails and nothing is known. */
  get(name: string): T | Promise<T> {
    const entry = this.#entries.get(name);
    return entry?.fresh === true ? entry.value : this.#load(name);
  }

  /** Told by the store. */
  recordChanged(kind: RecordKind, name: string): void {
    if (kind !== this.#kind) return;
    const entry = this.#entries.get(name);
    if (entry !== undefined) entry.fresh = false;
    const read = this.#reads.get(name);
    if (read !== undefined) {
      read.fresh = false;
      this.#reads.delete(name);
    }
  }

  /** Told by the store: anything may have changed. */
  everythingChanged(): void {
    for (const entry of this.#entries.values()) entry.fresh = false;
    for (const read of this.#reads.values()) read.fresh = false;
    this.#reads.clear();
  }

  #load(name: string): Promise<T> {
    const known = this.#reads.get(name);
    if (known !== undefined) return known.promise;
    const read: Read<T> = {
      promise: this.#store.readRecord(this.#kind, name).then(
        (record) => this.#take(name, record, read),
        (error: unknown) => this.#failed(name, error, read),
      ),
      fresh: true,
    };
    this.#reads.set(name, read);
    return read.promise;
  }

  #failed(name: string, error: unknown, read: Read<T>): T {
    if (this.#reads.get(name) === read) this.#reads.delete(name);
    const last = this.#entries.get(name);
    if (last === undefined) throw error;
    return last.value;
  }

  #take(name: string, record: StoredRecord, read: Read<T>): T {
    const value = this.#parse(name, record);
    if (this.#reads.get(name) === read) this.#reads.delete(name);
    this.#entries.delete(name);
    if (this.#entries.size >= this.#bound) this.#entries.delete(this.#entries.keys().next().value as string);
    // A record that changed while it was read may answer who waited for it, and nobody after.
    this.#entries.set(name, { value, fresh: read.fresh });
    return value;
  }
}
