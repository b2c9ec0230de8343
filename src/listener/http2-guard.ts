// Counts what an HTTP/2 connection does that costs this side work and serves nobody: resets, control frames, bytes without content.
import type { Http2Abuse } from '../observe/metrics.js';

/** The counts begin anew after so many milliseconds. */
const period = 10_000;

/**
 * Bytes in a period that may carry nothing: frames of nine bytes around a byte or none, window updates, fields that are refused. What
 * is sent and what is received pays for more: a window update belongs to each few kilobytes, and a frame to each piece of a body.
 */
const freeBytes = 64 * 1024;
/** A request pays for as many bytes of fields. */
const bytesOfRequest = 4 * 1024;
const bytesSentForOne = 16;

export interface Http2GuardLimits {
  /** In a period; 0: any number. */
  readonly http2Resets: number;
  readonly http2ControlFrames: number;
}

/** One a connection. Each method tells what the connection is to be ended for, or null. */
export class Http2Guard {
  readonly #limits: Http2GuardLimits;
  #until: number;
  #resets = 0;
  #controlFrames = 0;
  #received = 0;
  #useful = 0;

  /** @param now when the connection came, on the scale of `sweep` */
  constructor(limits: Http2GuardLimits, now: number) {
    this.#limits = limits;
    this.#until = now + period;
  }

  /** A stream was reset, by the client or for its fault. */
  reset(): Http2Abuse | null {
    this.#resets++;
    const most = this.#limits.http2Resets;
    return most > 0 && this.#resets > most ? 'resets' : null;
  }

  /** A PING or SETTINGS frame came, which this side has answered. */
  controlFrame(): Http2Abuse | null {
    this.#controlFrames++;
    const most = this.#limits.http2ControlFrames;
    return most > 0 && this.#controlFrames > most ? 'control-frames' : null;
  }

  request(): void {
    this.#useful += bytesOfRequest;
  }

  /** Bytes of a body came: each frame of them may be as large as what it carries. */
  body(bytes: number): void {
    this.#useful += bytes * 2;
  }

  /** @param bytes of a body that nobody takes any more: they may come, or have come, and are not told by `body` */
  dropped(bytes: number): void {
    this.#useful += bytes;
  }

  sent(bytes: number): void {
    this.#useful += bytes / bytesSentForOne;
  }

  /**
   * Looks at the bytes.
   * @param received all bytes of the connection so far
   * @param held of them, those of bodies that nobody has taken yet: `body` will tell of them
   */
  sweep(now: number, received: number, held: number): Http2Abuse | null {
    const taken = received - held;
    const empty = taken - this.#received - this.#useful;
    if (empty > freeBytes) return 'empty-bytes';
    if (now >= this.#until) {
      this.#until = now + period;
      this.#resets = 0;
      this.#controlFrames = 0;
      this.#received = taken;
      this.#useful = 0;
    }
    return null;
  }
}
