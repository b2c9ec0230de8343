// The port towards a client on a stream of HTTP/2: the response as fields, data and trailers, at the pace that its window allows.
import { constants, type ServerHttp2Stream } from 'node:http2';
import { httpDate } from '../base/http-date.js';
import { copiedUpTo, type Downstream } from '../exchange/downstream.js';
import type { Exchange } from '../exchange/exchange.js';
import { bit, Kind } from '../http1/headers.js';
import type { ResponseHead } from '../http1/message.js';
import { addHeaders, addLines, connectionKinds, noFields } from '../http2/sent-fields.js';
import { acceptKey } from '../http2/websocket-accept.js';

/** What the port asks of its stream. */
export interface Http2Owner {
  /** 100 (Continue) went to a client that was waiting for it. */
  continued(): void;
  /** The exchange became a tunnel. */
  tunnelOpened(): void;
  /** Bytes were handed over. */
  sent(bytes: number): void;
  /** The exchange is over. */
  exchangeEnded(): void;
}

/** Nobody sees it: it tells node:http2 to reset a stream. */
const brokenOff = new Error('the answer was broken off');

export class Http2Downstream implements Downstream {
  begun = false;
  /** A head counts as the text that it is in HTTP/1.1: what it is packed into is not told. */
  bytesSent = 0;
  bodyBytesSent = 0;

  readonly #stream: ServerHttp2Stream;
  readonly #owner: Http2Owner;
  #exchange: Exchange | null = null;
  #blocked = false;
  #listens = false;
  /** What the stream asks for when its data has left. */
  #trailers = '';

  constructor(stream: ServerHttp2Stream, owner: Http2Owner) {
    this.#stream = stream;
    this.#owner = owner;
  }

  serve(exchange: Exchange): void {
    this.#exchange = exchange;
  }

  /** Bytes that wait for the client's window. */
  get waiting(): number {
    return this.#stream.destroyed ? 0 : this.#stream.bufferSize;
  }

  interim(head: ResponseHead): void {
    if (this.begun || this.#gone) return;
    if (head.status === 100) this.#owner.continued();
    const fields = noFields();
    fields[':status'] = head.status;
    addHeaders(fields, head.headers, connectionKinds | bit(Kind.contentLength), head.connectionNames);
    this.#stream.additionalHeaders(fields);
  }

  begin(head: ResponseHead, extra: string, buffer: Buffer, start: number, end: number, last: boolean): boolean {
    this.begun = true;
    const exchange = this.#exchange as Exchange;
    const size = end - start;
    const head204 = head.status === 204;
    const bodyless = exchange.head.method === 'HEAD' || head204 || head.status === 304;
    if (exchange.upgrade !== '' && head.status >= 200 && head.status < 300) return this.#refuseTunnel(exchange);
    const fields = noFields();
    fields[':status'] = head.status;
    addHeaders(fields, head.headers, head204 ? connectionKinds | bit(Kind.contentLength) : connectionKinds, head.connectionNames);
    if (extra !== '') addLines(fields, extra);
    // RFC 9110 section 6.6.1: a recipient with a clock adds what is missing.
    if (!head.headers.has(Kind.date)) fields.date = httpDate();
    this.#count(head.line.length + head.headers.text.length + extra.length);
    if (this.#gone) return true;
    const endStream = bodyless || (last && size === 0);
    // Only a body without a stated length can have trailers behind it.
    const waitForTrailers = !endStream && !last && head.body < 0;
    this.#stream.respond(fields, { endStream, waitForTrailers });
    if (waitForTrailers) this.#stream.once('wantTrailers', () => this.#sendTrailers());
    return endStream ? true : this.write(buffer, start, end, last);
  }

  write(buffer: Buffer, start: number, end: number, last: boolean): boolean {
    const size = end - start;
    if (this.#gone || this.#stream.writableEnded) return true;
    if (size === 0) {
      if (last) this.#stream.end();
      return true;
    }
    this.bodyBytesSent += size;
    this.#count(size);
    const small = size <= copiedUpTo;
    const piece = buffer.subarray(start, end);
    const bytes = small ? Buffer.from(piece) : piece;
    if (last) {
      this.#stream.end(bytes);
      return small;
    }
    if (this.#stream.write(bytes)) return true;
    this.#blocked = true;
    if (!this.#listens) {
      this.#listens = true;
      this.#stream.on('drain', () => this.#drained());
    }
    return false;
  }

  end(trailers: string): void {
    this.#trailers = trailers;
    if (!this.#gone && !this.#stream.writableEnded) this.#stream.end();
  }

  /** RFC 8441 section 5: a tunnel is opened by 200, and what only HTTP/1.1 has of the handshake is left out. */
  switchProtocols(head: ResponseHead, extra: string): void {
    this.begun = true;
    const exchange = this.#exchange as Exchange;
    if (this.#gone) return;
    const key = exchange.head.headers.values('sec-websocket-key')[0] ?? '';
    if (head.headers.values('sec-websocket-accept')[0] !== acceptKey(key)) {
      // Whoever answered has not understood the handshake, and must not be taken for a WebSocket (RFC 6455 section 4.1).
      this.cut();
      return;
    }
    const fields = noFields();
    fields[':status'] = 200;
    addHeaders(fields, head.headers, connectionKinds | bit(Kind.contentLength), head.connectionNames);
    delete fields['sec-websocket-accept'];
    if (extra !== '') addLines(fields, extra);
    this.#count(head.line.length + head.headers.text.length + extra.length);
    this.#stream.respond(fields);
    this.#owner.tunnelOpened();
  }

  /** The backend has answered as if no tunnel had been asked for. Its 2xx would open one for this client (RFC 8441 section 5). */
  #refuseTunnel(exchange: Exchange): boolean {
    exchange.status = 502;
    if (this.#gone) return true;
    const fields = noFields();
    fields[':status'] = 502;
    fields.date = httpDate();
    this.#stream.respond(fields, { endStream: true });
    return true;
  }

  cut(): void {
    this.breakOff(this.begun ? constants.NGHTTP2_INTERNAL_ERROR : constants.NGHTTP2_CANCEL);
  }

  /** Resets the stream. @param code of RST_STREAM where nothing of a body has to be broken off */
  breakOff(code: number): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    // close() would end the body first, as if it were complete.
    if (this.begun && !stream.writableEnded) stream.destroy(brokenOff);
    else stream.close(code);
  }

  released(): void {
    this.#owner.exchangeEnded();
  }

  #sendTrailers(): void {
    if (this.#gone) return;
    const fields = noFields();
    addLines(fields, this.#trailers);
    this.#stream.sendTrailers(fields);
  }

  /** Nothing can be sent any more: the end of the stream is on its way. */
  get #gone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  #count(bytes: number): void {
    this.bytesSent += bytes;
    this.#owner.sent(bytes);
  }

  #drained(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#exchange?.upstream?.resume();
  }
}
