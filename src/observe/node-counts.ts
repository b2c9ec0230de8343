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

/** A frontend as a node counts it. */
class NodeFrontend extends FrontendCounts {
  /** Number of the field that it stands in. */
  readonly field: number;
  /** As in `RecentRequests`. */
  window = 0;
  ended = 0;
  before = 0;
  /** Number of the window that latencies are counted in. */
  latencyWindow = 0;

  constructor(name: string) {
    super(name);
    this.field = fieldNumber(name);
  }
}

export class NodeCounts {
  /** To be added to by a `ToldCounts`. */
  readonly merged: MergedCounts<NodeFrontend>;
  readonly #out = new ByteWriter();
  /** By field: who stands in it, and whether any of them has changed. Each field is written whole. */
  readonly #standing: readonly Set<NodeFrontend>[] = Array.from({ length: fields }, () => new Set());
  readonly #changed: boolean[] = Array.from({ length: fields }, () => false);

  /** @param now milliseconds since the epoch */
  constructor(now: () => number = Date.now) {
    this.merged = new MergedCounts<NodeFrontend>({
      most: mostFrontends,
      now,
      make: (name) => {
        const made = new NodeFrontend(name);
        this.#standing[made.field]?.add(made);
        return made;
      },
      changing: (counts, requests, time) => this.#changing(counts, requests, time),
      makeRoom: () => this.#makeRoom(),
    });
  }

  get frontends(): ReadonlyMap<string, FrontendCounts> {
    return this.merged.frontends;
  }

  /** Goes on from a record that an earlier run of this node has left: its counts, not what it had running. What cannot be read is left out. */
  goOnFrom(record: Iterable<Buffer>): void {
    this.merged.readClock();
    for (const field of record) {
      for (const { counts } of readFieldOrNothing(field)) this.merged.add(counts);
    }
  }

  /** The fields that have changed since the last call, by name; an empty one is to go. */
  takeChanged(): Map<string, Buffer> {
    const taken = new Map<string, Buffer>();
    for (let field = 0; field < fields; field++) {
      if (this.#changed[field]) taken.set(String(field), this.#write(field));
    }
    this.#changed.fill(false);
    return taken;
  }

  /** Those fields did not reach the store. */
  changedStill(names: Iterable<string>): void {
    for (const name of names) this.#changed[Number(name)] = true;
  }

  /** Whatever the store holds of this node is to be replaced. */
  everythingChanged(): void {
    this.#changed.fill(true);
  }

  #changing(counts: NodeFrontend, requests: number, now: number): void {
    this.#changed[counts.field] = true;
    const latencies = Math.floor(now / latencyWindow);
    if (latencies !== counts.latencyWindow) {
      counts.beginWindow(latencies === counts.latencyWindow + 1);
      counts.latencyWindow = latencies;
    }
    if (requests === 0) return;
    const window = Math.floor(now / rateWindow);
    if (window !== counts.window) {
      counts.before = window === counts.window + 1 ? counts.ended : 0;
      counts.ended = 0;
      counts.window = window;
    }
    counts.ended += requests;
  }

  /** What was counted of those that were not asked for lately goes on to be counted, but is no longer told apart. */
  #makeRoom(): void {
    const idle = [...this.merged.frontends.values()].filter(
      ({ name, active }) => active === 0 && name !== noFrontend && name !== otherFrontends,
    );
    idle.sort((one, other) => one.usedAt - other.usedAt);
    for (const counts of idle.slice(0, Math.ceil(mostFrontends * roomMade))) {
      this.merged.drop(counts);
      this.#standing[counts.field]?.delete(counts);
      this.#changed[counts.field] = true;
      const rest = new FrontendCounts(otherFrontends);
      rest.add(counts);
      rest.foldBackends();
      this.merged.add(rest);
    }
  }

  #write(field: number): Buffer {
    const out = this.#out;
    for (const counts of this.#standing[field] ?? []) {
      writeFrontend(out, counts);
      out.number(counts.window);
      out.number(counts.ended);
      out.number(counts.before);
    }
    return out.take();
  }
}

/** The field that a frontend stands in: the same on all nodes. */
export function fieldOf(name: string): string {
  return String(fieldNumber(name));
}

/** FNV-1a. */
function fieldNumber(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % fields;
}

/** The frontends of a field. @throws Error for bytes that nobody wrote */
function readField(field: Buffer): RecordedFrontend[] {
  const from = new ByteReader(field);
  const read: RecordedFrontend[] = [];
  while (!from.done) {
    const counts = readFrontend(from);
    read.push({ counts, recent: { window: from.number(), count: from.number(), before: from.number() } });
  }
  return read;
}

/** As `readField`; a field of another version, or of nonsense, has no frontends. */
export function readFieldOrNothing(field: Buffer): RecordedFrontend[] {
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
