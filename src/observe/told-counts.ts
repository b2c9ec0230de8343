// Adds what the workers of a node tell to each sum that the node keeps of it. What a worker has told stays when it ends; what it had
// running goes with it. Everything is looked up once, when it is first named: after that a number leads to where it is counted.
import { ByteReader } from '../base/varints.js';
import { type BackendCounts, type FrontendCounts, otherBackends } from './frontend-counts.js';
import { readCodes, readErrors } from './keyed-bytes.js';
import { lastBucket } from './latency-counts.js';
import type { MergedCounts } from './merged-counts.js';

/** A frontend as one worker tells of it: what runs there, and where it is counted in each sum. */
class ToldFrontend {
  readonly name: string;
  active = 0;
  running = 0;
  waiting = 0;
  readonly places: FrontendCounts[] = [];

  constructor(name: string) {
    this.name = name;
  }
}

class ToldBackend {
  readonly id: string;
  readonly frontend: ToldFrontend;
  active = 0;
  readonly places: BackendCounts[] = [];
  /** The frontends that those belong to. */
  readonly owners: FrontendCounts[] = [];

  constructor(id: string, frontend: ToldFrontend) {
    this.id = id;
    this.frontend = frontend;
  }
}

/** What a worker has named, by number. */
class Source {
  readonly frontends: (ToldFrontend | undefined)[] = [];
  readonly backends: (ToldBackend | undefined)[] = [];
}

export class ToldCounts {
  readonly #sums: readonly MergedCounts<FrontendCounts>[];
  readonly #sources = new Map<number, Source>();

  constructor(sums: readonly MergedCounts<FrontendCounts>[]) {
    this.#sums = sums;
  }

  /**
   * @param number of the worker
   * @param told what `Tally.collect` gave
   * @throws Error for bytes that no `Telling` wrote
   */
  hear(number: number, told: Buffer): void {
    let source = this.#sources.get(number);
    if (source === undefined) {
      source = new Source();
      this.#sources.set(number, source);
    }
    for (const sum of this.#sums) sum.readClock();
    const from = new ByteReader(told);
    while (!from.done) this.#hearFrontend(source, from);
  }

  /** The worker has ended: nothing runs there. */
  lose(number: number): void {
    const source = this.#sources.get(number);
    if (source === undefined) return;
    this.#sources.delete(number);
    for (const sum of this.#sums) sum.readClock();
    for (const told of source.frontends) if (told !== undefined) this.#endFrontend(told);
    for (const told of source.backends) if (told !== undefined) this.#endBackend(told);
  }

  #hearFrontend(source: Source, from: ByteReader): void {
    const told = this.#frontendNamed(source, from);
    const requests = from.number();
    const hits = from.number();
    const active = from.number();
    const running = from.number();
    const runningMax = from.number();
    const waiting = from.number();
    const waitingMax = from.number();
    const queued = from.number();
    const retries = from.number();
    const bytesIn = from.number();
    const bytesOut = from.number();
    for (let at = 0; at < this.#sums.length; at++) {
      const counts = this.#place(told, at);
      (this.#sums[at] as MergedCounts<FrontendCounts>).changing(counts, requests);
      counts.requests += requests;
      counts.hits += hits;
      counts.queued += queued;
      counts.retries += retries;
      counts.bytesIn += bytesIn;
      counts.bytesOut += bytesOut;
      counts.active += active - told.active;
      counts.running += running - told.running;
      counts.waiting += waiting - told.waiting;
      counts.runningMax = Math.max(counts.runningMax, runningMax, counts.running);
      counts.waitingMax = Math.max(counts.waitingMax, waitingMax, counts.waiting);
    }
    told.active = active;
    told.running = running;
    told.waiting = waiting;
    hearKeyed(from, told.places);
    for (let left = from.count(); left > 0; left--) this.#hearBackend(source, told, from);
  }

  #hearBackend(source: Source, frontend: ToldFrontend, from: ByteReader): void {
    const told = this.#backendNamed(source, frontend, from);
    const attempts = from.number();
    const active = from.number();
    const activeMax = from.number();
    for (let at = 0; at < this.#sums.length; at++) {
      const counts = this.#backendPlace(told, at);
      (this.#sums[at] as MergedCounts<FrontendCounts>).backendChanging(counts);
      counts.attempts += attempts;
      // What runs on backends that are not told apart is not known of each.
      if (counts.id === told.id) counts.active += active - told.active;
      counts.activeMax = Math.max(counts.activeMax, activeMax, counts.active);
    }
    told.active = active;
    hearKeyed(from, told.places);
  }

  #frontendNamed(source: Source, from: ByteReader): ToldFrontend {
    const head = from.number();
    const number = Math.floor(head / 2);
    const known = source.frontends[number];
    if (head % 2 === 0) {
      if (known === undefined) throw new Error('a frontend has no name');
      return known;
    }
    const told = new ToldFrontend(from.text());
    if (number > source.frontends.length) throw new Error('the number of a frontend was left out');
    if (known !== undefined) this.#endFrontend(known);
    source.frontends[number] = told;
    return told;
  }

  #backendNamed(source: Source, frontend: ToldFrontend, from: ByteReader): ToldBackend {
    const head = from.number();
    const number = Math.floor(head / 2);
    const known = source.backends[number];
    if (head % 2 === 0) {
      if (known === undefined) throw new Error('a backend has no name');
      return known;
    }
    const told = new ToldBackend(from.text(), frontend);
    if (number > source.backends.length) throw new Error('the number of a backend was left out');
    if (known !== undefined) this.#endBackend(known);
    source.backends[number] = told;
    return told;
  }

