// One attempt of the HTTP/2 engine: opens a stream, sends the request, relays fields, data and trailers of the answer.
import { type ClientHttp2Stream, constants } from 'node:http2';
import { performance } from 'node:perf_hooks';
import { ProxyError } from '../../errors/proxy-error.js';
import type { Upstream } from '../../exchange/downstream.js';
import type { Exchange } from '../../exchange/exchange.js';
import type { BodySink } from '../../exchange/request-body.js';
import { headerListFromPairs } from '../../http1/header-pairs.js';
import { chunked, type ResponseHead } from '../../http1/message.js';
import { readStreamResponse } from '../../http2/response-head.js';
import { addLines, noFields } from '../../http2/sent-fields.js';
import { readStreamTrailers } from '../../http2/trailers.js';
import { acceptKey } from '../../http2/websocket-accept.js';
import type { Backend } from '../../model/backend.js';
import type { AttemptReport } from '../engine.js';
import type { BackendSession } from './backend-session.js';
import type { Http2Context, WatchedAttempt } from './http2-settings.js';
import { requestFields } from './request-fields.js';
import type { SessionPool, SessionTaker } from './session-pool.js';

const nothing = Buffer.alloc(0);
/** Nobody sees it: it tells node:http2 to reset a stream. */
const brokenOff = new Error('the request was broken off');

export class Http2Attempt implements SessionTaker, BodySink, Upstream, WatchedAttempt {
  slot = -1;
  deadline = 0;

  readonly #engine: Http2Context;
  readonly #exchange: Exchange;
  readonly #backend: Backend;
  readonly #pool: SessionPool;
  readonly #report: AttemptReport;
  #session: BackendSession | null = null;
  #stream: ClientHttp2Stream | null = null;
  /** The answer has begun to be relayed. */
  #begun = false;
  #requestSent = false;
  #tunnel = false;
  /** A tunnel was asked for, and the backend has to say whether it opens it. */
  #opening = false;
  /** Both directions of a tunnel end by themselves. */
  #backendEnded = false;
  /** The client is slower than the backend. */
  #blocked = false;
  #flushed = true;
  /** Trailers of the request, and of the answer. */
  #sentTrailers = '';
  #trailers = '';
  /** It was sent a second time, since the backend had not taken it up. */
  #again = false;
  #over = false;

  constructor(engine: Http2Context, exchange: Exchange, backend: Backend, pool: SessionPool, report: AttemptReport) {
    this.#engine = engine;
    this.#exchange = exchange;
    this.#backend = backend;
    this.#pool = pool;
    this.#report = report;
  }

  // The request.

