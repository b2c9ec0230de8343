// One attempt of the wire engine: takes a connection, sends the request, relays the answer, decides what becomes of the connection.
import { performance } from 'node:perf_hooks';
import { classifySocketError } from '../../errors/classify.js';
import { ProxyError } from '../../errors/proxy-error.js';
import type { Upstream } from '../../exchange/downstream.js';
import type { Exchange } from '../../exchange/exchange.js';
import { type BodySink, bodyHeadroom } from '../../exchange/request-body.js';
import { chunked, type ResponseHead } from '../../http1/message.js';
import type { Backend } from '../../model/backend.js';
import type { Connection, ConnectionUser } from '../../upstream/connection.js';
import type { ConnectionTaker, Pool } from '../../upstream/pool.js';
import type { AttemptReport } from '../engine.js';
import { outgoingHead } from '../outgoing-head.js';
import { ResponseRelay } from './relay-response.js';
import { framedChunk, inOneString, lastChunk, shortBody } from './send-body.js';
import type { WireContext } from './wire-settings.js';

export class WireAttempt implements ConnectionTaker, ConnectionUser, BodySink, Upstream {
  readonly takesAtOnce = true;
  readonly preface: Buffer | null;

  readonly #engine: WireContext;
  readonly #exchange: Exchange;
  readonly #backend: Backend;
  readonly #pool: Pool;
  readonly #report: AttemptReport;
  readonly #relay: ResponseRelay;
  #connection: Connection | null = null;
  /** The connection had served another request before. */
  #reused = false;
  /** The request, body included, has been handed to the connection. */
  #requestSent = false;
  /** The head waits for the body bytes that are already at hand, to leave in one write with them. */
  #headToSend = '';
  #over = false;

  /** @param preface what its connection begins with; null: it takes any connection */
  constructor(
    engine: WireContext,
    exchange: Exchange,
    backend: Backend,
    pool: Pool,
    report: AttemptReport,
    preface: Buffer | null,
  ) {
    this.preface = preface;
    this.#engine = engine;
    this.#exchange = exchange;
    this.#backend = backend;
    this.#pool = pool;
    this.#report = report;
    this.#relay = new ResponseRelay(exchange, backend, report, engine.settings);
  }

  // The connection is here: send the request.

