// What a node has counted, as it is written to the store (`node-record` says how): only what has changed. Names, which hardly do, are not
// written again with the numbers.
import { ByteWriter } from '../base/varints.js';
import { writeLatencies, writeNames, writeNumbers } from './counts-bytes.js';
import { FrontendCounts, noFrontend, otherFrontends } from './frontend-counts.js';
import { MergedCounts } from './merged-counts.js';
import { fieldsOf, placeOf, places, rateWindow, readRecord } from './node-record.js';

/** The most frontends that a node tells apart. */
const mostFrontends = 12_000;
/** The share of them that is let go of at once: those that were asked for least lately. */
const roomMade = 0.1;
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
  /** What has changed since it was written: what was counted, and who stands here. */
  changed = false;
  names = true;
  edition = 0;
  /** How many backends were named. */
  named = 0;

  constructor(number: number) {
    this.number = number;
  }

  everythingChanged(): void {
    this.changed = true;
    this.names = true;
  }
}

export class NodeCounts {
  /** To be added to by a `ToldCounts`. */
  readonly merged: MergedCounts<NodeFrontend>;
  readonly #out = new ByteWriter();
  readonly #now: () => number;
  readonly #places: readonly Place[] = Array.from({ length: places }, (_, number) => new Place(number));

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

  /** The fields that have changed since the last call, by name; an empty one is to go. */
  takeChanged(): Map<string, Buffer> {
    const taken = new Map<string, Buffer>();
    for (const place of this.#places) if (place.changed) this.#write(place, taken);
    return taken;
  }

  /** Those fields did not reach the store. */
  changedStill(names: Iterable<string>): void {
    for (const name of names) this.#places[Number.parseInt(name, 10)]?.everythingChanged();
  }

  /** Whatever the store holds of this node is to be replaced. */
  everythingChanged(): void {
    for (const place of this.#places) place.everythingChanged();
  }

  #changing(counts: NodeFrontend, requests: number, now: number): void {
    counts.place.changed = true;
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
      counts.place.frontends.delete(counts);
      counts.place.everythingChanged();
      const rest = new FrontendCounts(otherFrontends);
      rest.add(counts);
      rest.foldBackends();
      this.merged.add(rest);
    }
  }

  #write(place: Place, taken: Map<string, Buffer>): void {
    const fields = fieldsOf(place.number);
    const { frontends } = place;
    let backends = 0;
    for (const counts of frontends) backends += counts.backends.size;
    const renamed = place.names || backends !== place.named;
    place.changed = false;
    if (renamed) {
      place.names = false;
      place.named = backends;
      place.edition++;
      taken.set(fields.names, this.#part(place, writeNames));
    }
    taken.set(fields.numbers, this.#numbers(place));
    taken.set(fields.latencies, this.#part(place, writeLatencies));
  }

  #part({ frontends, edition }: Place, write: (out: ByteWriter, counts: FrontendCounts) => void): Buffer {
    const out = this.#out;
    if (frontends.size > 0) out.number(edition);
    for (const counts of frontends) write(out, counts);
    return out.take();
  }

  #numbers({ frontends, edition }: Place): Buffer {
    const out = this.#out;
    if (frontends.size === 0) return out.take();
    const window = Math.floor(this.#now() / rateWindow);
    out.number(edition);
    out.number(window);
    for (const counts of frontends) {
      writeNumbers(out, counts);
      out.number(window - counts.window);
      out.number(counts.ended);
      out.number(counts.before);
    }
    return out.take();
  }
}
