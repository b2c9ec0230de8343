// What a node has counted, as it is written to the store (`node-record` says how): only what has changed, and of very many frontends some
// at a time. Names, which hardly change, are not written again with the numbers.
import { ByteWriter } from '../base/varints.js';
import { writeLatencies, writeNames, writeNumbers } from './counts-bytes.js';
import { FrontendCounts, noFrontend, otherFrontends } from './frontend-counts.js';
import { MergedCounts } from './merged-counts.js';
import { fieldsOf, placeOf, places, rateWindow, readRecord } from './node-record.js';

/** The most frontends that a node tells apart. */
const mostFrontends = 12_000;
/** The share of them that is let go of at once: those that were asked for least lately. */
const roomMade = 0.1;
/**
 * Rows, one a frontend or backend, that are written at a time: of 12,000 frontends with two backends each a sixth. Writing all of them each
 * second would cost as much as a tenth of the requests that they are asked.
 */
const mostRows = 6_000;
/** Latencies are those of the last five to ten minutes, in milliseconds. */
const latencyWindow = 300_000;

/** A frontend as a node counts it. */
class NodeFrontend extends FrontendCounts {
  readonly place: Place;
  /** As in `RecentRequests`. */
  window = 0;
  ended = 0;
  before = 0;
  /** Number of the window that latencies are counted in. */
  latencyWindow = 0;

  constructor(name: string, place: Place) {
    super(name);
    this.place = place;
  }
}

/** Frontends that are written together. */
class Place {
  readonly number: number;
  readonly frontends = new Set<NodeFrontend>();
  /** Since when something waits that was counted after the last writing, in milliseconds since the epoch; null: nothing does. */
  waitsSince: number | null = null;
  /** Who stands here has changed since it was written. */
  names = true;
  edition = 0;
  /** How many backends were named. */
  named = 0;

  constructor(number: number) {
    this.number = number;
  }

  changed(now: number): void {
    this.waitsSince ??= now;
  }

  everythingChanged(now: number): void {
    this.changed(now);
    this.names = true;
  }

  /** Rows that writing it takes, as many as there were the last time. */
  get rows(): number {
    return this.frontends.size + this.named;
  }
}

/** When something is written, and how long what changes after it may wait: as long as what is written has. Milliseconds. */
interface Written {
  readonly now: number;
  readonly lag: number;
}

export class NodeCounts {
  /** To be added to by a `ToldCounts`. */
  readonly merged: MergedCounts<NodeFrontend>;
  readonly #out = new ByteWriter();
  readonly #now: () => number;
  readonly #places: readonly Place[] = Array.from({ length: places }, (_, number) => new Place(number));
  /** The place that has waited longest, if it waits. */
  #next = 0;
  #all = false;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.merged = new MergedCounts<NodeFrontend>({
      most: mostFrontends,
      now,
      make: (name) => {
        const place = this.#places[placeOf(name)] as Place;
        const made = new NodeFrontend(name, place);
        place.frontends.add(made);
        place.names = true;
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
  goOnFrom(record: ReadonlyMap<string, Buffer>): void {
    this.merged.readClock();
    for (const { counts } of readRecord(record)) this.merged.add(counts);
  }

  /**
   * The fields that have changed since they were taken, by name; an empty one is to go. Of very many some, and the rest with the next calls:
   * those that have waited longest come first.
   * @param all there will be no next call
   */
  takeChanged(all = false): Map<string, Buffer> {
    const due = this.#due(all || this.#all);
    this.#all = false;
    const now = this.#now();
    let lag = 0;
    for (const { waitsSince } of due) lag = Math.max(lag, now - (waitsSince ?? now));
    const taken = new Map<string, Buffer>();
    for (const place of due) this.#write(place, { now, lag }, taken);
    return taken;
  }

  /** Those fields did not reach the store. */
  changedStill(names: Iterable<string>): void {
    const now = this.#now();
    for (const name of names) this.#places[Number.parseInt(name, 10)]?.everythingChanged(now);
  }

  /** Whatever the store holds of this node is to be replaced, all of it at once: a part would look as if counts had fallen. */
  everythingChanged(): void {
    const now = this.#now();
    for (const place of this.#places) place.everythingChanged(now);
    this.#all = true;
  }

  #due(all: boolean): Place[] {
    const due: Place[] = [];
    let rows = 0;
    const first = this.#next;
    for (let at = 0; at < places && (all || rows < mostRows); at++) {
      const number = (first + at) % places;
      const place = this.#places[number] as Place;
      if (place.waitsSince !== null) {
        due.push(place);
        rows += place.rows;
      }
      this.#next = (number + 1) % places;
    }
    return due;
  }

  #changing(counts: NodeFrontend, requests: number, now: number): void {
    counts.place.changed(now);
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
    const now = this.#now();
    for (const counts of idle.slice(0, Math.ceil(mostFrontends * roomMade))) {
      this.merged.drop(counts);
      counts.place.frontends.delete(counts);
      counts.place.everythingChanged(now);
      const rest = new FrontendCounts(otherFrontends);
      rest.add(counts);
      rest.foldBackends();
      this.merged.add(rest);
    }
  }

  #write(place: Place, time: Written, taken: Map<string, Buffer>): void {
    const fields = fieldsOf(place.number);
    const { frontends } = place;
    let backends = 0;
    for (const counts of frontends) backends += counts.backends.size;
    const renamed = place.names || backends !== place.named;
    place.waitsSince = null;
    if (renamed) {
      place.names = false;
      place.named = backends;
      place.edition++;
      taken.set(fields.names, this.#part(place, writeNames));
    }
    taken.set(fields.numbers, this.#numbers(place, time));
    taken.set(fields.latencies, this.#part(place, writeLatencies));
  }

  #part({ frontends, edition }: Place, write: (out: ByteWriter, counts: FrontendCounts) => void): Buffer {
    const out = this.#out;
    if (frontends.size > 0) out.number(edition);
    for (const counts of frontends) write(out, counts);
    return out.take();
  }

  #numbers({ frontends, edition }: Place, { now, lag }: Written): Buffer {
    const out = this.#out;
    if (frontends.size === 0) return out.take();
    const window = Math.floor(now / rateWindow);
    out.number(edition);
    out.number(now);
    out.number(lag);
    for (const counts of frontends) {
      writeNumbers(out, counts);
      // A clock may be set back.
      out.number(Math.max(0, window - counts.window));
      out.number(counts.ended);
      out.number(counts.before);
    }
    return out.take();
  }
}
