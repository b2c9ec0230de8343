// What the policy of a frontend changes in the head that a backend gets. Most exchanges have none.

/** Later changes win. The values must be fit for a header line: no control characters. */
export class OutgoingChanges {
  /** Path and query in place of the client's; empty: the client's, verbatim. */
  target = '';
  /** The Host field in place of the client's, or null. */
  host: string | null = null;
  /** Lines to add, each ended by CRLF. */
  lines = '';
  /** Names, in lower case, of lines of the client that are left out. */
  readonly removed = new Set<string>();

  /** Leaves a field of the client out. */
  remove(name: string): void {
    this.removed.add(name.toLowerCase());
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
