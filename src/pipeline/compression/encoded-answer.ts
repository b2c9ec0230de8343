// An answer that is compressed on its way: a port before the client's that takes what the backend sends and passes on what
// comes out of an encoder, in the pace of whoever is slowest.
//
//   engine -> batch -> encoder -> client's port        body
//   engine <- resume <- drain     resume <- client     pace
import type { Upstream } from '../../exchange/downstream.js';
import type { Exchange } from '../../exchange/exchange.js';
import { type ResponseHead, untilClose } from '../../http1/message.js';
import type { Coding, Compression } from '../../model/policy/compression.js';
import { PortBeforeClient } from '../port-before-client.js';
import { encodedHead, variedHead } from './encoded-head.js';
import { createEncoder, type Encoder } from './encoders.js';

/** Pieces are put together until they are as many bytes: a piece costs the encoder a trip to another thread. */
const batchSize = 16 * 1024;
const nothing = Buffer.alloc(0);

/** What becomes of an answer that is still on its way when its attempt has ended. One of them is called, unless the exchange ends before. */
export interface EncodedAnswerOwner {
  /** All of it was handed to the client's port. */
  encoded(): void;
  /** The encoder failed. */
  encoderFailed(error: Error): void;
}

export class EncodedAnswer extends PortBeforeClient {
  /** Stands before the attempt, so that the pace of the client reaches the encoder and not the attempt. */
  readonly upstream: Upstream;
  readonly #exchange: Exchange;
  readonly #head: ResponseHead;
  readonly #coding: Coding;
  readonly #settings: Compression;
  readonly #owner: EncodedAnswerOwner;
  /** Null once the backend has sent everything. */
  #attempt: Upstream | null;
  #encoder: Encoder | null = null;
  #extra = '';
  #trailers = '';
  #batch: Buffer[] = [];
  #batched = 0;
  #turn: NodeJS.Immediate | null = null;
  /** The backend has sent everything. */
  #complete = false;
  /** Something went into the encoder that may not have come out. */
  #unflushed = false;
  /** The attempt was told to wait. */
  #held = false;
  /** The whole compressed answer, where its length can be told in the head; null: it is passed on as it comes. */
  #gathered: Buffer[] | null = null;
  #over = false;

  /**
   * Takes the place of `exchange.downstream` and of `exchange.upstream`.
   * @param head what the engine will begin with; any other one is an answer of the proxy, which is not compressed
   */
  constructor(exchange: Exchange, head: ResponseHead, coding: Coding, settings: Compression, owner: EncodedAnswerOwner) {
    super(exchange);
    this.#exchange = exchange;
    this.#head = head;
    this.#coding = coding;
    this.#settings = settings;
    this.#owner = owner;
    this.#attempt = exchange.upstream;
    this.upstream = {
      resume: () => this.#encoder?.stream.resume(),
      cut: () => {
        this.leave();
        this.#attempt?.cut();
      },
    };
    exchange.downstream = this;
    exchange.upstream = this.upstream;
    exchange.onFinish(() => this.leave());
  }

  // From the engine.

  begin(head: ResponseHead, extra: string, buffer: Buffer, start: number, end: number, last: boolean): boolean {
    if (head !== this.#head) {
      this.leave();
      return this.client.begin(head, extra, buffer, start, end, last);
    }
    this.#extra = extra;
    return this.#take(buffer, start, end, last);
  }

  write(buffer: Buffer, start: number, end: number, last: boolean): boolean {
    return this.#take(buffer, start, end, last);
  }

  end(trailers: string): void {
    this.#trailers = trailers;
    this.#take(nothing, 0, 0, true);
  }

  override switchProtocols(head: ResponseHead, extra: string): void {
    this.leave();
    super.switchProtocols(head, extra);
  }

  override cut(): void {
    this.leave();
    super.cut();
  }

  /** The backend has sent everything: the attempt is over, though what it sent is still on its way. */
  attemptEnded(): void {
    this.#attempt = null;
    this.#exchange.upstream = this.upstream;
    // An engine may know when the last byte came from the backend; the answer takes longer now.
    this.#exchange.completedAt = 0;
  }

