// One stream of an HTTP/2 connection: a request with its response, from its fields to its end, and what its client owes meanwhile.
import { constants, type ServerHttp2Stream } from 'node:http2';
import { performance } from 'node:perf_hooks';
import type { Slotted } from '../base/sweep-list.js';
import { ProxyError } from '../errors/proxy-error.js';
import type { Client } from '../exchange/client.js';
import { Exchange } from '../exchange/exchange.js';
import { type BodySource, bodyHeadroom, RequestBody } from '../exchange/request-body.js';
import { Kind } from '../http1/headers.js';
import type { RequestHead } from '../http1/message.js';
import { readStreamRequest } from '../http2/request-head.js';
import { readStreamTrailers } from '../http2/trailers.js';
import { BodyPace } from './body-pace.js';
import type { ConnectionContext } from './connection-context.js';
import { Http2Downstream, type Http2Owner } from './http2-downstream.js';
import type { Http2Guard } from './http2-guard.js';
import { unreadableHead } from './unreadable-head.js';

/** What a stream asks of its connection. */
export interface StreamOwner {
  readonly client: Client;
  readonly context: ConnectionContext;
  readonly guard: Http2Guard;
  /** The exchange is over; the stream may still be sending. @param last the connection is to end */
  exchangeEnded(last: boolean): void;
  /** The stream is gone. @param reset it was ended by the client, or for its fault, before its time */
  streamClosed(stream: Http2Stream, reset: boolean): void;
}

/**
 * What the client has to do at the moment. waiting: nothing, its backend has. receiving: to send the rest of its body. sending: to
 * take what was sent. tunnel: anything, now and then.
 */
type Phase = 'waiting' | 'receiving' | 'sending' | 'tunnel';

/** A client is given the time of a silence for each such piece of what it is to take: in between, its progress does not show. */
const pieceOfProgress = 16 * 1024;

/** Under this name a stream of node:http2 knows the Http2Stream that it belongs to. */
const belongsTo = Symbol('belongs to');

/**
 * V8 may take a stream that is closed for alive until the next full collection: the table of a Map that has grown holds what it held
 * then, and node:http2 has such a Map of a session's streams. So it lets go of the exchange when it closes, which closures in its
 * list of listeners would not: those are functions that all streams share.
 */
interface OwnedStream extends ServerHttp2Stream {
  [belongsTo]: Http2Stream | null;
}

function ignore(): void {}

function onClose(this: OwnedStream): void {
  this[belongsTo]?.closed();
  this[belongsTo] = null;
}

function onData(this: OwnedStream, chunk: Buffer): void {
  this[belongsTo]?.data(chunk);
}

function onEnd(this: OwnedStream): void {
  this[belongsTo]?.dataEnded();
}

function onTrailers(this: OwnedStream, _fields: unknown, _flags: unknown, raw?: readonly string[]): void {
  this[belongsTo]?.trailersCame(raw ?? []);
}

export class Http2Stream implements BodySource, Http2Owner, Slotted {
  slot = -1;

  readonly #stream: OwnedStream;
  readonly #owner: StreamOwner;
  readonly #downstream: Http2Downstream;
  #exchange: Exchange | null = null;
  #body: RequestBody | null = null;
  /** The client has ended its side. */
  #received: boolean;
  #paused = false;
  #continued = false;
  #tunnel = false;
  /** A call of gRPC is a conversation: either side may be silent for long. */
  #conversation = false;
  #resetByUs = false;
  #trailers = '';
  #pace: BodyPace | null = null;
  #phase: Phase = 'waiting';
  /** When the client was last seen to do what it has to, and how far it had come then. */
  #movedAt: number;
  #moved = 0;
  /** Bytes that wait for the client, as they were counted. */
  #counted = 0;
  /** Storage that nobody holds any more. */
  #spare: Buffer | null = null;

  /** @param ended there is no body */
  constructor(stream: ServerHttp2Stream, ended: boolean, owner: StreamOwner) {
    this.#stream = stream as OwnedStream;
    this.#stream[belongsTo] = this;
    this.#owner = owner;
    this.#received = ended;
    this.#movedAt = owner.context.clock.now;
    this.#downstream = new Http2Downstream(stream, this);
    stream.on('error', ignore);
    stream.on('close', onClose);
  }

