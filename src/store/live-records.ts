// Records of one kind kept in memory and read again after a change: what auth providers, tiers, certificates and streams are read through.
import { BoundedMap } from '../base/bounded-map.js';
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import { mostLookups } from './patience.js';
import type { Store } from './store.js';

/** What is known under a name. */
interface Entry<T> {
  readonly value: T;
  /** False once a change was told, or may have been missed: asked for again, it is read again. */
  fresh: boolean;
}

/** How names without a record are told, and how many are kept apart from the others. */
export interface AbsentRecords<T> {
  readonly isAbsent: (value: T) => boolean;
  readonly bound: number;
}

/** What of a store is needed. */
export type RecordSource = Pick<Store, 'readRecord' | 'patience' | 'serversOf'>;

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
  readonly #store: RecordSource;
  readonly #kind: RecordKind;
  readonly #parse: (name: string, record: StoredRecord) => T;
  readonly #absent: AbsentRecords<T> | null;
  readonly #entries: BoundedMap<string, Entry<T>>;
  /** Apart from the entries, so that a flood of invented names forgets other inventions only; unused unless `absent` was given. */
  readonly #inventions: BoundedMap<string, Entry<T>>;
  readonly #reads = new Map<string, Read<T>>();
  /** Reads under way, those among them that a change has made untrue. */
  #inFlight = 0;

  /**
   * @param parse makes a value of a record, also of an absent or faulty one; never throws
   * @param bound the most names that are kept
   * @param absent for kinds whose names strangers may choose
   */
  constructor(
    store: RecordSource,
    kind: RecordKind,
    parse: (name: string, record: StoredRecord) => T,
    bound: number,
    absent: AbsentRecords<T> | null = null,
  ) {
    this.#store = store;
    this.#kind = kind;
    this.#parse = parse;
    this.#absent = absent;
    this.#entries = new BoundedMap(bound);
    this.#inventions = new BoundedMap(absent?.bound ?? 1);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value of a name. A promise only when the store must be asked; it rejects when that fails and nothing is known. */
  get(name: string): T | Promise<T> {
    const entry = this.#entry(name);
    return entry?.fresh === true ? entry.value : this.#load(name);
  }

  /**
   * As `get`, for a request, which does not wait for a store that hangs: it gets the value that was known last. Rejects soon where there is
   * none, and where so many names wait already that one more is of no help.
   */
  getSoon(name: string): T | Promise<T> {
    const entry = this.#entry(name);
    if (entry?.fresh === true) return entry.value;
    const { patience } = this.#store;
    const servers = this.#store.serversOf?.(this.#kind, [name]) ?? [];
    if (!this.#reads.has(name) && this.#inFlight >= (patience?.most(servers) ?? mostLookups)) {
      if (entry !== undefined) return entry.value;
      return Promise.reject(new Error(`${this.#inFlight} records of the kind ${this.#kind} are being read already`));
    }
    const reading = this.#load(name);
    if (patience === undefined) return reading;
    if (entry !== undefined && patience.isOut(servers)) {
      reading.catch(() => undefined);
      return entry.value;
    }
    return patience
      .wait(reading, entry !== undefined, () => servers)
      .then((outcome) => {
        if (outcome !== 'late') return outcome;
        reading.catch(() => undefined);
        if (entry !== undefined) return entry.value;
        throw new Error(`the store does not reply about ${this.#kind}:${name}`);
      });
  }

  /** Told by the store. */
  recordChanged(kind: RecordKind, name: string): void {
    if (kind !== this.#kind) return;
    const entry = this.#entry(name);
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
    for (const entry of this.#inventions.values()) entry.fresh = false;
    for (const read of this.#reads.values()) read.fresh = false;
    this.#reads.clear();
  }

  #entry(name: string): Entry<T> | undefined {
    return this.#entries.get(name) ?? (this.#absent === null ? undefined : this.#inventions.get(name));
  }

  #load(name: string): Promise<T> {
    const known = this.#reads.get(name);
    if (known !== undefined) return known.promise;
    this.#inFlight += 1;
    const read: Read<T> = {
      promise: this.#store
        .readRecord(this.#kind, name)
        .finally(() => {
          this.#inFlight -= 1;
        })
        .then(
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
    const last = this.#entry(name);
    if (last === undefined) throw error;
    return last.value;
  }

  #take(name: string, record: StoredRecord, read: Read<T>): T {
    const value = this.#parse(name, record);
    if (this.#reads.get(name) === read) this.#reads.delete(name);
    this.#entries.delete(name);
    this.#inventions.delete(name);
    const invented = this.#absent?.isAbsent(value) === true;
    const entries = invented ? this.#inventions : this.#entries;
    // A record that changed while it was read may answer who waited for it, and nobody after.
    entries.set(name, { value, fresh: read.fresh });
    return value;
  }
}
