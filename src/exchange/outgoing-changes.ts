// What the policy of a frontend changes in the head that a backend gets. Most exchanges have none.

import { allNames, HeaderNames } from '../http1/header-names.js';

/** The lines by which the proxy itself tells a backend of the client. */
const told: ReadonlySet<string> = new Set([
  'forwarded',
  'traceparent',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-protocol',
  'x-real-ip',
  'x-request-id',
]);

/** Whether a backend would be told less of the client if lines of these names were left out. @param names in lower case */
export function namesForwarded(names: Iterable<string>): boolean {
  for (const name of names) if (told.has(name)) return true;
  return false;
}

const none: ReadonlySet<string> = new HeaderNames();

/** Later changes win. The values must be fit for a header line: no control characters. */
export class OutgoingChanges {
  /** Path and query in place of the client's; empty: the client's, verbatim. */
  target = '';
  /** The Host field in place of the client's, or null. */
  host: string | null = null;
  /** Lines to add, each ended by CRLF. */
  lines = '';
  /** The same, of the policy's headers: made anew for each attempt where they name the backend. */
  attemptLines = '';
  /** Whether `removed` has names of lines that the proxy itself would add. */
  removesForwarded = false;
  #removed: ReadonlySet<string> = none;
  /** Whether `#removed` is this exchange's own: a set of a policy is shared by all its exchanges for as long as it is enough. */
  #own = false;
  /** Names of `lines`, as they were given. */
  #added: string[] | null = null;

  /** Names, in lower case, of lines of the client that are left out. */
  get removed(): ReadonlySet<string> {
    return this.#removed;
  }

  /** Leaves a field out, the client's and what was added under its name. */
  remove(name: string): void {
    const lower = name.toLowerCase();
    if (told.has(lower)) this.removesForwarded = true;
    this.#ownNames().add(lower);
    this.#takeBack(lower);
  }

  /**
   * The same for several fields at once.
   * @param names in lower case; not changed by anybody any more
   * @param forwarded what `namesForwarded` says of them
   */
  removeAll(names: ReadonlySet<string>, forwarded: boolean): void {
    if (names.size === 0) return;
    if (forwarded) this.removesForwarded = true;
    if (this.#removed.size === 0) {
      this.#removed = names;
      this.#own = false;
    } else {
      const own = this.#ownNames();
      for (const name of names) own.add(name);
    }
    if (this.#added !== null) for (const name of names) this.#takeBack(name);
  }

  /** Adds a line beside those of the client. */
  add(name: string, value: string): void {
    this.lines += `${name}: ${value}\r\n`;
    if (this.#added === null) this.#added = [name];
    else this.#added.push(name);
  }

  /** Puts a field in place of the client's. */
  set(name: string, value: string): void {
    this.remove(name);
    this.add(name, value);
  }

  /** The same changes for a request that goes its own way: what an attempt changes later is not its. */
  copy(): OutgoingChanges {
    const copy = new OutgoingChanges();
    copy.target = this.target;
    copy.host = this.host;
    copy.lines = this.lines + this.attemptLines;
    copy.removesForwarded = this.removesForwarded;
    copy.#removed = allNames(this.#removed);
    copy.#own = true;
    if (copy.lines !== '') copy.#added = copy.lines.split('\r\n').map((line) => line.slice(0, line.indexOf(':')));
    return copy;
  }

  #ownNames(): Set<string> {
    if (this.#own) return this.#removed as Set<string>;
    const names = allNames(this.#removed);
    this.#removed = names;
    this.#own = true;
    return names;
  }

  /** What was added under a name. Nearly always nothing was. */
  #takeBack(lower: string): void {
    const added = this.#added;
    if (added === null) return;
    for (const name of added) {
      if (name.length !== lower.length || name.toLowerCase() !== lower) continue;
      this.lines = withoutNames(this.lines, new Set([lower]));
      return;
    }
  }
}

/**
 * Header lines without those of some names.
 * @param lines each ended by CRLF
 * @param names in lower case
 */
export function withoutNames(lines: string, names: ReadonlySet<string>): string {
  let kept = '';
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf('\r\n', at) + 2;
    if (!names.has(lines.slice(at, lines.indexOf(':', at)).toLowerCase())) kept += lines.slice(at, end);
    at = end;
  }
  return kept;
}
