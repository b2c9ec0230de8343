// Frontends and dead marks in the memory of one process: the embedded default, with its frontends kept in a file if one is named.
import type { FrontendRecord } from '../model/frontend.js';
import type { NodeHeartbeat } from '../model/node.js';
import type { NodeStatsRecord, StatsHead } from '../model/node-stats.js';
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import { changesNothing, type HistoryEntry, type PlanChange, type RecordAddress } from './change.js';
import { type FileParts, FrontendFile } from './frontend-file.js';
import type { ManagedStore } from './managed-store.js';
import { MemoryHistory } from './memory-history.js';
import { MemoryMarks } from './memory-marks.js';
import { MemoryRecords } from './memory-records.js';
import { MemoryStats } from './memory-stats.js';
import type { DeadMarkRequest, MaintenanceRequest, RevivalRequest, StoreListener, StoreState } from './store.js';

interface Lease {
  readonly holder: string;
  readonly until: number;
}

/** Every change is told before the method that made it resolves. There is no hchecker, and nobody to hear a message on `dead`. */
export class MemoryStore implements ManagedStore {
  readonly state: StoreState = 'live';
  readonly #file: FrontendFile | null;
  #lists = new Map<string, readonly string[]>();
  readonly #marks = new MemoryMarks();
  readonly #records = new MemoryRecords();
  readonly #history = new MemoryHistory();
  /** With the time, in milliseconds since the epoch, until which each lasts. */
  readonly #heartbeats = new Map<string, { readonly beat: NodeHeartbeat; readonly until: number }>();
  readonly #leases = new Map<string, Lease>();
  readonly #stats = new MemoryStats();
  #listener: StoreListener | null = null;

  /**
   * @param path where the frontends are kept, or null; of the marks those of maintenance are kept, the others last for seconds
   * @param log told when the file cannot be written
   */
  constructor(path: string | null, log: (level: 'error', text: string) => void) {
    this.#file = path === null ? null : new FrontendFile(path, (text) => log('error', text));
  }

