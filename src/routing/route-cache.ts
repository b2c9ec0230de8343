// From the authority of a request to its route: answered from memory for as long as nothing that the answer hangs on has changed.
import type { FrontendRecord, Route } from '../model/frontend.js';
import type { Store, StoreListener } from '../store/store.js';
import { compileRoute, matchingRecord } from './compile-route.js';
import { type HostName, normaliseHost } from './host-name.js';
import { lookupNames } from './host-order.js';
import { RecentMap } from './recent-map.js';
import { type RecordEntry, RecordReader } from './record-reader.js';

/** Why there is no route: no frontend serves the host, the store is away and the host was never seen, or it is no host at all. */
export interface RouteMiss {
  readonly kind: 'unknown' | 'away' | 'bad-host';
}

const unknownHost: RouteMiss = Object.freeze({ kind: 'unknown' });
const storeAway: RouteMiss = Object.freeze({ kind: 'away' });
const badHost: RouteMiss = Object.freeze({ kind: 'bad-host' });

/** Tells a miss from a route. */
export function isMiss(found: Route | RouteMiss): found is RouteMiss {
  return 'kind' in found;
}

export interface RouteCacheOptions {
  readonly store: Store;
  /** The most routes that are kept; a quarter as many hosts without a frontend are kept beside them. */
  readonly entries: number;
  /** Milliseconds that known routes are served while the store is away; 0: for as long as it takes. */
  readonly maxStale: number;
  /** Told once of each record that cannot be understood. */
  readonly log: (text: string) => void;
}

/** An answer and the records that it hangs on: all that were tried, up to the one that matched. */
interface Answer<T> {
  readonly result: T;
  readonly entries: readonly RecordEntry[];
  /** The epoch in which all its records were last seen to be true. */
  epoch: number;
}

const maxNotes = 1000;

/**
 * Given to `Store.start` as its listener. An answer that has become untrue is not thrown away before there is a newer one: it is
 * the last known route, and is served while the store is away.
 */
export class RouteCache implements StoreListener {
  /** Counters since the start, for metrics. */
  hits = 0;
  misses = 0;
  /** Answers given though a change was told, or may have been missed, since they were read. */
  servedStale = 0;
  /** Routes compiled from records with a fault. */
  faults = 0;
  /** Since when answers are served that may be out of date, in milliseconds since the epoch; 0 while none is. */
  staleSince = 0;
  readonly #options: RouteCacheOptions;
  readonly #reader: RecordReader;
  readonly #routes: RecentMap<Answer<Route>>;
  /** Apart from the routes, so that a flood of invented hosts forgets other inventions only. */
  readonly #unknowns: RecentMap<Answer<RouteMiss>>;
  readonly #notes = new Map<string, string>();
  /** Grows with each change of anything that is known; an answer of this epoch is true without looking at its records. */
  #epoch = 0;
  /** When the store last said that anything may have changed, until it was read again; 0 before and after. */
  #doubtSince = 0;

  constructor(options: RouteCacheOptions) {
    this.#options = options;
    this.#reader = new RecordReader(options.store);
    this.#routes = new RecentMap(options.entries, (answer) => this.#reader.release(answer.entries));
    this.#unknowns = new RecentMap(options.entries / 4, (answer) => this.#reader.release(answer.entries));
  }

  /** Whether known routes are being served as they last were, because the store cannot be asked. */
  get stale(): boolean {
    return this.staleSince !== 0;
  }

  /** Reads, failed reads and refused reads of the store, and what is held; for metrics. */
  get reader(): Readonly<Pick<RecordReader, 'reads' | 'failures' | 'refused' | 'inFlight' | 'size'>> {
    return this.#reader;
  }

  /** The route of a request. A promise only when the store must be asked; it never rejects. */
  find(authority: string): Route | RouteMiss | Promise<Route | RouteMiss> {
    const answer = this.#routes.get(authority);
    if (answer !== undefined && answer.epoch === this.#epoch) {
      this.hits += 1;
      return answer.result;
    }
    return this.#look(authority);
  }

