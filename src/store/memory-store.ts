// Frontends and dead marks in the memory of one process: the embedded default, with its frontends kept in a file if one is named.
import type { DeadMark, FrontendRecord } from '../model/frontend.js';
import { FrontendFile } from './frontend-file.js';
import type { DeadMarkRequest, Store, StoreListener, StoreState } from './store.js';

/** What `dead:<name>` and `health:<name>` are in Redis: indexes, marks by entry, and one expiry for all. */
interface DeadSet {
  readonly indexes: Set<string>;
  readonly marks: Map<string, DeadMark>;
  until: number;
}

/** Every change is told before the method that made it resolves. There is no hchecker, and nobody to hear a message on `dead`. */
export class MemoryStore implements Store {
  readonly state: StoreState = 'live';
  readonly #file: FrontendFile | null;
  #lists = new Map<string, readonly string[]>();
  readonly #deadSets = new Map<string, DeadSet>();
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
    if (this.#file !== null) this.#lists = await this.#file.read();
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

  async writeFrontend(name: string, identifier: string, backends: readonly string[]): Promise<void> {
    this.#lists.set(name, Object.freeze([identifier, ...backends]));
    this.#changed(name);
  }

  async deleteFrontend(name: string): Promise<void> {
    this.#lists.delete(name);
    this.#deadSets.delete(name);
    this.#changed(name);
  }

  /** Resolves when the last change is in the file. */
  async close(): Promise<void> {
    await this.#file?.flush();
  }

  #changed(name: string): void {
    this.#file?.write(this.#lists);
    this.#listener?.changed(name);
  }

  #record(name: string, now: number): FrontendRecord {
    const set = this.#liveDeadSet(name, now);
    return {
      name,
      list: this.#lists.get(name) ?? [],
      dead: set === null ? [] : [...set.indexes],
      marks: set === null ? [] : [...set.marks.values()],
      deadUntil: set === null ? Number.POSITIVE_INFINITY : set.until,
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
