// Frontends and dead marks in the memory of one process: the embedded default, with its frontends kept in a file if one is named.
import type { DeadMark, FrontendRecord } from '../model/frontend.js';
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import { FrontendFile } from './frontend-file.js';
import { MemoryRecords } from './memory-records.js';
import type { DeadMarkRequest, Store, StoreListener, StoreState } from './store.js';

/** What `dead:<name>` and `health:<name>` are in Redis: indexes, marks by entry, and one expiry for all. */
interface DeadSet {
  readonly indexes: Set<string>;
  readonly marks: Map<string, DeadMark>;
  until: number;
}

interface Lease {
  readonly holder: string;
  readonly until: number;
}

/** Every change is told before the method that made it resolves. There is no hchecker, and nobody to hear a message on `dead`. */
export class MemoryStore implements Store {
  readonly state: StoreState = 'live';
  readonly #file: FrontendFile | null;
  #lists = new Map<string, readonly string[]>();
  readonly #deadSets = new Map<string, DeadSet>();
  readonly #records = new MemoryRecords();
  readonly #leases = new Map<string, Lease>();
  #listener: StoreListener | null = null;

  /**
   * @param path where the frontends are kept, or null; dead marks are not kept, they last for seconds
   * @param log told when the file cannot be written
   */
  constructor(path: string | null, log: (level: 'error', text: string) => void) {
    this.#file = path === null ? null : new FrontendFile(path, (text) => log('error', text));
  }

  /** Rejects with a StartError when the file cannot be read or understood. */
  async start(listener: StoreListener): Promise<void> {
    this.#listener = listener;
    if (this.#file !== null) this.#lists = await this.#file.read(this.#records);
  }

  async readFrontends(names: readonly string[]): Promise<FrontendRecord[]> {
    const now = Date.now();
    return names.map((name) => this.#record(name, now));
  }

  async markDead({ host, frontend, backend, ttl, write }: DeadMarkRequest): Promise<void> {
    if (!write || ttl <= 0) return;
    const until = Date.now() + Math.ceil(ttl) * 1000;
    for (const name of new Set([host, frontend])) {
      const set = this.#deadSets.get(name) ?? { indexes: new Set(), marks: new Map(), until };
      set.indexes.add(String(backend.index));
      set.marks.set(backend.entry, { entry: backend.entry, index: backend.index, until });
      set.until = until;
      this.#deadSets.set(name, set);
      this.#listener?.changed(name);
    }
  }

  async readHcheckerPing(): Promise<number> {
    return 0;
  }

  async readRecord(kind: RecordKind, name: string): Promise<StoredRecord> {
    return this.#records.read(kind, name);
  }

  async writeRecord(kind: RecordKind, name: string, values: readonly string[]): Promise<void> {
    this.#records.write(kind, name, values);
    this.#save();
    this.#recordChanged(kind, name);
  }

  async scanNames(kind: RecordKind | 'frontend', matching: string, onPage: (names: readonly string[]) => void): Promise<void> {
    const all = kind === 'frontend' ? this.#lists.keys() : this.#records.names(kind);
    const names = [...all].filter((name) => name.includes(matching));
    if (names.length > 0) onPage(names);
  }

  async takeLease(work: string, holder: string, milliseconds: number): Promise<boolean> {
    const lease = this.#leases.get(work);
    const now = Date.now();
    if (lease !== undefined && lease.until > now && lease.holder !== holder) return false;
    this.#leases.set(work, { holder, until: now + milliseconds });
    return true;
  }

  async dropLease(work: string, holder: string): Promise<void> {
    if (this.#leases.get(work)?.holder === holder) this.#leases.delete(work);
  }

  async writeFrontend(name: string, identifier: string, backends: readonly string[]): Promise<void> {
    this.#lists.set(name, Object.freeze([identifier, ...backends]));
    this.#changed(name);
  }

  async deleteFrontend(name: string): Promise<void> {
    this.#lists.delete(name);
    this.#deadSets.delete(name);
    this.#records.write('route', name, []);
    this.#changed(name);
    this.#listener?.recordChanged?.('route', name);
  }

  /** Resolves when the last change is in the file. */
  async close(): Promise<void> {
    await this.#file?.flush();
  }

  #changed(name: string): void {
    this.#save();
    this.#listener?.changed(name);
  }

  #recordChanged(kind: RecordKind, name: string): void {
    if (kind === 'route') this.#listener?.changed(name);
    this.#listener?.recordChanged?.(kind, name);
  }

  #save(): void {
    this.#file?.write(this.#lists, this.#records);
  }

  #record(name: string, now: number): FrontendRecord {
    const set = this.#liveDeadSet(name, now);
    return {
      name,
      list: this.#lists.get(name) ?? [],
      dead: set === null ? [] : [...set.indexes],
      marks: set === null ? [] : [...set.marks.values()],
      deadUntil: set === null ? Number.POSITIVE_INFINITY : set.until,
      policy: this.#records.read('route', name).values,
      policyFault: '',
      fault: '',
    };
  }

  #liveDeadSet(name: string, now: number): DeadSet | null {
    const set = this.#deadSets.get(name);
    if (set === undefined) return null;
    if (set.until > now) return set;
    this.#deadSets.delete(name);
    return null;
  }
}
