// From the authority and the path of a request to its route: answered from memory for as long as nothing that the answer hangs on has changed.
import { ownText } from '../base/own-text.js';
import type { FrontendRecord, Route } from '../model/frontend.js';
import type { RecordKind } from '../model/record-kind.js';
import type { Store, StoreListener } from '../store/store.js';
import { compileRoute, matchingRecord } from './compile-route.js';
import { type HostName, normaliseHost } from './host-name.js';
import type { HostPattern } from './host-pattern.js';
import { type Answer, isMiss, KeptAnswers, prefixKey, type RouteMiss } from './kept-answers.js';
import { firstPrefix, type Lookup, lookupFor, noSets } from './lookup.js';
import { normalPath } from './path-normal.js';
import { type PatternList, PatternSource } from './pattern-list.js';
import { PrefixIndex } from './prefix-index.js';
import type { RecordEntry } from './record-entry.js';
import { RecordReader } from './record-reader.js';
import { Turns } from './turns.js';

/** What `find` gives where there is no route. */
export { isMiss, type RouteMiss };

const unknownHost: RouteMiss = Object.freeze({ kind: 'unknown' });
const storeAway: RouteMiss = Object.freeze({ kind: 'away' });
const storeLate: RouteMiss = Object.freeze({ kind: 'late' });
const badHost: RouteMiss = Object.freeze({ kind: 'bad-host' });

export interface RouteCacheOptions {
  readonly store: Store;
  /** The most routes of hosts with a frontend of their own that are kept; beside them are kept others and hosts without a frontend. */
  readonly entries: number;
  /** Milliseconds that known routes are served while the store is away; 0: for as long as it takes. */
  readonly maxStale: number;
  /** Told once of each record that cannot be understood. */
  readonly log: (text: string) => void;
}

/** What a request asks for. */
interface Question {
  readonly name: HostName;
  readonly target: string;
  readonly secure: boolean;
}

const maxNotes = 1000;