  changed(name: string): void {
    if (this.#reader.changed(name)) this.#epoch += 1;
  }

  everythingChanged(): void {
    this.#reader.everythingChanged();
    this.#epoch += 1;
    this.#doubtSince = Date.now();
  }

  #look(authority: string): Route | RouteMiss | Promise<Route | RouteMiss> {
    const name = normaliseHost(authority);
    if (name === null) return badHost;
    // Not the authority as written: else each spelling of a host would be an entry of its own.
    const key = name.port === '' ? name.host : `${name.host}:${name.port}`;
    const answer = this.#answer(key);
    if (answer !== undefined) {
      this.hits += 1;
      return answer;
    }
    this.misses += 1;
    return this.#options.store.state === 'away' ? this.#answerWithoutStore(key, name) : this.#load(ownCopy(key), name);
  }

  /** The answer for a key if it is still true. */
  #answer(key: string): Route | RouteMiss | undefined {
    const answer = this.#routes.get(key) ?? this.#unknowns.get(key);
    if (answer === undefined) return undefined;
    if (answer.epoch !== this.#epoch) {
      if (!answer.entries.every((entry) => entry.live)) return undefined;
      answer.epoch = this.#epoch;
    }
    return answer.result;
  }

  async #load(key: string, { host, port }: HostName): Promise<Route | RouteMiss> {
    const name: HostName = { host: ownCopy(host), port };
    let entries: RecordEntry[];
    try {
      entries = await this.#reader.read(lookupNames(name.host, port));
    } catch {
      return this.#answerWithoutStore(key, name);
    }
    this.staleSince = 0;
    this.#doubtSince = 0;
    // Others who waited for the same records may have been here first.
    return this.#answer(key) ?? this.#compile(key, name.host, entries);
  }

  #compile(key: string, host: string, entries: readonly RecordEntry[]): Route | RouteMiss {
    const records = entries.map((entry) => entry.record!);
    const matched = matchingRecord(records);
    if (matched === -1) {
      this.#keep(this.#unknowns, this.#routes, key, unknownHost, entries);
      return unknownHost;
    }
    const { route, faults } = compileRoute(host, records.slice(0, matched + 1));
    if (faults.length > 0) this.#note(route.frontend, faults);
    this.#keep(this.#routes, this.#unknowns, key, route, entries.slice(0, matched + 1));
    return route;
  }

  #keep<T, U>(
    into: RecentMap<Answer<T>>,
    other: RecentMap<Answer<U>>,
    key: string,
    result: T,
    entries: readonly RecordEntry[],
  ): void {
    if (!this.#reader.hold(entries)) return;
    const before = other.get(key);
    if (before !== undefined) {
      other.delete(key);
      this.#reader.release(before.entries);
    }
    into.set(key, { result, entries, epoch: this.#epoch });
  }

  /** The last known route, or one of a host that was not asked for yet but whose records are known; else there is nothing to say. */
  #answerWithoutStore(key: string, { host, port }: HostName): Route | RouteMiss {
    const entries = this.#reader.known(lookupNames(host, port), serves);
    if (entries !== null) return this.#compile(ownCopy(key), ownCopy(host), entries);
    const last = this.#routes.get(key);
    if (last === undefined) return storeAway;
    if (this.staleSince === 0) this.staleSince = this.#doubtSince === 0 ? Date.now() : this.#doubtSince;
    const { maxStale } = this.#options;
    if (maxStale > 0 && Date.now() - this.staleSince >= maxStale) return storeAway;
    this.servedStale += 1;
    return last.result;
  }

  #note(frontend: string, faults: readonly string[]): void {
    this.faults += 1;
    const text = faults.slice(0, 3).join('; ') + (faults.length > 3 ? `; and ${faults.length - 3} more` : '');
    if (this.#notes.get(frontend) === text) return;
    if (this.#notes.size >= maxNotes) this.#notes.clear();
    this.#notes.set(frontend, text);
    this.#options.log(text);
  }
}

function serves(record: FrontendRecord): boolean {
  return matchingRecord([record]) === 0;
}

/** A host is a slice of the head it came in, and a slice keeps the whole alive: what is kept for long is copied. */
function ownCopy(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
