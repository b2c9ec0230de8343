// The port towards the client: what an engine or an answer may do to it. Implemented by the listeners, one per protocol.
import type { ResponseHead } from '../http1/message.js';

/** Pieces of a body up to this many bytes are copied by the port before it returns; only larger ones may have to be left alone. */
export const copiedUpTo = 16 * 1024;

/** The client's side of one exchange. */
export interface Downstream {
  /** True once a byte of the final response was handed over: from then on an error can only cut the connection. */
  readonly begun: boolean;
  /** Bytes of the response so far, head and body as sent, and of its body alone. */
  readonly bytesSent: number;
  readonly bodyBytesSent: number;

  /** Passes an interim response on (1xx except 101, RFC 9110 section 15.2); dropped for clients that cannot read one. */
  interim(head: ResponseHead): void;

  /**
   * Begins the final response and takes the first bytes of its body, so that a small response is one write.
   * `head.body` says how the body is delimited; this port decides how to delimit it towards the client.
   * Bytes before `start` in `buffer` are the port's to overwrite (it may write its head there).
   * @param head the response, hop-by-hop lines included: they are left out here
   * @param extra header lines to add, each ended by CRLF, or empty
   * @param last true when these bytes end the body
   * @returns as `write`
   */
  begin(head: ResponseHead, extra: string, buffer: Buffer, start: number, end: number, last: boolean): boolean;

  /**
   * As `begin` with a body that is whole, each of whose characters stands for a byte. Absent from ports that do not write texts:
   * they are given the bytes.
   */
  beginWithText?(head: ResponseHead, extra: string, body: string): boolean;

  /**
   * Sends body bytes `start` to `end` of a buffer.
   * @returns true when the bytes have left and the buffer may be used again; false when nothing more may be written, and
   *   a buffer with more than `copiedUpTo` bytes must be left alone, until `exchange.upstream.resume()` is called
   */
  write(buffer: Buffer, start: number, end: number, last: boolean): boolean;

  /** Ends the body; trailer lines (each ended by CRLF, or empty) are passed on where the protocol allows. In a tunnel: half-close. */
  end(trailers: string): void;

  /**
   * Answers 101 and becomes a tunnel: from here `write` sends bytes as they are and `exchange.body` (which must have its
   * sink by now) delivers the client's, those that came with the request first.
   */
  switchProtocols(head: ResponseHead, extra: string): void;

  /**
   * Asks a client that has closed its sending side, and may be gone, whether it is still there. Null where nothing speaks
   * against it, which is what a port without this method says.
   */
  isClientThere?(): Promise<boolean> | null;

  /** Breaks the response off so that the client can tell it is incomplete (RFC 9112 section 8). */
  cut(): void;

  /** Called once when the exchange has ended; the listener goes on with the connection. */
  released(): void;
}

/** The backend's side of an attempt, as the downstream and the listener may steer it. */
export interface Upstream {
  /** The client took what `write` had refused; go on. */
  resume(): void;
  /** The client is gone or the exchange is over: give the connection up. */
  cut(): void;
}
