// The fleet as a command sees it: calls of the management API, whoever answers them. Each command is written once, over this.
import type { Fault } from '../../management/problem.js';

/** A call of the management API. */
export interface FleetCall {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Below `/api/v1`, its parts encoded: `/routes/*.example.com%2Fapi`. */
  readonly path: string;
  /** A list is sent as one parameter again and again. */
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  /** A JSON value. */
  readonly body?: unknown;
  /** The record must be as this tag says, `*`: must be there. */
  readonly ifMatch?: string;
}

/** What is answered to a call that was done. */
export interface FleetReply {
  /** A JSON value; undefined: none. */
  readonly body: unknown;
  /** Tag of the record; empty: it has none. */
  readonly etag: string;
  /** Asks for the next page; empty: this was the last. */
  readonly cursor: string;
}

export interface Fleet {
  /** Where it is asked, for people; without secrets. */
  readonly place: string;
  /** @throws Refusal for what is not done, and where nobody answers */
  ask(call: FleetCall): Promise<FleetReply>;
  /** Asks for what may be too much to be kept in memory: text, piece by piece. Throws as `ask` does. */
  stream(call: FleetCall): AsyncIterable<string>;
  close(): Promise<void>;
}

/** A call that was not done. */
export class Refusal extends Error {
  /** Of HTTP; 0: nobody answered. */
  readonly status: number;
  readonly faults: readonly Fault[];

  constructor(status: number, message: string, faults: readonly Fault[] = [], cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'Refusal';
    this.status = status;
    this.faults = faults;
  }
}

/** The path of a record. */
export function recordPath(collection: string, name: string, ...rest: readonly string[]): string {
  return [collection, ...[name, ...rest].map(encodeURIComponent)].join('/');
}
