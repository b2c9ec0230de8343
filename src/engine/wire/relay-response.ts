// The answer of a backend on its way to the client: heads, interim heads, body and trailers, in the pace of the client.
import { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange } from '../../exchange/exchange.js';
import { ChunkedReader } from '../../http1/chunked-reader.js';
import { HeadBuffer } from '../../http1/head-buffer.js';
import type { HeadLimits } from '../../http1/head-lines.js';
import { type HeaderList, Kind } from '../../http1/headers.js';
import { chunked, type ResponseHead, untilClose } from '../../http1/message.js';
import { parseResponseHead } from '../../http1/response-head.js';
import type { Backend } from '../../model/backend.js';
import type { AttemptReport } from '../engine.js';

type State = 'head' | 'length' | 'chunked' | 'close' | 'tunnel' | 'done';

export class ResponseRelay {
  /** Set when the answer cannot be relayed any further. */
  error: ProxyError | null = null;
  /** The backend allows another request on the connection, and nothing unasked came behind the answer. */
  reusable = false;
  /** Milliseconds that the backend promised to keep an idle connection; 0: no promise. */
  promisedIdle = 0;
  /** A 101 that the attempt has to act on. */
  tunnelHead: ResponseHead | null = null;
  backendEnded = false;
  /** A byte of a head has come. */
  headBegun = false;

  readonly #exchange: Exchange;
  readonly #backend: Backend;
  readonly #report: AttemptReport;
  readonly #limits: HeadLimits;
  #state: State = 'head';
  #remaining = 0;
  #chunks: ChunkedReader | null = null;
  #unsentHead: ResponseHead | null = null;
  #from = 0;
  #to = 0;
  #headBytes: HeadBuffer | null = null;
  /** Bytes that wait until the client has taken those before them. */
  #held: Buffer | null = null;
  #heldAt = 0;
  #heldEnd = 0;

  constructor(exchange: Exchange, backend: Backend, report: AttemptReport, limits: HeadLimits) {
    this.#exchange = exchange;
    this.#backend = backend;
    this.#report = report;
    this.#limits = limits;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  get tunnel(): boolean {
    return this.#state === 'tunnel';
  }

  /** The final head has been relayed. */
  get begun(): boolean {
    return this.#state !== 'head';
  }

  /** Takes bytes of the backend. Returns false when no more may come until `resume` (or the answer is done and its buffer in use). */
  feed(buffer: Buffer, start: number, end: number): boolean {
    switch (this.#state) {
      case 'length':
        return this.#relayLength(buffer, start, end);
      case 'chunked':
        return this.#relayChunks(buffer, start, end);
      case 'close':
      case 'tunnel':
        return this.#exchange.downstream.write(buffer, start, end, false);
      case 'head':
        return this.#readHead(buffer, start, end);
      case 'done':
        this.reusable = false;
        return true;
    }
  }