  connectionReady(connection: Connection): void {
    if (this.#over) {
      this.#pool.release(connection);
      return;
    }
    const exchange = this.#exchange;
    const body = exchange.body;
    this.#connection = connection;
    this.#reused = connection.requests > 0;
    connection.user = this;
    connection.requests++;
    exchange.sentAt = performance.now();
    const head = outgoingHead(exchange, this.preface === null ? this.#engine.settings : this.#engine.closing);
    if (body.length === 0) {
      this.#requestSent = true;
      connection.write(head);
      this.#touch();
      return;
    }
    const whole = body.wholeIfBuffered();
    if (whole !== null && (body.length !== chunked || whole.length <= inOneString)) {
      this.#requestSent = true;
      this.#sendWhole(connection, head, whole, body.length === chunked);
      this.#touch();
      return;
    }
    this.#headToSend = head;
    body.attach(this);
    if (this.#headToSend !== '' && !this.#over) {
      connection.write(this.#takeHead());
      this.#touch();
    }
  }

  /** Head and body in one write where that can be done without copying more than it saves. */
  #sendWhole(connection: Connection, head: string, body: Buffer, framed: boolean): void {
    if (framed) {
      connection.write(head + framedChunk(body.toString('latin1')) + lastChunk(''));
    } else if (body.length <= shortBody || head.length > bodyHeadroom) {
      connection.write(head + body.toString('latin1'));
    } else {
      const message = Buffer.from(body.buffer, body.byteOffset - head.length, head.length + body.length);
      message.write(head, 'latin1');
      connection.write(message);
    }
  }

  connectionFailed(error: ProxyError): void {
    this.#fail(error);
  }

  bodyData(chunk: Buffer): boolean {
    const flushed = this.#sendData(chunk, this.#connection as Connection);
    this.#touch();
    return flushed;
  }

  #sendData(chunk: Buffer, connection: Connection): boolean {
    if (this.#relay.tunnel) return connection.write(chunk);
    const head = this.#takeHead();
    const framed = this.#exchange.body.length === chunked;
    if (chunk.length <= inOneString) {
      const text = chunk.toString('latin1');
      return connection.write(head + (framed ? framedChunk(text) : text));
    }
    if (!framed && head === '') return connection.write(chunk);
    connection.cork();
    connection.write(framed ? `${head}${chunk.length.toString(16)}\r\n` : head);
    connection.write(chunk);
    if (framed) connection.write('\r\n');
    return connection.uncork();
  }

  bodyEnd(trailers: string): void {
    const connection = this.#connection as Connection;
    if (this.#relay.tunnel) {
      connection.end();
      if (this.#relay.backendEnded) this.#succeed(false);
      return;
    }
    this.#requestSent = true;
    const head = this.#takeHead();
    if (this.#exchange.body.length === chunked) connection.write(head + lastChunk(trailers));
    else if (head !== '') connection.write(head);
    this.#touch();
  }

  #takeHead(): string {
    const head = this.#headToSend;
    this.#headToSend = '';
    return head;
  }

  connectionDrained(): void {
    this.#touch();
    this.#exchange.body.resume();
  }

  // The answer.

  connectionData(buffer: Buffer, start: number, end: number): boolean {
    const flowing = this.#relay.feed(buffer, start, end);
    if (this.#over) return false;
    return this.#afterRelay(flowing);
  }

  /** The client took what had been refused. */
  resume(): void {
    const connection = this.#connection;
    if (connection === null || this.#over) return;
    const flowing = this.#relay.resume();
    if (this.#over) return;
    if (this.#afterRelay(flowing)) connection.resume();
  }

  /** @returns whether the connection should go on reading */
  #afterRelay(flowing: boolean): boolean {
    const relay = this.#relay;
    if (relay.error !== null) {
      this.#fail(relay.error);
      return false;
    }
    const connection = this.#connection as Connection;
    if (relay.tunnelHead !== null) {
      const head = relay.tunnelHead;
      relay.tunnelHead = null;
      this.#becomeTunnel(connection, head);
      return this.#over ? false : relay.resume();
    }
    if (relay.done) {
      if (!flowing) connection.giveBufferAway();
      this.#succeed(true);
      return true;
    }
    // While the client is slow the backend is not to blame for silence.
    if (flowing) this.#touch();
    else connection.deadline = 0;
    return flowing;
  }

  #becomeTunnel(connection: Connection, head: ResponseHead): void {
    const exchange = this.#exchange;
    exchange.tunnel = true;
    this.#pool.detach(connection);
    connection.deadline = 0;
    exchange.body.becomeTunnel(this);
    exchange.downstream.switchProtocols(head, exchange.responseLines);
  }

  connectionEnd(): void {
    if (!this.#relay.endOfInput()) {
      this.#fail(this.#lost(null));
      return;
    }
    if (this.#relay.tunnel) {
      if (this.#exchange.body.complete) this.#succeed(false);
      return;
    }
    this.#succeed(false);
  }

  connectionClosed(error: Error | null): void {
    this.#connection = null;
    if (this.#relay.tunnel && error === null && this.#relay.backendEnded) this.#succeed(false);
    else this.#fail(this.#lost(error));
  }

  connectionExpired(): void {
    this.#fail(new ProxyError('backend-timeout', `${this.#backend.origin} was silent for ${this.#backendTimeout} ms`));
  }

  cut(): void {
    if (this.#over) return;
    this.#leave();
    this.#connection?.destroy();
  }

  /** What the loss of the connection means at this point. */
  #lost(error: Error | null): ProxyError {
    if (this.#relay.begun) return new ProxyError('backend-cut-body', this.#backend.origin, error ?? undefined);
    if (this.#relay.headBegun)
      return new ProxyError('backend-bad-response', 'closed in the middle of the head', error ?? undefined);
    return classifySocketError(error, 'none', this.#reused, this.#backend.origin);
  }

  #succeed(maybeReuse: boolean): void {
    if (this.#over) return;
    const exchange = this.#exchange;
    const connection = this.#connection;
    this.#leave();
    if (connection !== null) {
      if (maybeReuse && this.#requestSent && this.#relay.reusable) {
        connection.promisedIdle = this.#relay.promisedIdle;
        this.#pool.release(connection);
      } else connection.destroy();
    }
    // The answer is complete: what the client still sends is of no use to anybody.
    if (!exchange.body.complete) exchange.body.discard();
    this.#report.ended(exchange, this.#backend);
  }

  #fail(error: ProxyError): void {
    if (this.#over) return;
    this.#leave();
    this.#connection?.destroy();
    this.#report.failed(this.#exchange, this.#backend, error);
  }

  #leave(): void {
    this.#over = true;
    this.#exchange.upstream = null;
    this.#exchange.body.detach();
    if (this.#connection === null) this.#pool.withdraw(this);
  }

  /** Silence that the backend is allowed, in milliseconds; 0: any. */
  get #backendTimeout(): number {
    const { limits } = this.#exchange;
    return limits === null ? this.#engine.settings.backendTimeout : limits.backendTimeout;
  }

  /**
   * Gives the backend time again. While the client is slow to send there is nothing that the backend could answer: the
   * listener's deadline for bodies watches then.
   */
  #touch(): void {
    const connection = this.#connection;
    const limit = this.#backendTimeout;
    if (connection === null || limit === 0 || this.#relay.tunnel) return;
    const clientIsSlow = !this.#requestSent && connection.flushed;
    connection.deadline = clientIsSlow ? 0 : this.#engine.clock.now + limit;
  }
}
