// The contract of a framing: it finds where a message ends in a stream of bytes, whatever pieces the stream comes in.

/** Which way the messages go: what clients ask, or what a target answers. */
export type FrameSide = 'request' | 'response';

/** The message goes on in the bytes that come next. */
export const unfinished = -1;
/** The bytes cannot be of this framing; `fault` says why, and nothing can be found in what follows. */
export const broken = -2;

/**
 * Finds the ends of the messages of one direction of one connection; keeps what it has to remember between two pieces.
 * It copies nothing and takes no time of its own, so that reading goes at the pace of the bytes.
 */
export interface FrameScanner {
  /**
   * Looks for the end of the message that begins or goes on at `start`.
   * @param end place after the last byte; greater than `start`
   * @returns the place after the message's last byte, or `unfinished`, or `broken`
   */
  scan(bytes: Buffer, start: number, end: number): number;
  /** The message that has just ended has no counterpart: a request that nobody answers, an answer that nobody asked for. */
  readonly alone: boolean;
  /** What has to be answered to the request that has just ended without asking a target; empty: it is for a target. */
  readonly ownAnswer: string;
  /** The client has nothing more to say after the request that has just ended. */
  readonly last: boolean;
  /** Why the bytes are broken. */
  readonly fault: string;
}
