// The host patterns in force: the last one that matches a host wins.
import type { StoredRecord } from '../model/record-kind.js';
import type { RecordSource } from '../store/live-records.js';
import { type HostPattern, parseHostPatterns } from './host-pattern.js';

/** The entries of a record, as patterns in order. Immutable. */
export class PatternList {
  /** Whether what serves a host hangs on how the client is connected. */
  readonly asksSecure: boolean;
  /** As it was read. */
  readonly record: StoredRecord;
  readonly faults: readonly string[];
  readonly #patterns: readonly HostPattern[];
  /** Positions of the patterns of one host alone, the last first: nobody has to try them one by one. */
  readonly #literals = new Map<string, number[]>();
  /** Positions of all others, in that order too. */
  readonly #others: number[] = [];

  constructor(record: StoredRecord) {
    this.record = record;
    const faults = record.fault === '' ? [] : [record.fault];
    this.#patterns = record.values.flatMap((value, at) => {
      const parsed = parseHostPatterns(value);
      if (parsed.kind === 'patterns') return parsed.patterns;
      faults.push(`patterns: entry ${at} ${parsed.text}`);
      return [];
    });
    this.faults = faults;
    this.asksSecure = this.#patterns.some(({ secure }) => secure !== null);
    for (let at = this.#patterns.length - 1; at >= 0; at--) {
      const literal = this.#patterns[at]?.literal ?? null;
      const siblings = literal === null ? this.#others : this.#literals.get(literal);
      if (siblings === undefined) this.#literals.set(literal as string, [at]);
      else siblings.push(at);
    }
  }

  /** Whether an entry leads to a frontend, or to a backend of its own. */
  has(kind: HostPattern['target']['kind']): boolean {
    return this.#patterns.some(({ target }) => target.kind === kind);
  }

  /**
   * The pattern that decides about a host, or null.
   * @param host as `normaliseHost` gives it
   * @param secure whether the client is connected by TLS
   */
  match(host: string, secure: boolean): HostPattern | null {
    if (this.#patterns.length === 0) return null;
    const name = host.startsWith('[') ? host.slice(1, -1) : host;
    const isMeant = (at: number) => {
      const pattern = this.#patterns[at] as HostPattern;
      return pattern.secure === null || pattern.secure === secure;
    };
    const literal = this.#literals.get(name)?.find(isMeant) ?? -1;
    for (const at of this.#others) {
      if (at < literal) break;
      if (isMeant(at) && this.#patterns[at]?.matches(name)) return this.#patterns[at] as HostPattern;
    }
    return this.#patterns[literal] ?? null;
  }
}

export interface PatternSourceOptions {
  readonly store: RecordSource;
  /** Told of each list with faults, one line each. */
  readonly onFaults: (faults: readonly string[]) => void;
  /** A list that was in force because the store did not reply is so no longer. */
  readonly onReplaced: () => void;
}

/** Keeps the list of the store. */
export class PatternSource {
  /** The one in force; null while it has to be read. */
  current: PatternList | null = null;
  /** As it was known to be last; null before the first time. */
  last: PatternList | null = null;
  readonly #options: PatternSourceOptions;
  #reading: Promise<PatternList> | null = null;
  /** The one in force is the last known one, since a read is late. */
  #isLate = false;

  constructor(options: PatternSourceOptions) {
    this.#options = options;
  }

  /** The servers that the list has to come from. */
  get servers(): readonly string[] {
    return this.#options.store.serversOf?.('patterns', ['']) ?? [];
  }

  /** Told by the store. */
  changed(): void {
    this.current = null;
    this.#isLate = false;
    // Who asks from now on starts a read of their own.
    this.#reading = null;
  }

  /**
   * Reads the list, once for all who wait. A list that changed meanwhile answers who waited, and nobody after; where it cannot be read,
   * or its server is silent, the last known one does. Rejects when none is known.
   */
  async read(): Promise<PatternList> {
    const { patience } = this.#options.store;
    const reading = this.#reading ?? this.#startRead();
    const { last, servers } = this;
    if (patience === undefined || last === null) return reading;
    const outcome = patience.isOut(servers) ? 'late' : await patience.wait(reading, true, () => servers);
    if (outcome !== 'late') return outcome;
    if (this.#reading === reading && this.current === null) {
      this.current = last;
      this.#isLate = true;
    }
    return last;
  }

  #startRead(): Promise<PatternList> {
    const reading: Promise<PatternList> = this.#options.store.readRecord('patterns', '').then(
      (record) => this.#take(record, reading),
      (error: unknown) => this.#failed(error, reading),
    );
    // Whoever waits is told, or has the last known list.
    reading.catch(() => undefined);
    this.#reading = reading;
    return reading;
  }

  #failed(error: unknown, reading: Promise<PatternList>): PatternList {
    if (this.#reading === reading) {
      this.#reading = null;
      if (this.#isLate) this.changed();
    }
    if (this.last === null) throw error;
    return this.last;
  }

  #take(record: StoredRecord, reading: Promise<PatternList>): PatternList {
    // The same list stays the same object: what was decided by it is still true.
    const list = this.last !== null && isSame(this.last, record) ? this.last : new PatternList(record);
    const { onFaults, onReplaced } = this.#options;
    if (list !== this.last && list.faults.length > 0) onFaults(list.faults);
    this.last = list;
    if (this.#reading === reading) {
      this.#reading = null;
      const isReplaced = this.#isLate && this.current !== list;
      this.#isLate = false;
      this.current = list;
      if (isReplaced) onReplaced();
    }
    return list;
  }
}

function isSame({ record: { values, fault } }: PatternList, record: StoredRecord): boolean {
  return (
    fault === record.fault && values.length === record.values.length && values.every((value, at) => value === record.values[at])
  );
}