  /** Where a frontend is counted: as long as there is no room, with the others. */
  #place(told: ToldFrontend, at: number): FrontendCounts {
    const sum = this.#sums[at] as MergedCounts<FrontendCounts>;
    const place = told.places[at];
    if (place !== undefined && !place.dropped && (place !== sum.others || !sum.hasRoom)) return place;
    const found = sum.frontend(told.name);
    if (found === place) return place;
    if (place !== undefined) run(place, told, -1);
    run(found, told, 1);
    told.places[at] = found;
    return found;
  }

  #backendPlace(told: ToldBackend, at: number): BackendCounts {
    const sum = this.#sums[at] as MergedCounts<FrontendCounts>;
    const owner = told.frontend.places[at] as FrontendCounts;
    const place = told.places[at];
    const stands = place !== undefined && told.owners[at] === owner && !place.dropped;
    if (stands && (place.id !== otherBackends || !owner.hasRoom)) return place;
    // Whose backends they are would not be seen among the others.
    const found = owner.backend(owner === sum.others ? otherBackends : told.id);
    if (found === place) return place;
    if (place !== undefined && place.id === told.id) place.active -= told.active;
    if (found.id === told.id) found.active += told.active;
    told.places[at] = found;
    told.owners[at] = owner;
    return found;
  }

  #endFrontend(told: ToldFrontend): void {
    if (told.active === 0 && told.running === 0 && told.waiting === 0) return;
    for (let at = 0; at < told.places.length; at++) {
      const place = told.places[at] as FrontendCounts;
      (this.#sums[at] as MergedCounts<FrontendCounts>).changing(place, 0);
      run(place, told, -1);
    }
  }

  #endBackend(told: ToldBackend): void {
    if (told.active === 0) return;
    for (let at = 0; at < told.places.length; at++) {
      const place = told.places[at] as BackendCounts;
      (this.#sums[at] as MergedCounts<FrontendCounts>).changing(told.owners[at] as FrontendCounts, 0);
      if (place.id === told.id) place.active -= told.active;
    }
  }
}

/** What a worker has running is counted at a place, or no longer. */
function run(counts: FrontendCounts, { active, running, waiting }: ToldFrontend, times: 1 | -1): void {
  counts.active += active * times;
  counts.running += running * times;
  counts.waiting += waiting * times;
}

/** Codes, errors and latencies, as `Telling` writes them of frontends and of backends. */
function hearKeyed(from: ByteReader, places: readonly (FrontendCounts | BackendCounts)[]): void {
  readCodes(from, places);
  readErrors(from, places);
  const buckets = from.count();
  if (buckets === 0) return;
  const sum = from.number();
  for (let at = 0; at < places.length; at++) (places[at] as FrontendCounts | BackendCounts).latency.sum += sum;
  let bucket = 0;
  for (let left = buckets; left > 0; left--) {
    bucket += from.number();
    if (bucket > lastBucket) throw new Error('a latency is beyond all buckets');
    const count = from.number();
    for (let at = 0; at < places.length; at++) places[at]?.latency.addBucket(bucket, count);
  }
}
