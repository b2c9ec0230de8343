// Puts the requests of one client together from the pieces in which they are read.
import type { FramingSetting } from '../../config/stream-config.js';
import { createScanner, silenceOf } from './create-scanner.js';
import { broken, type FrameScanner, unfinished } from './framing.js';

/** Takes the messages of a reader. */
export interface MessageTaker {
  /**
   * @param kept the bytes belong to the taker; otherwise they are valid until this returns
   * @param scanner that found the end, to be asked about the message; null: silence ended it
   * @returns false: nothing more is wanted
   */
  message(bytes: Buffer, kept: boolean, scanner: FrameScanner | null): boolean;
  /** The reader gives no more messages. @param text what a person should know, without any bytes of the client */
  unreadable(why: 'broken' | 'too-large', text: string): void;
}

/** A read of this size may have filled a buffer of ours, or a record of TLS: more of it can be there already. */
export const fullRead = 16 * 1024;

export class MessageReader {
  readonly #scanner: FrameScanner | null;
  readonly #silence: number;
  readonly #limit: number;
  readonly #taker: MessageTaker;
  #pieces: Buffer[] = [];
  #held = 0;
  #timer: NodeJS.Timeout | null = null;
  #turnEnd: NodeJS.Immediate | null = null;
  #stopped = false;

  /** @param limit bytes of the largest message */
  constructor(framing: FramingSetting, limit: number, taker: MessageTaker) {
    this.#scanner = createScanner(framing, 'request');
    this.#silence = silenceOf(framing);
    this.#limit = limit;
    this.#taker = taker;
  }

  /** Bytes of a message whose end has not come. */
  get held(): number {
    return this.#held;
  }

  /** @param bytes valid until this returns */
  push(bytes: Buffer): void {
    if (this.#stopped) return;
    const scanner = this.#scanner;
    if (scanner === null) {
      this.#pushUntilSilence(bytes);
      return;
    }
    let start = 0;
    while (start < bytes.length && !this.#stopped) {
      const end = scanner.scan(bytes, start, bytes.length);
      if (end === broken) {
        this.#fail('broken', scanner.fault);
        return;
      }
      const to = end === unfinished ? bytes.length : end;
      if (this.#held + to - start > this.#limit) {
        this.#fail('too-large', `a message has more than ${this.#limit} bytes`);
        return;
      }
      if (end === unfinished) this.#keep(bytes.subarray(start));
      else this.#tell(start === 0 && to === bytes.length ? bytes : bytes.subarray(start, to));
      start = to;
    }
  }

  /** The client sends no more: what ends by silence has ended. */
  end(): void {
    if (this.#scanner === null && this.#held > 0 && !this.#stopped) this.#silent();
  }

  /** Gives no more messages. */
  stop(): void {
    this.#stopped = true;
    this.#pieces = [];
    this.#held = 0;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#turnEnd !== null) clearImmediate(this.#turnEnd);
  }

  #pushUntilSilence(bytes: Buffer): void {
    if (this.#held + bytes.length > this.#limit) {
      // Where every piece is a message, a large one is several.
      if (this.#silence === 0 && this.#held > 0) this.#tell(null);
      if (this.#silence > 0 || bytes.length > this.#limit) {
        this.#fail('too-large', `a message has more than ${this.#limit} bytes`);
        return;
      }
    }
    if (this.#silence > 0) {
      this.#keep(bytes);
      if (this.#timer === null) this.#timer = setTimeout(() => this.#silent(), this.#silence);
      else this.#timer.refresh();
      return;
    }
    if (bytes.length < fullRead) {
      this.#tell(bytes);
      return;
    }
    this.#keep(bytes);
    // What was there to be read at once is read in this turn of the event loop.
    this.#turnEnd ??= setImmediate(() => this.#silent());
  }

  #silent(): void {
    this.#turnEnd = null;
    if (this.#held > 0 && !this.#stopped) this.#tell(null);
  }

  #keep(bytes: Buffer): void {
    this.#pieces.push(Buffer.from(bytes));
    this.#held += bytes.length;
  }

  /** @param rest the last bytes of the message; null: they are kept already */
  #tell(rest: Buffer | null): void {
    const pieces = this.#pieces;
    if (pieces.length === 0) {
      if (rest !== null && !this.#taker.message(rest, false, this.#scanner)) this.stop();
      return;
    }
    if (rest !== null) pieces.push(rest);
    this.#pieces = [];
    this.#held = 0;
    const whole = rest === null && pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    if (!this.#taker.message(whole, true, this.#scanner)) this.stop();
  }

  #fail(why: 'broken' | 'too-large', text: string): void {
    this.stop();
    this.#taker.unreadable(why, text);
  }
}