  /** Rejects with a StartError when the file cannot be read or understood. */
  async start(listener: StoreListener): Promise<void> {
    this.#listener = listener;
    if (this.#file !== null) this.#lists = await this.#file.read(this.#parts);
  }

  async readFrontends(names: readonly string[]): Promise<FrontendRecord[]> {
    const now = Date.now();
    return names.map((name) => this.#record(name, now));
  }

  async markDead(mark: DeadMarkRequest): Promise<void> {
    for (const name of this.#marks.mark(mark, Date.now())) this.#marked(name);
  }

  async revive(revivals: readonly RevivalRequest[]): Promise<void> {
    for (const revival of revivals) {
      this.#marks.revive(revival);
      this.#marked(revival.name);
    }
  }

  async maintain(request: MaintenanceRequest): Promise<void> {
    this.#marks.maintain(request, Date.now());
    this.#save();
    this.#marked(request.frontend);
  }

  async readHcheckerPing(): Promise<number> {
    return 0;
  }

  async readRecord(kind: RecordKind, name: string): Promise<StoredRecord> {
    return this.#records.read(kind, name);
  }

  async writeRecord(kind: RecordKind, name: string, values: readonly string[], milliseconds?: number): Promise<void> {
    this.#records.write(kind, name, values, milliseconds);
    this.#save();
    this.#recordChanged(kind, name);
  }

  async scanNames(
    kind: RecordKind | 'frontend' | 'health',
    matching: string,
    onPage: (names: readonly string[]) => void,
  ): Promise<void> {
    const names = [...this.#names(kind)].filter((name) => name.includes(matching));
    if (names.length > 0) onPage(names);
  }

  /** A cursor is the number of names that came before it. */
  async scanNamesStep(
    kind: RecordKind | 'frontend',
    matching: string,
    cursor: string,
    count: number,
  ): Promise<{ readonly names: readonly string[]; readonly cursor: string }> {
    if (!/^\d{0,9}$/.test(cursor)) throw new Error('invalid cursor');
    const names = [...this.#names(kind)];
    const from = Number(cursor);
    const to = from + count;
    const page = names.slice(from, to).filter((name) => name.includes(matching));
    return { names: page, cursor: to < names.length ? String(to) : '' };
  }

  /** Nobody but this program writes here. */
  async scanStraysStep(): Promise<{ readonly keys: readonly string[]; readonly cursor: string }> {
    return { keys: [], cursor: '' };
  }

  async change(addresses: readonly RecordAddress[], plan: PlanChange): Promise<number> {
    const before = addresses.map(
      ({ kind, name }): StoredRecord =>
        kind === 'frontend' ? { values: this.#lists.get(name) ?? [], fault: '' } : this.#records.read(kind, name),
    );
    const made = plan(before);
    if (changesNothing(addresses, before, made)) return this.#history.revision;
    const revision = this.#history.add(made.history);
    addresses.forEach(({ kind, name }, at) => {
      const values = made.after[at] ?? null;
      if (values === null) return;
      if (kind === 'frontend') this.#replaceList(name, values);
      else this.#records.write(kind, name, values);
    });
    for (const { request, members } of made.maintenance ?? []) {
      this.#marks.maintain(request, Date.now());
      if (!request.on) this.#marks.revive({ name: request.frontend, entry: request.backend.entry, members });
    }
    this.#save();
    addresses.forEach(({ kind, name }, at) => {
      if (made.after[at] == null) return;
      if (kind === 'frontend') this.#listener?.changed(name);
      else this.#recordChanged(kind, name);
    });
    for (const { request } of made.maintenance ?? []) this.#marked(request.frontend);
    this.#listener?.revisionChanged?.();
    return revision;
  }

  async readHistory(before: string, count: number): Promise<HistoryEntry[]> {
    return this.#history.newest(before, count);
  }

  async readHistoryEntry(id: string): Promise<HistoryEntry | null> {
    return this.#history.find(id);
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

  /** A change is in force when it has been made. */
  async readAppliedRevision(): Promise<number> {
    return this.#history.revision;
  }

  async writeHeartbeat(beat: NodeHeartbeat, milliseconds: number): Promise<string> {
    const before = this.#heartbeats.get(beat.id);
    const now = Date.now();
    this.#heartbeats.set(beat.id, { beat, until: now + milliseconds });
    this.#listener?.nodeChanged?.(beat.id);
    return before === undefined || before.until <= now ? '' : before.beat.boot;
  }

  async removeHeartbeat(id: string, boot: string): Promise<void> {
    if (this.#heartbeats.get(id)?.beat.boot === boot) this.#heartbeats.delete(id);
  }

  async readHeartbeats(): Promise<NodeHeartbeat[]> {
    const now = Date.now();
    return [...this.#heartbeats.values()].filter(({ until }) => until > now).map(({ beat }) => beat);
  }

  async writeStats(id: string, head: StatsHead, fields: ReadonlyMap<string, Buffer>): Promise<StatsHead | null> {
    return this.#stats.write(id, head, fields, Date.now());
  }

  async readStats(wanted: { readonly id?: string; readonly fields?: readonly string[] } = {}): Promise<NodeStatsRecord[]> {
    return this.#stats.read(wanted, Date.now());
  }

  async readHeartbeat(id: string): Promise<NodeHeartbeat | null> {
    return (await this.readHeartbeats()).find((beat) => beat.id === id) ?? null;
  }

  async writeFrontend(name: string, identifier: string, backends: readonly string[]): Promise<void> {
    this.#lists.set(name, Object.freeze([identifier, ...backends]));
    this.#changed(name);
  }

  async deleteFrontend(name: string): Promise<void> {
    this.#lists.delete(name);
    this.#marks.forget(name);
    this.#records.write('route', name, []);
    this.#changed(name);
    this.#listener?.recordChanged?.('route', name);
  }

  /** Resolves when the last change is in the file. */
  async close(): Promise<void> {
    await this.#file?.flush();
  }

  /** What the file keeps besides the lists. */
  get #parts(): FileParts {
    return { records: this.#records, marks: this.#marks, history: this.#history };
  }

  /** The marks of backends that went go with them; of those that stay, each keeps its own. */
  #replaceList(name: string, values: readonly string[]): void {
    const gone = (this.#lists.get(name) ?? []).slice(1).filter((entry) => !values.slice(1).includes(entry));
    if (values.length === 0) {
      this.#lists.delete(name);
      this.#marks.forget(name);
      return;
    }
    this.#lists.set(name, Object.freeze([...values]));
    for (const entry of gone) this.#marks.drop(name, entry);
  }

  #changed(name: string): void {
    this.#save();
    this.#listener?.changed(name);
  }

  #recordChanged(kind: RecordKind, name: string): void {
    if (kind === 'route') this.#listener?.changed(name);
    this.#listener?.recordChanged?.(kind, name);
  }

  #marked(name: string): void {
    this.#listener?.changed(name);
    this.#listener?.marksChanged?.(name);
  }

  #names(kind: RecordKind | 'frontend' | 'health'): Iterable<string> {
    switch (kind) {
      case 'frontend':
        return this.#lists.keys();
      case 'health':
        return this.#marks.names();
      default:
        return this.#records.names(kind);
    }
  }

  #save(): void {
    this.#file?.write(this.#lists, this.#parts);
  }

  #record(name: string, now: number): FrontendRecord {
    return {
      name,
      list: this.#lists.get(name) ?? [],
      ...this.#marks.show(name, now),
      policy: this.#records.read('route', name).values,
      policyFault: '',
      fault: '',
    };
  }
}