/**
 * Given to `Store.start` as its listener. An answer that has become untrue is not thrown away before there is a newer one: it is
 * the last known route, and is served while the store is away.
 *
 * A host has one answer, and one more for each of its prefixes that is in use. Which prefix a path is below is asked anew for each
 * request, of the index in memory; for a host without prefixes that question does not arise.
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
  readonly #prefixes: PrefixIndex;
  readonly #patterns: PatternSource;
  readonly #answers: KeptAnswers;
  readonly #turns = new Turns();
  readonly #notes = new Map<string, string>();
  /** Whether answers for clients by TLS are kept apart, because a pattern asks. */
  #asksSecure = false;
  /** When the store last said that anything may have changed, until it was read again; 0 before and after. */
  #doubtSince = 0;

  constructor(options: RouteCacheOptions) {
    const { store, entries, log } = options;
    this.#options = options;
    this.#reader = new RecordReader(store);
    const onOthers = (): void => {
      this.#answers.epoch += 1;
    };
    this.#prefixes = new PrefixIndex({ store, log, onHosts: onOthers });
    this.#patterns = new PatternSource({
      store,
      onFaults: (faults) => this.#note('patterns', faults),
      onReplaced: onOthers,
    });
    this.#answers = new KeptAnswers(entries, this.#reader, this.#prefixes, this.#patterns);
  }

  /** Whether known routes are being served as they last were, because the store cannot be asked. */
  get stale(): boolean {
    return this.staleSince !== 0;
  }

  /** Reads, failed reads and refused reads of the store, and what is held; for metrics. */
  get reader(): Readonly<Pick<RecordReader, 'reads' | 'failures' | 'refused' | 'inFlight' | 'size'>> {
    return this.#reader;
  }

  /** Frontends with a path prefix that are known; for metrics. */
  get prefixes(): number {
    return this.#prefixes.size;
  }

  /** Resolves when path prefixes and host patterns are known, as far as they can be. Requests wait for it by themselves. */
  async ready(): Promise<void> {
    await this.#prefixes.whenReady();
    await this.#patternsInForce().catch(() => undefined);
  }

  /**
   * The route of a request. A promise only when the store must be asked; it never rejects.
   * @param target path and query, as the client wrote them
   * @param secure whether the client is connected by TLS
   */
  find(authority: string, target = '/', secure = false): Route | RouteMiss | Promise<Route | RouteMiss> {
    const key = secure && this.#asksSecure ? secureKey(authority) : authority;
    const answers = this.#answers;
    let answer = answers.stillTrue(answers.get(key));
    if (answer !== undefined) {
      if (answer.sets !== noSets) answer = answers.stillTrue(answers.below(key, answer, target));
      if (answer !== undefined) {
        this.hits += 1;
        return answer.result;
      }
    }
    return this.#look(authority, target, secure);
  }

  /**
   * The host pattern that decides about a host, or null. A promise only when the store must be asked; it never rejects: while the
   * store is away the last known patterns are in force.
   */
  patternFor(host: string, secure: boolean): HostPattern | null | Promise<HostPattern | null> {
    const { current } = this.#patterns;
    if (current !== null) return current.match(host, secure);
    if (this.#options.store.state === 'away') return this.#patterns.last?.match(host, secure) ?? null;
    return this.#patternsInForce().then(
      (patterns) => patterns.match(host, secure),
      () => null,
    );
  }

  /** Whether a host pattern is meant for a host; answered from memory. */
  hasPatternFor(host: string, secure: boolean): boolean {
    return this.#patterns.last?.match(host, secure) != null;
  }

  changed(name: string): void {
    if (name.includes('/')) this.#prefixes.changed(name);
    if (this.#reader.changed(name)) this.#answers.epoch += 1;
  }

  recordChanged(kind: RecordKind): void {
    if (kind !== 'patterns') return;
    this.#patterns.changed();
    this.#answers.epoch += 1;
  }

  everythingChanged(): void {
    this.#reader.everythingChanged();
    this.#prefixes.everythingChanged();
    this.#patterns.changed();
    this.#answers.epoch += 1;
    this.#doubtSince = Date.now();
  }

  #look(authority: string, target: string, secure: boolean): Route | RouteMiss | Promise<Route | RouteMiss> {
    const name = normaliseHost(authority);
    if (name === null) return badHost;
    const question: Question = { name, target, secure };
    const answer = this.#answer(question);
    if (answer !== undefined) {
      this.hits += 1;
      return answer;
    }
    this.misses += 1;
    const { store } = this.#options;
    // Of a store with a memory something may be known that was not read yet.
    const remembers = store.remembered !== undefined && (this.#patterns.last === null || store.unread === true);
    const isAsked = store.state !== 'away' || remembers;
    if (!isAsked) return this.#answerWithoutStore(question);
    return this.#answers.route(this.#keyOf(question)) === undefined ? this.#loadStranger(question) : this.#loadKnown(question);
  }

  /** The answer to a question if it is still true. */
  #answer(question: Question): Route | RouteMiss | undefined {
    const key = this.#keyOf(question);
    const whole = this.#answers.stillTrue(this.#answers.get(key));
    if (whole === undefined || whole.sets === noSets) return whole?.result;
    return this.#answers.stillTrue(this.#answers.below(key, whole, question.target))?.result;
  }

  /** Not the authority as written: else each spelling of a host would be an entry of its own. */
  #keyOf({ name: { host, port }, secure }: Question): string {
    const authority = port === '' ? host : `${host}:${port}`;
    return secure && this.#asksSecure ? secureKey(authority) : authority;
  }

  /** Of a host that was never asked for nothing can be said without the store, but that it does not reply. */
  async #loadStranger(question: Question): Promise<Route | RouteMiss> {
    // A search for prefixes takes its time where there are many frontends.
    if (!this.#prefixes.ready) await this.#prefixes.whenReady();
    return this.#waitFor(question, this.#read(question), false);
  }

  /** A host that was served waits where that can bring a newer answer: not for a store that hangs. */
  #loadKnown(question: Question): Route | RouteMiss | Promise<Route | RouteMiss> {
    const reading = this.#read(question);
    if (this.#options.store.patience?.isOut(this.#serversOf(question)) === true) {
      const known = this.#answerWithoutStore(question);
      if (known !== storeAway) return known;
    }
    return this.#waitFor(question, reading, true);
  }

  async #waitFor(question: Question, reading: Promise<Route | RouteMiss | null>, known: boolean): Promise<Route | RouteMiss> {
    const { patience } = this.#options.store;
    const found = await (patience?.wait(reading, known, () => this.#serversOf(question)) ?? reading);
    if (found !== null && found !== 'late') return found;
    const answer = this.#answerWithoutStore(question);
    return found === 'late' && answer === storeAway ? storeLate : answer;
  }

  /** The servers that have to reply before a question can be answered. */
  #serversOf(question: Question): readonly string[] {
    const { current, last, servers } = this.#patterns;
    if (last === null) return servers;
    const found = this.#lookup(question, last);
    const lacking = 'names' in found ? found.names.filter((name) => this.#reader.lacks(name)) : [];
    const others = this.#options.store.serversOf?.('frontend', lacking) ?? [];
    return current === null ? [...servers, ...others] : others;
  }

  /** The answer from the store; null when it cannot be asked. Never rejects. */
  async #read(asked: Question): Promise<Route | RouteMiss | null> {
    const question = withOwnHost(asked);
    let patterns: PatternList;
    let found: Lookup | Route;
    let entries: RecordEntry[];
    try {
      if (!this.#prefixes.ready) await this.#prefixes.whenReady();
      patterns = this.#patterns.current ?? (await this.#patternsInForce());
      found = this.#lookup(question, patterns);
      // The answer for the whole host is wanted too, where a prefix serves.
      const { plain = [] } = found as Partial<Lookup>;
      const ends = (record: FrontendRecord): boolean => serves(record) && plain.includes(record.name);
      entries = 'names' in found ? await this.#reader.read(found.names, ends) : [];
    } catch {
      return null;
    }
    this.staleSince = 0;
    this.#doubtSince = 0;
    // Others who waited for the same records may have been here first.
    return this.#answer(question) ?? this.#compile(question, found, entries, patterns);
  }

  async #patternsInForce(): Promise<PatternList> {
    const patterns = await this.#patterns.read();
    this.#asksSecure = patterns.asksSecure;
    return patterns;
  }

  /** Where the answer is to be found, or the answer itself where a pattern names a backend. */
  #lookup({ name, target, secure }: Question, patterns: PatternList): Lookup | Route {
    const pattern = patterns.match(name.host, secure);
    if (pattern?.target.kind === 'backend') return pattern.target.route;
    return lookupFor(name, pattern, normalPath(target), this.#prefixes);
  }

  /** @param question whose texts are its own: they are kept */
  #compile(question: Question, found: Lookup | Route, entries: readonly RecordEntry[], patterns: PatternList): Route | RouteMiss {
    const key = this.#keyOf(question);
    if (!('names' in found)) return this.#answers.keep(key, found, [], patterns, true);
    const matched = entries.find(serves)?.name;
    const isBelow = matched !== undefined && !found.plain.includes(matched);
    const plain = entries.filter((entry) => found.plain.includes(entry.name));
    // The answer for the host is what the next request looks at first. Of what is known without the store it may be a part only.
    const isComplete = plain.length === found.plain.length || plain.some(serves);
    const known = this.#answers.stillTrue(this.#answers.get(key))?.result;
    const whole = isComplete && known === undefined ? this.#compileAndKeep(key, found.host, plain, patterns, true) : known;
    if (!isBelow) return whole ?? unknownHost;
    // Where the first prefix is of a frontend that is gone already, another one may serve: no answer to keep.
    const isFirst = matched === found.prefix?.name;
    return this.#compileAndKeep(isFirst ? prefixKey(key, matched) : '', found.host, entries, patterns, false);
  }

  /** Makes the answer of some records: of the first that has a list. @param key empty: it is not kept */
  #compileAndKeep(
    key: string,
    host: string,
    entries: readonly RecordEntry[],
    patterns: PatternList,
    whole: boolean,
  ): Route | RouteMiss {
    const matched = matchingRecord(entries);
    if (matched === -1) return this.#answers.keep(key, unknownHost, entries, patterns, whole);
    const serving = entries.slice(0, matched + 1);
    const turn = this.#turns.of(key, serving.at(-1)!.name, this.#answers.route(key)?.result);
    const { route, faults } = compileRoute(host, serving, turn);
    if (faults.length > 0) {
      this.faults += 1;
      this.#note(route.frontend, faults);
    }
    return key === '' ? route : this.#answers.keep(key, route, serving, patterns, whole);
  }

  /** The last known route, or one of a host that was not asked for yet but whose records are known; else there is nothing to say. */
  #answerWithoutStore(question: Question): Route | RouteMiss {
    const patterns = this.#patterns.last;
    if (patterns === null) return storeAway;
    const found = this.#lookup(question, patterns);
    const entries = 'names' in found ? this.#reader.known(found.names, serves) : [];
    const { maxStale, store } = this.#options;
    // Of a store with a memory what is known may be what it remembers.
    const isFresh = entries !== null && store.remembered === undefined;
    const last = entries === null ? this.#lastKnown(question, found as Lookup)?.result : undefined;
    if (entries === null && last === undefined) return storeAway;
    if (!isFresh) {
      if (this.staleSince === 0) this.staleSince = store.recalled || this.#doubtSince || Date.now();
      if (maxStale > 0 && Date.now() - this.staleSince >= maxStale) return storeAway;
      this.servedStale += 1;
    }
    return last ?? this.#compile(withOwnHost(question), found, entries ?? [], patterns);
  }

  /** A path below a prefix is not served by its host's route, which may let in whom the prefix keeps out. */
  #lastKnown(question: Question, { prefix }: Lookup): Answer | undefined {
    const key = this.#keyOf(question);
    const whole = this.#answers.route(key);
    const own = whole === undefined ? prefix : firstPrefix(this.#answers.setsOf(whole.entries), normalPath(question.target));
    return own === null ? whole : this.#answers.route(prefixKey(key, own.name));
  }

  #note(frontend: string, faults: readonly string[]): void {
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

/** No authority has a blank in it. */
function secureKey(authority: string): string {
  return `https ${authority}`;
}

/** A host is a slice of the head that it came in. */
function withOwnHost({ name: { host, port }, target, secure }: Question): Question {
  return { name: { host: ownText(host), port }, target, secure };
}