  sessionReady(session: BackendSession): void {
    if (this.#over) return;
    const exchange = this.#exchange;
    const { body } = exchange;
    const opensTunnel = exchange.upgrade.toLowerCase() === 'websocket';
    if (opensTunnel && !session.opensTunnels) {
      const why = `${this.#backend.origin} does not offer extended CONNECT (RFC 8441), which WebSockets need: name it http:// or https://`;
      this.#fail(new ProxyError('backend-no-tunnel', why));
      return;
    }
    const endStream = body.length === 0 && !opensTunnel;
    const waitForTrailers = body.length === chunked && !(body.complete && body.trailers === '');
    exchange.sentAt = performance.now();
    this.#opening = opensTunnel;
    this.#session = session;
    const stream = session.request(
      requestFields(exchange, this.#backend, opensTunnel, this.#engine.settings),
      endStream,
      waitForTrailers,
    );
    this.#stream = stream;
    stream.on('headers', (_fields, _flags, raw?: readonly string[]) => this.#interim(raw ?? []));
    const answered = (_fields: unknown, flags: number, raw: readonly string[]): void => this.#answered(raw, flags, opensTunnel);
    stream.on('response', answered);
    stream.on('trailers', (_fields, _flags, raw?: readonly string[]) => {
      this.#trailers = readStreamTrailers(raw ?? [], this.#engine.settings);
    });
    stream.on('data', (chunk: Buffer) => this.#data(chunk));
    stream.on('end', () => this.#ended());
    stream.on('error', () => {});
    stream.on('close', () => this.#lost());
    if (waitForTrailers) stream.on('wantTrailers', () => this.#sendTrailers(stream));
    if (endStream) this.#requestSent = true;
    else {
      stream.on('drain', () => this.#drained());
      if (!opensTunnel) body.attach(this);
    }
    this.#touch();
  }

  sessionFailed(error: ProxyError): void {
    this.#fail(error);
  }

  bodyData(chunk: Buffer): boolean {
    const stream = this.#stream as ClientHttp2Stream;
    if (stream.destroyed || stream.writableEnded) return true;
    this.#flushed = stream.write(chunk);
    this.#touch();
    return this.#flushed;
  }

  bodyEnd(trailers: string): void {
    const stream = this.#stream as ClientHttp2Stream;
    this.#sentTrailers = trailers;
    this.#requestSent = true;
    if (!stream.destroyed && !stream.writableEnded) stream.end();
    if (this.#tunnel && this.#backendEnded) this.#succeed();
    else this.#touch();
  }

  #sendTrailers(stream: ClientHttp2Stream): void {
    if (stream.destroyed || stream.closed) return;
    const fields = noFields();
    addLines(fields, this.#sentTrailers);
    stream.sendTrailers(fields);
  }

  #drained(): void {
    this.#flushed = true;
    if (this.#over) return;
    this.#touch();
    this.#exchange.body.resume();
  }

  // The answer.

  #interim(raw: readonly string[]): void {
    if (this.#over) return;
    const head = readStreamResponse(raw, false, this.#engine.settings, this.#exchange.head.method);
    if (head instanceof ProxyError) this.#fail(head);
    else this.#exchange.downstream.interim(head);
    this.#touch();
  }

  #answered(raw: readonly string[], flags: number, opensTunnel: boolean): void {
    if (this.#over) return;
    this.#opening = false;
    const exchange = this.#exchange;
    const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const read = readStreamResponse(raw, ended, this.#engine.settings, exchange.head.method);
    if (read instanceof ProxyError) {
      this.#fail(read);
      return;
    }
    const opened = opensTunnel && !ended && read.status >= 200 && read.status < 300;
    const head = this.#report.answered(exchange, this.#backend, opened ? switchedHead(read, exchange) : read);
    if (this.#over) return;
    if (head === null) {
      this.#fail(new ProxyError('backend-discarded', `${this.#backend.origin} answered ${read.status}`));
      return;
    }
    this.#begun = true;
    if (opened) {
      this.#becomeTunnel(head);
      return;
    }
    // A tunnel that was refused has no body to come.
    if (opensTunnel) this.#requestSent = true;
    const flowing = exchange.downstream.begin(head, exchange.responseLines, nothing, 0, 0, ended);
    if (ended) this.#succeed();
    else this.#pace(flowing);
  }

  #becomeTunnel(head: ResponseHead): void {
    const exchange = this.#exchange;
    this.#tunnel = true;
    exchange.tunnel = true;
    this.deadline = 0;
    exchange.body.becomeTunnel(this);
    exchange.downstream.switchProtocols(head, exchange.responseLines);
  }

  #data(chunk: Buffer): void {
    if (!this.#over && chunk.length > 0) this.#pace(this.#exchange.downstream.write(chunk, 0, chunk.length, false));
  }

  #pace(flowing: boolean): void {
    if (this.#over) return;
    this.#blocked = !flowing;
    if (!flowing) this.#stream?.pause();
    this.#touch();
  }

  resume(): void {
    if (this.#over || !this.#blocked) return;
    this.#blocked = false;
    this.#stream?.resume();
    this.#touch();
  }

  /** A stream that was reset ends as well. */
  #ended(): void {
    if (this.#over || !this.#begun || this.#stream?.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    this.#exchange.downstream.end(this.#trailers);
    if (!this.#tunnel) this.#succeed();
    else {
      this.#backendEnded = true;
      if (this.#exchange.body.complete) this.#succeed();
    }
  }

  // The end.

  /** The stream is gone before its end. */
  #lost(): void {
    if (this.#over) return;
    const { origin } = this.#backend;
    const stream = this.#stream as ClientHttp2Stream;
    const code = stream.rstCode;
    const untaken = code === constants.NGHTTP2_REFUSED_STREAM || (stream.id ?? 0) > (this.#session?.lastTaken ?? 0);
    if (this.#begun) this.#fail(new ProxyError('backend-cut-body', `${origin} reset the stream with code ${code}`));
    else if (untaken && !this.#again && this.#exchange.body.repeatable) this.#sendAgain();
    else if (code === constants.NGHTTP2_PROTOCOL_ERROR || code === constants.NGHTTP2_HTTP_1_1_REQUIRED)
      this.#fail(new ProxyError('backend-bad-response', `${origin}: the stream ended with code ${code}`));
    else this.#fail(new ProxyError('backend-closed', `${origin}: the stream ended with code ${code}`));
  }

  /** RFC 9113 section 8.7: nothing was done with it, so it may be sent anew, whatever its method. */
  #sendAgain(): void {
    this.#again = true;
    this.#exchange.body.detach();
    this.#stream = null;
    this.#requestSent = false;
    this.#pool.take(this.#backend, this, this.#exchange.limits?.connectTimeout);
  }

  /** The backend was silent for too long. */
  expired(): void {
    this.#fail(new ProxyError('backend-timeout', `${this.#backend.origin} was silent for ${this.#backendTimeout} ms`));
  }

  cut(): void {
    if (this.#over) return;
    this.#leave();
    this.#close(constants.NGHTTP2_CANCEL);
  }

  #succeed(): void {
    if (this.#over) return;
    const { body } = this.#exchange;
    this.#leave();
    // Whoever has the whole answer need not send the rest of its request.
    if (!this.#requestSent) this.#close(constants.NGHTTP2_NO_ERROR);
    if (!body.complete) body.discard();
    this.#report.ended(this.#exchange, this.#backend);
  }

  #fail(error: ProxyError): void {
    if (this.#over) return;
    this.#leave();
    this.#close(constants.NGHTTP2_CANCEL);
    this.#report.failed(this.#exchange, this.#backend, error);
  }

  #close(code: number): void {
    const stream = this.#stream;
    if (stream === null || stream.destroyed) return;
    // close() would end the body of a request first, as if it were complete.
    if (!stream.writableEnded) stream.destroy(brokenOff);
    else if (!stream.closed) stream.close(code);
    // What still comes is of no use, and would keep the stream.
    stream.resume();
  }

  #leave(): void {
    this.#over = true;
    this.#exchange.upstream = null;
    this.#exchange.body.detach();
    this.#engine.left(this);
    if (this.#stream === null) this.#pool.withdraw(this);
  }

  get #backendTimeout(): number {
    const { limits } = this.#exchange;
    return limits === null ? this.#engine.settings.backendTimeout : limits.backendTimeout;
  }

  /** Gives the backend time again; as in the wire engine, none is counted while it is the client's turn. */
  #touch(): void {
    const limit = this.#backendTimeout;
    if (limit === 0 || this.#tunnel || this.#over) return;
    const clientsTurn = this.#blocked || (!this.#requestSent && !this.#opening && this.#flushed);
    this.deadline = clientsTurn ? 0 : this.#engine.clock.now + limit;
  }
}

/** What the answer to extended CONNECT is in HTTP/1.1 (RFC 8441 section 5, RFC 6455 section 4.2.2). */
function switchedHead(head: ResponseHead, exchange: Exchange): ResponseHead {
  const key = exchange.head.headers.values('sec-websocket-key')[0] ?? '';
  const pairs = [...head.headers.pairs(), 'sec-websocket-accept', acceptKey(key)];
  return {
    ...head,
    status: 101,
    line: 'HTTP/1.1 101 Switching Protocols\r\n',
    reason: 'Switching Protocols',
    headers: headerListFromPairs(pairs),
    body: 0,
    upgrade: exchange.upgrade,
  };
}
