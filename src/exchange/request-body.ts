// The body of a request on its way to a backend: keeps the first bytes so that they can be sent again to another backend.
import { type ByteBudget, unboundedBytes } from '../base/byte-budget.js';
import { type BodyLength, untilClose } from '../http1/message.js';

/**
 * Bytes in front of each chunk, in its own storage, that its receiver may overwrite: a request head is put there so
 * that both leave in one write without a copy. A source leaves them for all chunks but those of a tunnel.
 */
export const bodyHeadroom = 1024;

/** Where body bytes go: the backend's connection. */
export interface BodySink {
  /** True when a chunk for which `bodyData` returned true is not looked at any more. */
  readonly takesAtOnce?: true;
  /** Takes bytes; returns false to ask for a pause until it calls `body.resume()`. */
  bodyData(chunk: Buffer): boolean;
  /** The body is complete. `trailers` are header lines, each ended by CRLF, or empty. */
  bodyEnd(trailers: string): void;
}

/** Who gets a copy of a body beside its sink, without a say in its pace. */
export interface BodyCopy {
  /** Bytes passed. They are valid during the call only: what is kept is copied. */
  bodyPassed(chunk: Buffer): void;
  /** The body is complete; not called for one that is broken off or that nobody wants any more. */
  bodyComplete(trailers: string): void;
}

/** Where body bytes come from: the client's connection. */
export interface BodySource {
  /** Stop reading from the client. */
  pauseBody(): void;
  resumeBody(): void;
}

/**
 * A body that flows from a source to one sink at a time. Until `keepLimit` bytes have passed everything is kept, so a
 * new sink can be attached and gets the bytes from the start; beyond it the body can no longer be repeated.
 */
export class RequestBody {
  length: BodyLength;
  /** Bytes received so far. */
  received = 0;
  /** True when all bytes (and trailers) have been received. */
  complete: boolean;
  /** False once bytes were let go of: a further attempt is impossible. */
  repeatable = true;
  trailers = '';

  readonly #source: BodySource;
  readonly #keepLimit: number;
  readonly #budget: ByteBudget;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #sink: BodySink | null = null;
  #copy: BodyCopy | null = null;
  #limit = Number.POSITIVE_INFINITY;
  #exceeded: (() => void) | null = null;
  #paused = false;
  #dropsTrailers = false;

  /**
   * @param length how the body is delimited; 0: none
   * @param source paused while the sink is full, and while nobody takes bytes and the limit is reached
   * @param keepLimit bytes to keep for another attempt
   * @param budget of all who keep bytes; when it is full nothing is kept beyond what has come
   */
  constructor(length: BodyLength, source: BodySource, keepLimit: number, budget: ByteBudget = unboundedBytes) {
    this.length = length;
    this.complete = length === 0;
    this.#source = source;
    this.#keepLimit = keepLimit;
    this.#budget = budget;
  }

  /** What was received before any sink came, when that is the whole body in one piece; else null. Lets a small body be sent with its head. */
  wholeIfBuffered(): Buffer | null {
    return this.complete && this.trailers === '' && this.#kept.length === 1 && this.repeatable ? (this.#kept[0] as Buffer) : null;
  }

  /** Gives the bytes so far to a sink, then those to come. Only when `repeatable`, or as the first sink. */
  attach(sink: BodySink): void {
    this.#sink = sink;
    let full = false;
    for (const chunk of this.#kept) {
      if (!sink.bodyData(chunk)) full = true;
      if (this.#sink !== sink) return;
    }
    if (this.#keptBytes > this.#keepLimit || (this.#keptBytes > 0 && this.#budget.full)) this.#forget();
    if (this.complete) sink.bodyEnd(this.trailers);
    else if (full) this.#pause();
    else this.resume();
  }

  /** Gives what came and what will come to a copy. Only before the first sink. */
  copyTo(copy: BodyCopy): void {
    for (const chunk of this.#kept) copy.bodyPassed(chunk);
    if (this.complete) copy.bodyComplete(this.trailers);
    else this.#copy = copy;
  }

  /** Calls `exceeded`, which ends the exchange, once more than `limit` bytes have come; those beyond it go nowhere. */
  limitTo(limit: number, exceeded: () => void): void {
    this.#limit = limit;
    this.#exceeded = exceeded;
  }

  /** Lets no trailers through: a client could add in them what was taken out of its head. */
  dropTrailers(): void {
    this.#dropsTrailers = true;
    this.trailers = '';
  }

  /** The sink is gone (its attempt failed or its answer is complete). */
  detach(): void {
    this.#sink = null;
  }

  /** Throws away what is kept and all that comes: the response is complete and nobody wants the rest. */
  discard(): void {
    this.#sink = null;
    this.#copy = null;
    this.#forget();
    this.resume();
  }

  /** The exchange is over: nothing is kept any more. */
  release(): void {
    if (this.#keptBytes > 0) this.#forget();
  }

  /** Source: bytes arrived. The chunk belongs to the body from here, unless true is returned: then its storage may be used again. */
  push(chunk: Buffer): boolean {
    this.received += chunk.length;
    if (this.received > this.#limit) {
      const exceeded = this.#exceeded;
      this.#exceeded = null;
      exceeded?.();
      return true;
    }
    this.#copy?.bodyPassed(chunk);
    const sink = this.#sink;
    if (this.repeatable) {
      this.#kept.push(chunk);
      this.#keptBytes += chunk.length;
      this.#budget.add(chunk.length);
    }
    if (sink !== null) {
      if (this.repeatable && (this.#keptBytes > this.#keepLimit || this.#budget.full)) this.#forget();
      if (sink.bodyData(chunk)) return sink.takesAtOnce === true && !this.repeatable;
      this.#pause();
    } else if (this.repeatable && (this.#keptBytes >= this.#keepLimit || this.#budget.full)) {
      this.#pause();
    }
    return false;
  }

  /** Source: the body is complete. */
  finish(trailers: string): void {
    if (this.complete) return;
    this.complete = true;
    this.trailers = this.#dropsTrailers ? '' : trailers;
    this.#copy?.bodyComplete(this.trailers);
    this.#sink?.bodyEnd(this.trailers);
  }

  /** Sink: can take more. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#source.resumeBody();
  }

  /** The exchange became a tunnel: bytes flow until the client closes and none are kept. */
  becomeTunnel(sink: BodySink): void {
    this.#limit = Number.POSITIVE_INFINITY;
    this.length = untilClose;
    this.complete = false;
    this.#forget();
    this.#sink = sink;
  }

  #pause(): void {
    if (this.#paused || this.complete) return;
    this.#paused = true;
    this.#source.pauseBody();
  }

  #forget(): void {
    this.repeatable = false;
    this.#kept = [];
    this.#budget.add(-this.#keptBytes);
    this.#keptBytes = 0;
  }
}
