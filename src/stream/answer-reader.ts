// Parts what a target sends into answers, and gives each to the asker whose request is the oldest one out on the connection.
import type { FramingSetting } from '../config/stream-config.js';
import { type Asker, type Exchange, Line } from './exchange-line.js';
import { createScanner, silenceOf } from './framing/create-scanner.js';
import { broken, type FrameScanner, unfinished } from './framing/framing.js';
import { fullRead } from './framing/message-reader.js';

/** The connection that is read from. */
export interface AnswerReaderOwner {
  /** An answer is complete. */
  answered(exchange: Exchange): void;
  /** Silence has ended an answer, some time after its last bytes came. */
  silent(): void;
  /** Which answer belongs to whom cannot be told any more. */
  outOfStep(why: string): void;
  say(text: string): void;
}

export class AnswerReader {
  readonly #owner: AnswerReaderOwner;
  readonly #out = new Line<Exchange>();
  readonly #scanner: FrameScanner | null;
  readonly #silence: number;
  readonly #maxMessage: number;
  /** Where silence ends answers: who got the last one, and is given what comes late. */
  #latest: Asker | null = null;
  #turnEnd: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  /** @param maxMessage bytes of the largest answer */
  constructor(framing: FramingSetting, maxMessage: number, owner: AnswerReaderOwner) {
    this.#owner = owner;
    this.#scanner = createScanner(framing, 'response');
    this.#silence = silenceOf(framing);
    this.#maxMessage = maxMessage;
  }

  /** Requests whose answer is not complete. */
  get owed(): number {
    return this.#out.length;
  }

  /** A request is about to be sent. */
  expect(exchange: Exchange): void {
    this.#out.join(exchange);
  }

  /** @param bytes valid until this returns */
  read(bytes: Buffer): void {
    if (this.#scanner === null) this.#readUntilSilence(bytes);
    else this.#readFramed(bytes, this.#scanner);
  }

  /** No more bytes come: what ends by silence has ended. */
  end(): void {
    if (this.#silence > 0 || this.#turnEnd !== null) this.#endAnswer();
  }

  /** Reads no more. @returns the exchanges that an answer is owed to, the oldest first */
  stop(): Exchange[] {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#turnEnd !== null) clearImmediate(this.#turnEnd);
    return this.#out.empty();
  }

  /** Several answers to one client leave in one write. */
  #readFramed(bytes: Buffer, scanner: FrameScanner): void {
    let start = 0;
    let runStart = 0;
    let run: Asker | null = null;
    while (start < bytes.length && !this.#stopped) {
      const end = scanner.scan(bytes, start, bytes.length);
      const exchange = this.#out.first;
      const alone = scanner.alone;
      if (end === broken || (exchange === undefined && !alone)) {
        run?.answer(bytes, runStart, start);
        this.#owner.outOfStep(end === broken ? scanner.fault : 'it sent an answer that nobody had asked for');
        return;
      }
      const to = end === unfinished ? bytes.length : end;
      if (alone || exchange === undefined || run !== exchange.asker) {
        run?.answer(bytes, runStart, start);
        run = alone || exchange === undefined ? null : exchange.asker;
        runStart = start;
      }
      if (!alone && exchange !== undefined) {
        exchange.answered += to - start;
        this.#copyForTaker(exchange, bytes, start, to);
        if (exchange.answered > this.#maxMessage) this.#tooLarge(exchange);
        if (end !== unfinished) {
          // Written before it is called complete, so that a client which ends behind its last answer has it.
          if (this.#out.second?.asker !== run) {
            run?.answer(bytes, runStart, to);
            run = null;
          }
          this.#complete();
        }
      }
      start = to;
    }
    run?.answer(bytes, runStart, start);
  }

  #readUntilSilence(bytes: Buffer): void {
    const exchange = this.#out.first;
    if (exchange === undefined) {
      // A late piece of the last answer: where silence is the rule, this is all that it can be.
      this.#latest?.answer(bytes, 0, bytes.length);
      return;
    }
    exchange.answered += bytes.length;
    exchange.asker.answer(bytes, 0, bytes.length);
    this.#copyForTaker(exchange, bytes, 0, bytes.length);
    if (exchange.answered > this.#maxMessage) this.#tooLarge(exchange);
    if (this.#silence > 0) {
      if (this.#timer === null) this.#timer = setTimeout(() => this.#endLater(), this.#silence);
      else this.#timer.refresh();
    } else if (bytes.length < fullRead && this.#turnEnd === null) {
      this.#endAnswer();
    } else {
      // What was there to be read at once is read in this turn of the event loop.
      this.#turnEnd ??= setImmediate(() => this.#endLater());
    }
  }

  #endAnswer(): void {
    const exchange = this.#out.first;
    if (exchange === undefined || exchange.answered === 0) return;
    this.#latest = exchange.asker;
    this.#complete();
  }

  #endLater(): void {
    this.#turnEnd = null;
    if (this.#stopped) return;
    this.#endAnswer();
    this.#owner.silent();
  }

  #complete(): void {
    const exchange = this.#out.leave() as Exchange;
    const { taker, pieces } = exchange;
    if (taker !== null) taker.answered(pieces?.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces ?? []));
    exchange.taker = null;
    exchange.asker.answeredWhole();
    this.#owner.answered(exchange);
  }

  /** Its client is closed; the rest of the answer is read and thrown away. */
  #tooLarge(exchange: Exchange): void {
    if (exchange.asker.gone || this.#scanner === null) return;
    this.#owner.say(`a client is closed: an answer has more than ${this.#maxMessage} bytes`);
    exchange.taker?.failed(new Error(`an answer has more than ${this.#maxMessage} bytes`));
    exchange.taker = null;
    exchange.asker.cut();
  }

  #copyForTaker(exchange: Exchange, bytes: Buffer, start: number, end: number): void {
    if (exchange.taker === null) return;
    exchange.pieces ??= [];
    exchange.pieces.push(Buffer.from(bytes.subarray(start, end)));
  }
}
