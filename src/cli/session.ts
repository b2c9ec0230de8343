// One command at work: the fleet that it asks, and how it tells what came of it.
import { type Fleet, type FleetCall, Refusal } from './fleet/fleet.js';
import { printable } from './output/printable.js';

/** Records in a page of a list. */
const pageSize = 1_000;

export interface SessionOptions {
  /** For machines. */
  readonly json: boolean;
  /** Whether a write ends when every node has it in force. */
  readonly wait: boolean;
  /** Seconds that it waits for that; absent: as long as the API does. */
  readonly timeout?: string;
}

export class Session {
  readonly fleet: Fleet;
  readonly json: boolean;
  readonly #waiting: Readonly<Record<string, string>>;

  constructor(fleet: Fleet, { json, wait, timeout }: SessionOptions) {
    this.fleet = fleet;
    this.json = json;
    this.#waiting = wait ? { wait: 'applied', ...(timeout === undefined ? {} : { timeout }) } : {};
  }

  /** Reads. The caller says what it expects; the API is of the same program. */
  async read<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    return (await this.fleet.ask({ method: 'get', path, query })).body as T;
  }

  /** Reads what may not be there: null then. */
  async readIfThere<T>(path: string): Promise<{ readonly value: T; readonly etag: string } | null> {
    try {
      const { body, etag } = await this.fleet.ask({ method: 'get', path });
      return { value: body as T, etag };
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return null;
      throw error;
    }
  }

  /** Reads a list, a page at a time. */
  async *pages<T>(path: string, query: Readonly<Record<string, string>> = {}): AsyncGenerator<readonly T[]> {
    let cursor = '';
    do {
      const more = cursor === '' ? {} : { cursor };
      const reply = await this.fleet.ask({ method: 'get', path, query: { ...query, limit: String(pageSize), ...more } });
      cursor = reply.cursor;
      yield reply.body as readonly T[];
    } while (cursor !== '');
  }

  /**
   * Writes.
   * @param warned whether what is odd about it though it is done is told on stderr
   */
  async write<T>(call: FleetCall, warned = true): Promise<T> {
    const { body } = await this.fleet.ask({ ...call, query: { ...call.query, ...this.#waiting } });
    const { warnings } = (body ?? {}) as { readonly warnings?: readonly string[] };
    for (const warning of warned ? (warnings ?? []) : []) this.note(`warning: ${warning}`);
    return body as T;
  }

  /** Prints what came of it: the document for machines, else the line. */
  tell(line: string, document: unknown): void {
    this.print(this.json ? JSON.stringify(document) : line);
  }

  print(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** Says what is no result. */
  note(text: string): void {
    process.stderr.write(`${printable(text)}\n`);
  }
}
