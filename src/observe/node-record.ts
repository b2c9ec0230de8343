// The record of a node as others read it. Frontends are spread over a number of places, each with three fields: who stands there, what
// was counted of them, and their latencies, in one order. An edition begins each of the three: those of one belong together.
import { ByteReader } from '../base/varints.js';
import { type NamedCounts, readLatencies, readNames, readNumbers } from './counts-bytes.js';
import type { FrontendCounts } from './frontend-counts.js';

/** Places that the frontends of a node are spread over. */
export const places = 256;
/** Requests a second are those of the last seconds: a window of so many milliseconds. */
export const rateWindow = 10_000;

/** How many requests ended in the current window of ten seconds, and in the one before. */
export interface RecentRequests {
  /** Number of the window: milliseconds since the epoch divided by its length. */
  readonly window: number;
  readonly count: number;
  readonly before: number;
  /** When this was written, by the clock of the node in milliseconds since the epoch. */
  readonly asOf: number;
  /** Milliseconds that what changes after it may wait to be written: if nothing else was written, nobody asked since, but for these. */
  readonly lag: number;
}

/** A frontend as it is read from the record of a node. */
export interface RecordedFrontend {
  readonly counts: FrontendCounts;
  readonly recent: RecentRequests;
}

/** Names of the fields of a place. */
export function fieldsOf(place: number): { readonly names: string; readonly numbers: string; readonly latencies: string } {
  return { names: `${place}.names`, numbers: `${place}`, latencies: `${place}.latencies` };
}

/** The place that a frontend stands in: the same on all nodes. FNV-1a. */
export function placeOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % places;
}

/** All frontends of a record, or of the part of it that was read. What cannot be understood is left out. */
export function readRecord(fields: ReadonlyMap<string, Buffer>): RecordedFrontend[] {
  const found: RecordedFrontend[] = [];
  for (let place = 0; place < places; place++) {
    const of = fieldsOf(place);
    const [names, numbers, latencies] = [fields.get(of.names), fields.get(of.numbers), fields.get(of.latencies)];
    if (names === undefined || numbers === undefined || latencies === undefined) continue;
    try {
      found.push(...readPlace(new ByteReader(names), new ByteReader(numbers), new ByteReader(latencies)));
    } catch {
      // Of another version, or nonsense.
    }
  }
  return found;
}

/** @throws Error for bytes that nobody wrote */
function readPlace(names: ByteReader, numbers: ByteReader, latencies: ByteReader): RecordedFrontend[] {
  const edition = names.number();
  if (numbers.number() !== edition || latencies.number() !== edition) throw new Error('the fields do not belong together');
  const asOf = numbers.number();
  const lag = numbers.number();
  const now = Math.floor(asOf / rateWindow);
  const standing: NamedCounts[] = [];
  while (!names.done) standing.push(readNames(names));
  return standing.map((named) => {
    readNumbers(numbers, named);
    const recent = { window: now - numbers.number(), count: numbers.number(), before: numbers.number(), asOf, lag };
    readLatencies(latencies, named);
    return { counts: named.counts, recent };
  });
}

/**
 * Mean requests a second over the last ten seconds.
 * @param now by the clock of the node, milliseconds since the epoch
 */
export function requestsPerSecond({ window, count, before, asOf, lag }: RecentRequests, now: number): number {
  now = Math.max(asOf, now - lag);
  const current = Math.floor(now / rateWindow);
  const passed = (now % rateWindow) / rateWindow;
  const seconds = rateWindow / 1000;
  // Of the window before, the part that is not longer ago than ten seconds, as if it were spread evenly.
  if (window === current) return (count + before * (1 - passed)) / seconds;
  if (window === current - 1) return (count * (1 - passed)) / seconds;
  return 0;
}
