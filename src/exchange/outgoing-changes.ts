// What the policy of a frontend changes in the head that a backend gets. Most exchanges have none.

/** The lines by which the proxy itself tells a backend of the client. */
const told: ReadonlySet<string> = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-protocol',
  'x-real-ip',
  'x-request-id',
]);

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
  /** Names, in lower case, of lines of the client that are left out. */
  readonly removed = new Set<string>();

  /** Leaves a field out, the client's and what was added under its name. */
  remove(name: string): void {
    const lower = name.toLowerCase();
    this.removed.add(lower);
    if (told.has(lower)) this.removesForwarded = true;
    if (this.lines !== '') this.lines = withoutNames(this.lines, new Set([lower]));
  }

  /** Adds a line beside those of the client. */
  add(name: string, value: string): void {
    this.lines += `${name}: ${value}\r\n`;
  }

  /** Puts a field in place of the client's. */
  set(name: string, value: string): void {
    this.remove(name);
    this.add(name, value);
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
