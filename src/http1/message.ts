// The two kinds of message head and the ways their bodies are delimited: the vocabulary of RFC 9112.
import type { HeaderList } from './headers.js';

/**
 * How the body of a message is delimited: a number of bytes (0: none), or one of the two constants below.
 * A plain number, because it is compared for every message on the hot path.
 */
export type BodyLength = number;

/** The body is sent in chunks (RFC 9112 section 7.1). */
export const chunked: BodyLength = -1;

/** The body ends when the connection closes (responses only, RFC 9112 section 6.3), or the bytes are a tunnel. */
export const untilClose: BodyLength = -2;

/** A request head that was understood in one way only. */
export interface RequestHead {
  readonly method: string;
  /** The request line as a backend gets it, with its CRLF: in origin form, as HTTP/1.1. */
  readonly line: string;
  /** Path and query to ask a backend for, or `*`. Absolute form has been reduced to it (RFC 9112 section 3.2). */
  readonly target: string;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1; other protocols count as 1. */
  readonly minor: 0 | 1;
  /** The authority that was asked for, as sent (Host, or the authority of the absolute form); empty where there was none. */
  readonly authority: string;
  readonly headers: HeaderList;
  readonly body: BodyLength;
  /** Whether the client allows the connection to be used again. */
  readonly keepAlive: boolean;
  /** The value of Upgrade when Connection names it, else empty. */
  readonly upgrade: string;
  /** Whether the client waits for 100 (Continue) before it sends the body. */
  readonly expectsContinue: boolean;
  /** Lower-case names that Connection listed beyond close, keep-alive and upgrade; these lines are not forwarded. Null: none. */
  readonly connectionNames: ReadonlySet<string> | null;
}

/** A response head that was understood in one way only. */
export interface ResponseHead {
  readonly status: number;
  /** The status line as a client gets it, with its CRLF: as HTTP/1.1. */
  readonly line: string;
  readonly reason: string;
  readonly minor: 0 | 1;
  readonly headers: HeaderList;
  readonly body: BodyLength;
  /** Whether the backend allows the connection to be used again. */
  readonly keepAlive: boolean;
  /** The value of Upgrade on a 101 response, else empty. */
  readonly upgrade: string;
  /** As in RequestHead. */
  readonly connectionNames: ReadonlySet<string> | null;
}
