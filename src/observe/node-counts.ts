// What a node has counted, as it stands in the store: by frontend, in a number of fields of which only those that changed are written.
import { ByteReader, ByteWriter } from '../base/varints.js';
import { readFrontend, writeFrontend } from './counts-bytes.js';
import { FrontendCounts, noFrontend, otherFrontends } from './frontend-counts.js';
import { MergedCounts } from './merged-counts.js';

/** The most frontends that a node tells apart. */
const mostFrontends = 20_000;
/** The share of them that is let go of at once: those that were asked for least lately. */
const roomMade = 0.1;
/** Fields that the frontends of a node are spread over. */
const fields = 256;
/** Requests a second are those of the last seconds; latencies those of the last five to ten minutes. In milliseconds. */
const rateWindow = 10_000;
const latencyWindow = 300_000;

/** How many requests ended in the current window of ten seconds, and in the one before. */
export interface RecentRequests {
  /** Number of the window: milliseconds since the epoch divided by its length. */
  readonly window: number;
  readonly count: number;
  readonly before: number;
}

/** A frontend as it is read from the record of a node. */
export interface RecordedFrontend {
  readonly counts: FrontendCounts;
  readonly recent: RecentRequests;
}

class Recent {
  window = 0;
  count = 0;
  before = 0;
  latencyWindow = 0;
  usedAt = 0;
}

export class NodeCounts {
  readonly #now: () => number;
  readonly #merged: MergedCounts;
  readonly #recent = new WeakMap<FrontendCounts, Recent>();
  readonly #changed = new Set<string>();
  readonly #out = new ByteWriter();
  /** Names by field; each field is written whole. */
  readonly #names = new Map<string, Set<string>>();

  /** @param now milliseconds since the epoch */
  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#merged = new MergedCounts({
      most: mostFrontends,
      changing: (counts) => this.#changing(counts),
      makeRoom: () => this.#makeRoom(),
    });
  }

  get frontends(): ReadonlyMap<string, FrontendCounts> {
    return this.#merged.frontends;
  }

  /** @throws Error for bytes that nobody wrote */
  merge(source: number, told: string): void {
    const from = new ByteReader(told);
    const now = this.#now();
    while (!from.done) {
      const counts = readFrontend(from);
      const { requests, name } = counts;
      this.#merged.mergeFrontend(source, counts);
      this.#count(name, requests, now);
    }
  }

  lose(source: number): void {
    this.#merged.lose(source);
  }

  /** Goes on from a record that an earlier run of this node has left: its counts, not what it had running. What cannot be read is left out. */
  goOnFrom(record: Iterable<string>): void {
    for (const field of record) {
      for (const { counts } of readFieldOrNothing(field)) {
        counts.active = 0;
        counts.running = 0;
        counts.waiting = 0;
        for (const backend of counts.backends.values()) backend.active = 0;
        this.#merged.mergeFrontend(-1, counts);
      }
    }
  }

  /** Names and values in turn of the fields that have changed since the last call; an empty value: the field is to go. */
  takeChanged(): string[] {
    const taken: string[] = [];
    for (const field of this.#changed) taken.push(field, this.#write(field));
    this.#changed.clear();
    return taken;
  }

  /** Those fields did not reach the store. */
  changedStill(taken: readonly string[]): void {
    for (let at = 0; at < taken.length; at += 2) this.#changed.add(taken[at] as string);
  }

  /** The store holds nothing of this node any more. */
  everythingChanged(): void {
    for (const field of this.#names.keys()) this.#changed.add(field);
  }

  #changing(counts: FrontendCounts): void {
    const field = fieldOf(counts.name);
    this.#changed.add(field);
    const now = this.#now();
    let recent = this.#recent.get(counts);
    if (recent === undefined) {
      recent = new Recent();
      this.#recent.set(counts, recent);
      const names = this.#names.get(field);
      if (names === undefined) this.#names.set(field, new Set([counts.name]));
      else names.add(counts.name);
    }
    recent.usedAt = now;
    const window = Math.floor(now / latencyWindow);
    if (window !== recent.latencyWindow) {
      counts.beginWindow(window === recent.latencyWindow + 1);
      recent.latencyWindow = window;
    }
  }

  #count(name: string, requests: number, now: number): void {
    const counts = this.#merged.frontends.get(name) ?? this.#merged.frontends.get(otherFrontends);
    const recent = counts === undefined ? undefined : this.#recent.get(counts);
    if (recent === undefined) return;
    const window = Math.floor(now / rateWindow);
    if (window !== recent.window) {
      recent.before = window === recent.window + 1 ? recent.count : 0;
      recent.count = 0;
      recent.window = window;
    }
    recent.count += requests;
  }

  /** What was counted of those that were not asked for lately goes on to be counted, but is no longer told apart. */
  #makeRoom(): void {
    const idle = [...this.#merged.frontends.values()].filter(
      ({ name, active }) => active === 0 && name !== noFrontend && name !== otherFrontends,
    );
    const usedAt = (counts: FrontendCounts): number => this.#recent.get(counts)?.usedAt ?? 0;
    idle.sort((one, other) => usedAt(one) - usedAt(other));
    for (const counts of idle.slice(0, Math.ceil(mostFrontends * roomMade))) {
      this.#merged.drop(counts);
      const field = fieldOf(counts.name);
      this.#names.get(field)?.delete(counts.name);
      this.#changed.add(field);
      const rest = new FrontendCounts(otherFrontends);
      rest.add(counts);
      rest.foldBackends();
      this.#merged.mergeFrontend(-1, rest);
    }
  }

  #write(field: string): string {
    const names = this.#names.get(field);
    if (names === undefined || names.size === 0) return '';
    for (const name of names) {
      const counts = this.#merged.frontends.get(name);
      if (counts === undefined) continue;
      const recent = this.#recent.get(counts);
      writeFrontend(this.#out, counts, [...counts.backends.values()]);
      this.#out.number(recent?.window ?? 0);
      this.#out.number(recent?.count ?? 0);
      this.#out.number(recent?.before ?? 0);
    }
    return this.#out.takeBase64();
  }
}

/** The field that a frontend stands in: the same on all nodes. FNV-1a. */
export function fieldOf(name: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return String((hash >>> 0) % fields);
}

/** The frontends of a field. @throws Error for bytes that nobody wrote */
function readField(field: string): RecordedFrontend[] {
  const from = new ByteReader(field);
  const read: RecordedFrontend[] = [];
  while (!from.done) {
    const counts = readFrontend(from);
    read.push({ counts, recent: { window: from.number(), count: from.number(), before: from.number() } });
  }
  return read;
}

/** As `readField`; a field of another version, or of nonsense, has no frontends. */
export function readFieldOrNothing(field: string): RecordedFrontend[] {
  try {
    return readField(field);
  } catch {
    return [];
  }
}

/**
 * Mean requests a second over the last ten seconds.
 * @param now by the clock of the node, milliseconds since the epoch
 */
export function requestsPerSecond({ window, count, before }: RecentRequests, now: number): number {
  const current = Math.floor(now / rateWindow);
  const passed = (now % rateWindow) / rateWindow;
  const seconds = rateWindow / 1000;
  // Of the window before, the part that is not longer ago than ten seconds, as if it were spread evenly.
  if (window === current) return (count + before * (1 - passed)) / seconds;
  if (window === current - 1) return (count * (1 - passed)) / seconds;
  return 0;
}