  /** The client is ready (again): relays what was held. @returns as `feed` */
  resume(): boolean {
    const held = this.#held;
    if (held === null) return true;
    this.#held = null;
    return this.feed(held, this.#heldAt, this.#heldEnd);
  }

  /** The backend closed its side. @returns whether that is a proper end of what was relayed */
  endOfInput(): boolean {
    if (this.#state !== 'close' && this.#state !== 'tunnel') return false;
    this.backendEnded = true;
    if (this.#state === 'close') this.#state = 'done';
    this.#exchange.downstream.end('');
    return true;
  }

  #readHead(buffer: Buffer, start: number, end: number): boolean {
    this.headBegun = true;
    let bytes = buffer;
    let at = start;
    let stop = end;
    if (this.#headBytes !== null) {
      this.#headBytes.append(buffer.subarray(start, end));
      if (!this.#headBytes.mayBeComplete) return true;
      bytes = this.#headBytes.bytes;
      at = 0;
      stop = bytes.length;
      this.#headBytes = null;
    }
    for (;;) {
      const head = parseResponseHead(bytes, at, stop, this.#limits, this.#exchange.head.method);
      if (head === null) {
        this.#headBytes = new HeadBuffer(this.#limits.maxHeadBytes);
        if (at < stop) this.#headBytes.append(bytes.subarray(at, stop));
        return true;
      }
      if (head instanceof ProxyError) {
        this.error = head;
        return false;
      }
      at += head.byteLength;
      if (head.status >= 200 || head.status === 101) return this.#final(head, bytes, at, stop);
      this.#exchange.downstream.interim(head);
    }
  }

  #final(received: ResponseHead, buffer: Buffer, start: number, end: number): boolean {
    const exchange = this.#exchange;
    if (received.status === 101) return this.#switch(received, buffer, start, end);
    const head = this.#report.answered(exchange, this.#backend, received);
    if (head === null) return this.#discard(received);
    this.reusable = head.keepAlive;
    this.promisedIdle = promisedIdle(head.headers);
    if (head.body === chunked) {
      this.#state = 'chunked';
      this.#chunks = new ChunkedReader(this.#limits);
      this.#unsentHead = head;
      return this.#relayChunks(buffer, start, end);
    }
    if (head.body === untilClose) {
      this.#state = 'close';
      return exchange.downstream.begin(head, exchange.responseLines, buffer, start, end, false);
    }
    const size = Math.min(head.body, end - start);
    this.#remaining = head.body - size;
    this.#state = this.#remaining === 0 ? 'done' : 'length';
    if (this.#state === 'done') exchange.completedAt = exchange.answeredAt;
    if (start + size < end) this.reusable = false;
    return exchange.downstream.begin(head, exchange.responseLines, buffer, start, start + size, this.#remaining === 0);
  }

  #discard({ status }: ResponseHead): false {
    this.error = new ProxyError('backend-discarded', `${this.#backend.origin} answered ${status}`);
    return false;
  }

  /** The attempt makes the tunnel; bytes that came with the 101 wait for it. */
  #switch(received: ResponseHead, buffer: Buffer, start: number, end: number): boolean {
    if (this.#exchange.upgrade === '') {
      this.error = new ProxyError('backend-bad-response', '101 without a request for it');
      return false;
    }
    const head = this.#report.answered(this.#exchange, this.#backend, received);
    if (head === null) return this.#discard(received);
    this.#state = 'tunnel';
    this.tunnelHead = head;
    if (start < end) this.#hold(buffer, start, end);
    return true;
  }

  #relayLength(buffer: Buffer, start: number, end: number): boolean {
    const size = Math.min(this.#remaining, end - start);
    this.#remaining -= size;
    const last = this.#remaining === 0;
    if (last) this.#state = 'done';
    if (start + size < end) this.reusable = false;
    return this.#exchange.downstream.write(buffer, start, start + size, last);
  }

  /**
   * Relays decoded data. Each piece (`#from` to `#to`) is held back until it is known what follows, so that the head
   * leaves with the first piece and the end of the body with the last.
   */
  #relayChunks(buffer: Buffer, start: number, end: number): boolean {
    const reader = this.#chunks as ChunkedReader;
    let at = start;
    while (at < end && !reader.done) {
      at = reader.read(buffer, at, end);
      if (reader.error !== '') {
        const code = this.#exchange.downstream.begun ? 'backend-cut-body' : 'backend-bad-response';
        this.error = new ProxyError(code, reader.error);
        return false;
      }
      if (reader.dataEnd === reader.dataStart) continue;
      const flushed = this.#to > this.#from ? this.#emit(buffer, false) : true;
      this.#from = reader.dataStart;
      this.#to = reader.dataEnd;
      if (!flushed) {
        this.#hold(buffer, at, end);
        return false;
      }
    }
    const something = this.#to > this.#from || this.#unsentHead !== null;
    if (!reader.done) return something ? this.#emit(buffer, false) : true;
    this.#state = 'done';
    if (at < end) this.reusable = false;
    if (reader.trailers === '') return this.#emit(buffer, true);
    const flushed = something ? this.#emit(buffer, false) : true;
    this.#exchange.downstream.end(reader.trailers);
    return flushed;
  }

  /** Keeps what may not go on yet. A copy: the buffer is that of the connection's, or of all connections', next read. */
  #hold(buffer: Buffer, at: number, end: number): void {
    const first = this.#to > this.#from ? this.#from : at;
    this.#held = Buffer.from(buffer.subarray(first, end));
    this.#heldAt = at - first;
    this.#heldEnd = end - first;
    this.#from = Math.max(this.#from - first, 0);
    this.#to = Math.max(this.#to - first, 0);
  }

  /** Sends the piece held back, with the head if that is still unsent. */
  #emit(buffer: Buffer, last: boolean): boolean {
    const { downstream, responseLines } = this.#exchange;
    const head = this.#unsentHead;
    const start = this.#from;
    const end = this.#to;
    this.#unsentHead = null;
    this.#from = 0;
    this.#to = 0;
    return head === null
      ? downstream.write(buffer, start, end, last)
      : downstream.begin(head, responseLines, buffer, start, end, last);
  }
}

/** Milliseconds that a backend promises to keep an idle connection (`Keep-Alive: timeout=N`), less one second; 0: no promise. */
function promisedIdle(headers: HeaderList): number {
  if (!headers.has(Kind.keepAlive)) return 0;
  const match = /(?:^|[\s,])timeout=(\d{1,6})/i.exec(headers.first(Kind.keepAlive));
  return match === null ? 0 : Math.max(500, Number(match[1]) * 1000 - 1000);
}