  /** Steps aside, whatever state the answer is in: the client's port is in its place again. */
  leave(): void {
    if (this.#over) return;
    this.#stepAside();
    this.#batch = [];
    this.#gathered = null;
    this.#encoder?.stream.destroy();
  }

  #stepAside(): void {
    const exchange = this.#exchange;
    this.#over = true;
    if (exchange.downstream === this) exchange.downstream = this.client;
    if (exchange.upstream === this.upstream) exchange.upstream = this.#attempt;
    this.#cancelTurn();
  }

  #cancelTurn(): void {
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#turn = null;
  }

  /** Before the attempt has ended, in a call of the engine, there is nobody who waits for it. */
  #tellOwner(): void {
    if (this.#attempt === null) this.#owner.encoded();
  }

  // Into the encoder.

  /** A copy: the buffer is the engine's again when this returns. */
  #take(buffer: Buffer, start: number, end: number, last: boolean): boolean {
    if (this.#over) return true;
    if (end > start) this.#batch.push(Buffer.from(buffer.subarray(start, end)));
    this.#batched += end - start;
    this.#complete = last;
    if (last || this.#batched >= batchSize) this.#feed();
    if (last) this.#cancelTurn();
    else this.#turn ??= setImmediate(this.#turnEnded);
    this.#held = !last && this.#encoder?.stream.writableNeedDrain === true;
    return !this.#held;
  }

  /** What came in one turn of the event loop is one piece. Nobody knows when more of an answer without a length will come. */
  readonly #turnEnded = (): void => {
    this.#turn = null;
    this.#feed();
    if (!this.#unflushed || this.#complete || this.#head.body >= 0) return;
    this.#unflushed = false;
    this.#encoder?.flush();
  };

  #feed(): void {
    if (this.#encoder === null && this.#complete && this.#batched < this.#settings.minBytes) {
      this.#passOn();
      return;
    }
    this.#encoder ??= this.#begin();
    const { stream } = this.#encoder;
    if (this.#batched > 0) {
      stream.write(this.#takeBatch());
      this.#unflushed = true;
    }
    if (this.#complete) stream.end();
  }

  #takeBatch(): Buffer {
    const batch = this.#batch.length === 1 ? (this.#batch[0] as Buffer) : Buffer.concat(this.#batch);
    this.#batch = [];
    this.#batched = 0;
    return batch;
  }

  /** An answer that turns out to be too small to be worth it. */
  #passOn(): void {
    const body = this.#takeBatch();
    const trailers = this.#trailers;
    this.#stepAside();
    this.client.begin(variedHead(this.#head), this.#extra, body, 0, body.length, trailers === '');
    if (trailers !== '') this.client.end(trailers);
    this.#tellOwner();
  }

  /** Makes the encoder, and sends the head unless its length will be known. */
  #begin(): Encoder {
    const length = this.#head.body > 0 ? this.#head.body : this.#complete ? this.#batched : 0;
    const encoder = createEncoder(this.#coding, this.#settings.level, length);
    encoder.stream.on('data', (piece: Buffer) => this.#cameOut(piece));
    encoder.stream.on('end', () => this.#allCameOut());
    encoder.stream.on('drain', () => this.#drained());
    encoder.stream.on('error', (error) => this.#failed(error));
    if (this.#complete && this.#trailers === '') this.#gathered = [];
    else if (!this.client.begin(encodedHead(this.#head, this.#coding, untilClose), this.#extra, nothing, 0, 0, false)) {
      encoder.stream.pause();
    }
    return encoder;
  }

  #drained(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#attempt?.resume();
  }

  // Out of the encoder.

  #cameOut(piece: Buffer): void {
    if (this.#over) return;
    if (this.#gathered !== null) this.#gathered.push(piece);
    else if (!this.client.write(piece, 0, piece.length, false)) this.#encoder?.stream.pause();
  }

  #allCameOut(): void {
    if (this.#over) return;
    this.#stepAside();
    if (this.#gathered === null) this.client.end(this.#trailers);
    else {
      const body = Buffer.concat(this.#gathered);
      this.client.begin(encodedHead(this.#head, this.#coding, body.length), this.#extra, body, 0, body.length, true);
    }
    this.#tellOwner();
  }

  #failed(error: Error): void {
    if (this.#over) return;
    const attempt = this.#attempt;
    this.leave();
    attempt?.cut();
    this.#owner.encoderFailed(error);
  }
}
