// The answers that a worker keeps: each for as long as what it hangs on is true, as many as the settings allow.
import type { Route } from '../model/frontend.js';
import { firstPrefix, noSets, prefixSets } from './lookup.js';
import { normalPath } from './path-normal.js';
import type { PrefixSet } from './path-prefix.js';
import type { PatternList, PatternSource } from './pattern-list.js';
import type { PrefixIndex } from './prefix-index.js';
import { type Recent, RecentMap, type Standing } from './recent-map.js';
import type { RecordEntry } from './record-entry.js';
import type { RecordReader } from './record-reader.js';

/**
 * Why there is no route: no frontend serves the host, the store is away, or does not reply in time, and the host was never seen, or it
 * is no host at all.
 */
export interface RouteMiss {
  readonly kind: 'unknown' | 'away' | 'late' | 'bad-host';
}

/** Tells a miss from a route. */
export function isMiss(found: Route | RouteMiss): found is RouteMiss {
  return 'kind' in found;
}

/** An answer and what it hangs on: all records that were tried, up to the one that matched, and the host patterns. */
export class Answer implements Recent<Answer> {
  readonly key: string;
  readonly result: Route | RouteMiss;
  readonly entries: readonly RecordEntry[];
  readonly patterns: PatternList;
  /** Prefixes of the host names that were tried: a path below one of them has an answer of its own. `noSets` for such an answer. */
  sets: readonly PrefixSet[] = noSets;
  /** Whether it is the answer for a whole host. */
  readonly whole: boolean;
  /** The epoch in which all of this was last seen to be true. */
  epoch: number;
  standing: Standing = 'newcomer';
  asked = false;
  previous: Answer | null = null;
  next: Answer | null = null;

  constructor(
    key: string,
    result: Route | RouteMiss,
    entries: readonly RecordEntry[],
    patterns: PatternList,
    whole: boolean,
    epoch: number,
  ) {
    this.key = key;
    this.result = result;
    this.entries = entries;
    this.patterns = patterns;
    this.whole = whole;
    this.epoch = epoch;
  }
}

export class KeptAnswers {
  /** Grows with each change of anything that is known; an answer of this epoch is true without looking at what it hangs on. */
  epoch = 0;
  readonly #reader: RecordReader;
  readonly #prefixes: PrefixIndex;
  readonly #patterns: PatternSource;
  readonly #routes: RecentMap<Answer>;
  /** Apart from the routes, so that a flood of invented hosts forgets other inventions only. */
  readonly #unknowns: RecentMap<Answer>;

  /**
   * @param entries the most routes of hosts with a frontend of their own that are kept; beside them are kept a quarter as many of other
   *   hosts at least, and a quarter as many hosts without a frontend
   */
  constructor(entries: number, reader: RecordReader, prefixes: PrefixIndex, patterns: PatternSource) {
    this.#reader = reader;
    this.#prefixes = prefixes;
    this.#patterns = patterns;
    this.#routes = new RecentMap(entries, (answer) => reader.release(answer.entries));
    this.#unknowns = new RecentMap(entries / 4, (answer) => reader.release(answer.entries));
  }

  /** The answer of a key, true or not. */
  get(key: string): Answer | undefined {
    return this.#routes.get(key) ?? this.#unknowns.get(key);
  }

  /** The same, if it is a route. */
  route(key: string): Answer | undefined {
    return this.#routes.get(key);
  }

  /** The answer for a path, from that of its host: the same one, unless the path is below a prefix. */
  below(key: string, whole: Answer, target: string): Answer | undefined {
    const prefix = firstPrefix(whole.sets, normalPath(target));
    return prefix === null ? whole : this.#routes.get(prefixKey(key, prefix.name));
  }

  /** An answer if it is true. */
  stillTrue(answer: Answer | undefined): Answer | undefined {
    if (answer === undefined || answer.epoch === this.epoch) return answer;
    if (answer.patterns !== this.#patterns.current || !answer.entries.every((entry) => entry.live)) return undefined;
    if (answer.whole) answer.sets = this.setsOf(answer.entries);
    answer.epoch = this.epoch;
    return answer;
  }

  /** The prefixes of the hosts that were tried. */
  setsOf(entries: readonly RecordEntry[]): readonly PrefixSet[] {
    return prefixSets(
      entries.map((entry) => entry.name),
      this.#prefixes,
    );
  }

  /** Keeps an answer if all that it hangs on is still true. */
  keep<T extends Route | RouteMiss>(
    key: string,
    result: T,
    entries: readonly RecordEntry[],
    patterns: PatternList,
    whole: boolean,
  ): T {
    if (patterns !== this.#patterns.current || !this.#reader.hold(entries)) return result;
    const [into, other] = isMiss(result) ? [this.#unknowns, this.#routes] : [this.#routes, this.#unknowns];
    const before = other.get(key);
    if (before !== undefined) {
      other.delete(key);
      this.#reader.release(before.entries);
    }
    const answer = new Answer(key, result, entries, patterns, whole, this.epoch);
    if (whole) answer.sets = this.setsOf(entries);
    into.set(answer, isMiss(result) || isWritten(key, result.frontend));
    return result;
  }
}

/** Whether a key is the name of the frontend that serves it: anybody may ask for a host of a wildcard, or for a port that nobody wrote. */
export function isWritten(key: string, frontend: string): boolean {
  const slash = frontend.indexOf('/');
  // Before and behind a blank a key says that it is of clients by TLS, and which prefix it is of.
  return key.split(' ').includes(slash === -1 ? frontend : frontend.slice(0, slash));
}

/** The key of what is below a prefix of a host. No authority and no host name has a blank in it. */
export function prefixKey(key: string, name: string): string {
  return `${key} ${name}`;
}
