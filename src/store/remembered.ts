// What was read of a store, bounded: what is written to a snapshot and answered from while the store is away.
import { BoundedMap } from '../base/bounded-map.js';
import type { FrontendRecord } from '../model/frontend.js';
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import { frontendLine, prefixesLine, recordLine, type SnapshotLine } from './snapshot-lines.js';

interface KnownRecord {
  readonly kind: RecordKind;
  readonly name: string;
  readonly record: StoredRecord;
}

/** Records besides frontends, and as many names of them that have none. */
const mostRecords = 20_000;

/** Names that have nothing are kept apart: strangers may invent them. */
export class Remembered {
  /** Something was remembered since this was set to false. */
  changed = false;
  readonly #frontends: BoundedMap<string, FrontendRecord>;
  readonly #absent: BoundedMap<string, FrontendRecord>;
  readonly #records = new BoundedMap<string, KnownRecord>(mostRecords);
  readonly #absentRecords = new BoundedMap<string, KnownRecord>(mostRecords);
  #prefixes: readonly string[] | null = null;
  /** What no process has read since an earlier file was written: when that was, by key, in milliseconds since the epoch. */
  readonly #carried = new Map<string, number>();
  readonly #bound: number;

  /** @param bound frontends that are kept, and as many names without one */
  constructor(bound: number) {
    this.#bound = bound;
    this.#frontends = new BoundedMap(bound);
    this.#absent = new BoundedMap(bound);
  }

  /** Frontends that are known. */
  get size(): number {
    return this.#frontends.size;
  }

  /** Names of all frontends with a path prefix; null: not known. */
  get prefixes(): readonly string[] | null {
    return this.#prefixes;
  }

  frontend(name: string): FrontendRecord | undefined {
    return this.#frontends.get(name) ?? this.#absent.get(name);
  }

  /** When what is known of a frontend was written by a process that had read it, in milliseconds since the epoch; null: this one has. */
  readBefore(name: string): number | null {
    return this.#carried.get(keyOf('frontend', name)) ?? null;
  }

  record(kind: RecordKind, name: string): StoredRecord | undefined {
    const key = keyOf(kind, name);
    return (this.#records.get(key) ?? this.#absentRecords.get(key))?.record;
  }

  keepFrontend(record: FrontendRecord): void {
    const isThere = record.list.length > 0 || record.fault !== '';
    const [into, other] = isThere ? [this.#frontends, this.#absent] : [this.#absent, this.#frontends];
    other.delete(record.name);
    into.delete(record.name);
    into.set(record.name, record);
    if (this.#carried.size > 0) this.#carried.delete(keyOf('frontend', record.name));
    this.changed = true;
  }

  keepRecord(kind: RecordKind, name: string, record: StoredRecord): void {
    const key = keyOf(kind, name);
    const [into, other] = record.values.length > 0 ? [this.#records, this.#absentRecords] : [this.#absentRecords, this.#records];
    other.delete(key);
    into.delete(key);
    into.set(key, { kind, name, record });
    this.#carried.delete(key);
    this.changed = true;
  }

  keepPrefixes(names: readonly string[]): void {
    this.#prefixes = names;
    this.changed = true;
  }

  /**
   * Takes what was written earlier, where nothing newer is known and there is room.
   * @param written when the file of the line was, in milliseconds since the epoch
   * @param since what no process has read since then is forgotten
   */
  recall(line: SnapshotLine, written: number, since: number): void {
    if (line.what === 'prefixes') {
      this.#prefixes ??= line.names;
      return;
    }
    const readBefore = line.readBefore ?? written;
    if (readBefore < since) return;
    const before = this.changed;
    if (line.what === 'frontend') {
      const { name } = line.record;
      if (this.frontend(name) !== undefined || this.#frontends.size >= this.#bound) return;
      this.keepFrontend(line.record);
      this.#carried.set(keyOf('frontend', name), readBefore);
    } else {
      if (this.record(line.kind, line.name) !== undefined) return;
      this.keepRecord(line.kind, line.name, line.record);
      this.#carried.set(keyOf(line.kind, line.name), readBefore);
    }
    this.changed = before;
  }

  /** All of it as lines of a snapshot; what is known when a line is made. */
  *lines(): Generator<string> {
    if (this.#prefixes !== null) yield prefixesLine(this.#prefixes);
    for (const records of [this.#records, this.#absentRecords]) {
      for (const { kind, name, record } of records.values())
        yield recordLine(kind, name, record, this.#carried.get(keyOf(kind, name)));
    }
    for (const frontends of [this.#frontends, this.#absent]) {
      for (const record of frontends.values()) yield frontendLine(record, this.#carried.get(keyOf('frontend', record.name)));
    }
  }
}

function keyOf(kind: RecordKind | 'frontend', name: string): string {
  return `${kind}:${name}`;
}