  /** Reads the request and hands it over. @param raw its fields, names and values in turn */
  begin(raw: readonly string[], noBody: RequestBody): void {
    const { settings, handler, kept } = this.#owner.context;
    const head = readStreamRequest(raw, this.#received, settings);
    if (head instanceof ProxyError) {
      handler.refuse(this.#serve(unreadableHead, noBody), head);
      return;
    }
    let body = noBody;
    if (head.body !== 0 || head.upgrade !== '') body = new RequestBody(head.body, this, settings.retryBodyLimit, kept);
    const exchange = this.#serve(head, body);
    if (head.body !== 0) this.#receive(head);
    // Where nothing can come it is left alone: a stream whose reading side has ended before its answer costs node:http2 a fifth more time.
    else if (head.upgrade === '' && !this.#received) this.#stream.resume();
    handler.handle(exchange);
  }

  #serve(head: RequestHead, body: RequestBody): Exchange {
    const exchange = new Exchange(head, body, this.#owner.client, this.#downstream, performance.now());
    this.#exchange = exchange;
    this.#body = body;
    this.#downstream.serve(exchange);
    return exchange;
  }

  // The body of the request.

  #receive(head: RequestHead): void {
    const { minBodyRate, bodyGrace } = this.#owner.context.settings;
    this.#conversation = /^application\/grpc\b/i.test(head.headers.first(Kind.contentType));
    if (minBodyRate > 0 && !this.#conversation) this.#pace = new BodyPace(minBodyRate, bodyGrace);
    this.#stream.on('trailers', onTrailers);
    this.#readStream();
  }

  #readStream(): void {
    this.#stream.on('data', onData);
    this.#stream.on('end', onEnd);
  }

  /** A piece of the body came. */
  data(chunk: Buffer): void {
    this.#owner.guard.body(chunk.length);
    const body = this.#body;
    if (body === null) return;
    if (this.#tunnel) {
      body.push(chunk);
      return;
    }
    const spare = this.#spare;
    this.#spare = null;
    const size = bodyHeadroom + chunk.length;
    const storage = spare !== null && spare.length >= size ? spare : Buffer.allocUnsafeSlow(size);
    chunk.copy(storage, bodyHeadroom);
    if (body.push(storage.subarray(bodyHeadroom, size))) this.#spare = storage;
  }

  /** @param raw names and values in turn */
  trailersCame(raw: readonly string[]): void {
    this.#trailers = readStreamTrailers(raw, this.#owner.context.settings);
  }

  /** A stream that was reset ends as well. */
  dataEnded(): void {
    if (this.#stream.rstCode !== constants.NGHTTP2_NO_ERROR || this.#stream.aborted) return;
    this.#received = true;
    this.#body?.finish(this.#trailers);
  }

  pauseBody(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resumeBody(): void {
    this.#paused = false;
    this.#stream.resume();
  }

  // The response.

  continued(): void {
    this.#continued = true;
  }

  sent(bytes: number): void {
    this.#owner.guard.sent(bytes);
  }

  /** What the client has sent since waits in its stream. */
  tunnelOpened(): void {
    this.#tunnel = true;
    this.#readStream();
  }

  exchangeEnded(): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#body = null;
    this.#spare = null;
    this.#owner.exchangeEnded(exchange?.closing === true);
    // RFC 9113 section 8.1: whoever has the whole answer need not send the rest of its request.
    if (!this.#received && !this.#stream.closed) {
      this.#resetByUs = true;
      this.#stream.close(constants.NGHTTP2_NO_ERROR);
    }
  }

  /** The client has sent all of its body, or has none. Streams that this side resets end like whole ones. */
  get received(): boolean {
    return this.#received && !this.#resetByUs;
  }

  /** Bytes of the body that have come and that nobody has taken. */
  get held(): number {
    return this.#stream.readableLength;
  }

  /** The stream is gone. */
  closed(): void {
    const { rstCode } = this.#stream;
    const reset = !this.#resetByUs && (rstCode !== constants.NGHTTP2_NO_ERROR || this.#exchange !== null);
    this.#count(0);
    this.#owner.streamClosed(this, reset);
    const exchange = this.#exchange;
    this.#exchange = null;
    if (exchange === null || exchange.ended) return;
    exchange.upstream?.cut();
    exchange.end('client-gone');
  }

  // Deadlines.

  /** Looks, at each tick of the clock, whether the client does what it has to. */
  sweep(now: number): void {
    const { settings, handler } = this.#owner.context;
    const exchange = this.#exchange;
    this.#count(this.#downstream.waiting);
    const total = settings.totalTimeout;
    if (exchange !== null && !this.#tunnel && total > 0 && now >= exchange.startedAt + total) {
      handler.refuse(exchange, new ProxyError('total-timeout'));
      return;
    }
    const phase = this.#phaseNow;
    const moved = this.#progress(phase);
    if (phase !== this.#phase || moved !== this.#moved) {
      this.#phase = phase;
      this.#moved = moved;
      this.#movedAt = now;
    }
    const silence = now - this.#movedAt;
    if (phase !== 'receiving') this.#pace?.rest(now, this.#body?.received ?? 0);
    switch (phase) {
      case 'waiting':
        return;
      case 'tunnel':
        if (settings.tunnelTimeout > 0 && silence >= settings.tunnelTimeout) this.abort(constants.NGHTTP2_CANCEL);
        return;
      case 'sending': {
        const pieces = Math.max(1, Math.ceil(this.#downstream.waiting / pieceOfProgress));
        if (settings.bodyTimeout > 0 && silence >= settings.bodyTimeout * pieces) this.abort(constants.NGHTTP2_CANCEL);
        return;
      }
      case 'receiving': {
        const tooSlow = this.#pace !== null && this.#pace.owed(now, this.#body?.received ?? 0) <= 0;
        if (tooSlow || (settings.bodyTimeout > 0 && silence >= settings.bodyTimeout)) {
          if (exchange !== null) handler.refuse(exchange, new ProxyError('body-timeout'));
          else this.abort(constants.NGHTTP2_NO_ERROR);
        }
      }
    }
  }

  get #phaseNow(): Phase {
    if (this.#tunnel || (this.#conversation && this.#exchange !== null)) return 'tunnel';
    if (this.#downstream.waiting > 0) return 'sending';
    const body = this.#body;
    if (this.#received || this.#paused || body === null || body.complete) return 'waiting';
    const asked = this.#exchange?.head.expectsContinue !== true || this.#continued || body.received > 0;
    return asked ? 'receiving' : 'waiting';
  }

  #progress(phase: Phase): number {
    const received = this.#body?.received ?? 0;
    const taken = this.#downstream.bytesSent - this.#downstream.waiting;
    return phase === 'receiving' ? received : phase === 'sending' ? taken : received + taken;
  }

  /** Accounts for bytes of answers that this process holds until the client takes them. */
  #count(bytes: number): void {
    if (bytes === this.#counted) return;
    this.#owner.context.kept.add(bytes - this.#counted);
    this.#counted = bytes;
  }

  /** Ends the stream, and with it its exchange. @param code of RST_STREAM (RFC 9113 section 7) */
  abort(code: number): void {
    this.#resetByUs = true;
    this.#downstream.breakOff(code);
  }
}
