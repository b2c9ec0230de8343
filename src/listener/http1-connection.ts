// One client connection speaking HTTP/1.x: reads heads and bodies, hands exchanges over one after another, keeps the deadlines.
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { ProxyError } from '../errors/proxy-error.js';
import type { Client } from '../exchange/client.js';
import { Exchange } from '../exchange/exchange.js';
import { type BodySource, RequestBody } from '../exchange/request-body.js';
import { HeadBuffer } from '../http1/head-buffer.js';
import type { RequestHead } from '../http1/message.js';
import { parseRequestHead } from '../http1/request-head.js';
import { BodyTime } from './body-time.js';
import { ClientProgress } from './client-progress.js';
import { askAfter, askAgainAfter, ClientQuestion } from './client-question.js';
import type { ConnectionContext } from './connection-context.js';
import type { ListedConnection } from './connections.js';
import { Http1Downstream, type Http1Owner } from './http1-downstream.js';
import { PendingBytes } from './pending-bytes.js';
import { RequestBodyReader } from './request-body-reader.js';
import { unreadableHead } from './unreadable-head.js';

/**
 * head: between exchanges. exchange: one is running. discard: it is answered, the rest of its body is thrown away.
 * linger: everything is said, the client may still be sending. tunnel, closed: as they say.
 */
type State = 'head' | 'exchange' | 'discard' | 'linger' | 'tunnel' | 'closed';

/** Bytes of an unwanted body that are read to save the connection, and how long a closing connection is read (milliseconds). */
const discardLimit = 256 * 1024;
const lingerTime = 2000;

export class Http1Connection implements ListedConnection, BodySource, Http1Owner {
  slot = -1;
  deadline = 0;

  readonly #socket: Socket;
  readonly #client: Client;
  readonly #context: ConnectionContext;
  readonly #downstream: Http1Downstream;
  readonly #bodyReader: RequestBodyReader;
  readonly #pending: PendingBytes;
  readonly #progress: ClientProgress;
  /** Shared by all requests without a body: nothing of it ever changes. */
  readonly #noBody: RequestBody;
  #state: State = 'head';
  #exchange: Exchange | null = null;
  #headBytes: HeadBuffer | null = null;
  #bodyPaused = false;
  #discarded = 0;
  #consuming = false;
  #halfClosed = false;
  /** Nothing that might come after the running exchange could be read as a request. */
  #broken = false;
  /** Milliseconds that an idle connection waits for another request while the process drains; -1: it does not drain. */
  #grace = -1;
  /** Asks whether the client of this exchange is there; null: nobody has asked. */
  #question: ClientQuestion | null = null;
  /** The time that bodies of this client may take; null: there was none. */
  #bodyTime: BodyTime | null = null;
  /** Requests that were read. */
  #requests = 0;
  /** Bytes that a tunnel had sent to the client when its silence was last judged. */
  #sentBefore = 0;

  constructor(socket: Socket, client: Client, context: ConnectionContext) {
    this.#socket = socket;
    this.#client = client;
    this.#context = context;
    this.#downstream = new Http1Downstream(socket, client.secure, this);
    this.#bodyReader = new RequestBodyReader(context.settings);
    this.#pending = new PendingBytes(socket, context.kept);
    this.#progress = new ClientProgress(socket, context.kept);
    this.#noBody = new RequestBody(0, this, 0);
    this.#await(context.settings.headTimeout);
    context.connections.add(this);
    socket.on('end', () => this.#ended());
    socket.on('error', () => {});
    socket.on('close', () => this.#closed());
  }

  get lastExchange(): boolean {
    const { requestsPerConnection } = this.#context.settings;
    const enough = requestsPerConnection > 0 && this.#requests >= requestsPerConnection;
    return this.#broken || this.#grace >= 0 || enough || this.#exchange?.closing === true;
  }

  get peer(): string {
    return this.#client.address;
  }

  // Bytes in.

  /** Takes what was read from the socket. The bytes are valid during the call only: what is kept is copied. */
  received(chunk: Buffer): void {
    if (this.#state === 'exchange' && this.#bodyReader.done) {
      this.#pending.keep(chunk);
      return;
    }
    this.#consume(chunk);
  }

  /** Takes bytes in the order they came; goes round once for each request of a pipelining client. */
  #consume(bytes: Buffer): void {
    let chunk = bytes;
    let at = 0;
    this.#consuming = true;
    while (at < chunk.length) {
      if (this.#state === 'head') {
        if (this.#headBytes !== null) {
          this.#headBytes.append(at === 0 ? chunk : chunk.subarray(at));
          if (!this.#headBytes.mayBeComplete) break;
          chunk = this.#headBytes.bytes;
          at = 0;
        }
        at = this.#readHead(chunk, at);
      } else if (this.#state === 'exchange' && this.#bodyReader.done) {
        this.#pending.keep(chunk.subarray(at));
        break;
      } else if (this.#state === 'exchange' || this.#state === 'discard') {
        at = this.#readBody(chunk, at);
      } else if (this.#state === 'tunnel') {
        if (this.#context.settings.tunnelTimeout > 0) this.#await(this.#context.settings.tunnelTimeout);
        this.#exchange?.body.push(Buffer.from(at === 0 ? chunk : chunk.subarray(at)));
        break;
      } else break;
    }
    this.#consuming = false;
  }

  /** @returns where to go on in the chunk */
  #readHead(chunk: Buffer, at: number): number {
    const { settings, handler, kept } = this.#context;
    const head = parseRequestHead(chunk, at, chunk.length, settings);
    if (head === null) {
      if (this.#headBytes !== null) return chunk.length;
      this.#headBytes = new HeadBuffer(settings.maxHeadBytes);
      this.#headBytes.append(chunk.subarray(at));
      // The clock of a head starts with its first byte, not with the last response, and no further byte winds it up.
      this.#await(settings.headTimeout);
      return chunk.length;
    }
    this.#headBytes = null;
    if (head instanceof ProxyError) {
      this.#refuseHead(head);
      return chunk.length;
    }
    let next = at + head.byteLength;
    let body = this.#noBody;
    if (head.body !== 0 || head.upgrade !== '') body = new RequestBody(head.body, this, settings.retryBodyLimit, kept);
    this.#bodyReader.begin(head.body);
    const exchange = this.#begin(head, body);
    if (!this.#bodyReader.done) {
      this.#bodyTime ??= new BodyTime(settings, this.#context.clock);
      this.#bodyTime.begin();
      this.#awaitClient();
      if (next < chunk.length) next = this.#readBody(chunk, next);
    }
    if (this.#halfClosed && next === chunk.length) this.#broken = true;
    if (!exchange.ended) handler.handle(exchange);
    // Bytes behind a refused upgrade were meant for the other protocol: they must not be read as a request.
    if (exchange.ended && exchange.upgrade !== '' && next < chunk.length && this.#state === 'head') this.#linger();
    return next;
  }

  #begin(head: RequestHead, body: RequestBody): Exchange {
    this.deadline = 0;
    this.#requests++;
    this.#downstream.reset();
    const exchange = new Exchange(head, body, this.#client, this.#downstream, performance.now());
    this.#downstream.serve(exchange);
    this.#exchange = exchange;
    this.#state = 'exchange';
    this.#question = null;
    if (this.#context.settings.totalTimeout > 0 || this.#halfClosed) this.#awaitClient();
    return exchange;
  }

  #refuseHead(error: ProxyError): void {
    this.#bodyReader.begin(0);
    this.#context.handler.refuse(this.#begin(unreadableHead, this.#noBody), error);
  }

  /** @returns where to go on in the chunk */
  #readBody(chunk: Buffer, at: number): number {
    const reader = this.#bodyReader;
    const body = this.#exchange?.body ?? null;
    const next = reader.read(chunk, at, body);
    if (reader.error !== '') {
      this.#bodyBroken(new ProxyError('bad-chunk', reader.error));
      return chunk.length;
    }
    if (this.#state === 'discard') {
      this.#discarded += next - at;
      if (reader.done) this.#nextExchange();
      else if (this.#discarded > discardLimit) this.#linger();
    } else if (this.#state === 'exchange') {
      this.#awaitClient();
      if (reader.done) body?.finish(reader.trailers);
    }
    return next;
  }

  /** The client broke its request off: the answer, if there can be one, is the last on this connection. */
  #bodyBroken(error: ProxyError): void {
    this.#broken = true;
    const exchange = this.#exchange;
    this.#bodyReader.begin(0);
    if (exchange === null || this.#state === 'discard') this.#linger();
    else this.#context.handler.refuse(exchange, error);
  }

  pauseBody(): void {
    this.#bodyPaused = true;
    if (this.#state === 'exchange') this.#awaitClient();
    this.#socket.pause();
  }

  resumeBody(): void {
    this.#bodyPaused = false;
    if (this.#state === 'exchange') this.#awaitClient();
    if (!this.#pending.paused) this.#socket.resume();
  }

  tunnelOpened(): void {
    this.#state = 'tunnel';
    this.#sentBefore = this.#downstream.bytesSent;
    this.#await(this.#context.settings.tunnelTimeout);
    if (this.#pending.size > 0) this.#exchange?.body.push(this.#pending.take());
    if (this.#halfClosed) this.#exchange?.body.finish('');
  }

  // The end of an exchange.

  exchangeEnded(): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    if (this.#state === 'closed') return;
    if (this.#bodyPaused) {
      // Its backend had not taken all of the body when the answer was complete.
      this.#bodyPaused = false;
      if (!this.#pending.paused) this.#socket.resume();
    }
    // As in #readHead, for an upgrade that was refused later.
    const strayBytes = exchange !== null && exchange.upgrade !== '' && this.#pending.size > 0;
    if (this.#state === 'tunnel' || this.#downstream.closes || this.#broken || strayBytes) this.#linger();
    else if (!this.#bodyReader.done) {
      this.#state = 'discard';
      this.#discarded = 0;
      this.#await(this.#context.settings.bodyTimeout);
    } else this.#nextExchange();
  }

  #nextExchange(): void {
    this.#state = 'head';
    this.#awaitRequest();
    if (this.#pending.size > 0) {
      const bytes = this.#pending.take();
      // Inside #consume nothing is pending; this is the end of an exchange that took its time.
      if (!this.#consuming) this.#consume(bytes);
      else this.#pending.keep(bytes);
    }
    if (!this.#halfClosed || this.#consuming) return;
    if (this.#state === 'head') this.#endWriting();
    else if (this.#state === 'exchange' && !this.#bodyReader.done) this.#bodyBroken(new ProxyError('body-cut-short'));
  }

  /**
   * Closes the sending side and reads on for a while: closing with unread bytes would reset the connection and might
   * destroy the answer on its way (RFC 9112 section 9.6).
   */
  #linger(): void {
    this.#state = 'linger';
    this.#pending.clear();
    this.#headBytes = null;
    this.#endWriting();
    if (this.#downstream.pending) this.blocked();
    else this.#await(this.#halfClosed ? 0 : lingerTime);
    this.#socket.resume();
  }

  /** A second end() would make an error, with its stack trace, that nobody sees. */
  #endWriting(): void {
    if (!this.#socket.writableEnded) this.#socket.end();
  }

  #ended(): void {
    this.#halfClosed = true;
    switch (this.#state) {
      case 'head':
      case 'discard':
      case 'linger':
        this.#endWriting();
        break;
      case 'tunnel':
        this.#exchange?.body.finish('');
        break;
      case 'exchange':
        if (!this.#bodyReader.done) this.#bodyBroken(new ProxyError('body-cut-short'));
        else if (this.#context.settings.halfClosedClients === 'abort') this.#socket.destroy();
        else {
          // Requests that it had sent before are served all the same.
          if (this.#pending.size === 0) this.#broken = true;
          this.#awaitClient();
          // If it is gone it must not keep others from the place that it waits for.
          if (this.#exchange?.waiting === true) void this.askClient();
        }
        break;
      case 'closed':
        break;
    }
  }

  #closed(): void {
    this.#state = 'closed';
    this.#context.connections.remove(this);
    this.#pending.clear();
    this.#progress.end();
    const exchange = this.#exchange;
    this.#exchange = null;
    if (exchange === null || exchange.ended) return;
    exchange.upstream?.cut();
    exchange.end('client-gone');
  }

  // Deadlines.

  /** Arms the deadline; 0 leaves only the limit of the whole exchange, if there is one. */
  #await(milliseconds: number): void {
    this.deadline = milliseconds > 0 ? this.#context.clock.now + milliseconds : 0;
    const total = this.#context.settings.totalTimeout;
    if (total === 0 || this.#exchange === null || this.#state === 'tunnel') return;
    const end = this.#exchange.startedAt + total;
    if (this.deadline === 0 || end < this.deadline) this.deadline = end;
  }

  /** Between two requests. A client that was not told yet that the process drains may send one more. */
  #awaitRequest(): void {
    const { idleTimeout } = this.#context.settings;
    this.#await(this.#grace < 0 || (idleTimeout > 0 && idleTimeout < this.#grace) ? idleTimeout : Math.max(1, this.#grace));
  }

  /** Arms the deadline for what the client of a running exchange owes at this moment: to read, to send, or to be there. */
  #awaitClient(): void {
    const { bodyTimeout, halfClosedClients } = this.#context.settings;
    if (this.#downstream.pending) {
      this.#restBody();
      this.#await(bodyTimeout);
    } else if (this.#owesBody) {
      this.#await(this.#bodyTime?.left(this.#exchange?.body.received ?? 0) ?? bodyTimeout);
    } else {
      this.#restBody();
      this.#await(this.#halfClosed && halfClosedClients === 'probe' && !this.#downstream.begun ? askAfter : 0);
    }
  }

  #restBody(): void {
    if (this.#bodyTime !== null && this.#exchange !== null) this.#bodyTime.rest(this.#exchange.body.received);
  }

  /** Whether bytes of a body should be coming: they are wanted, and the client was not left waiting for 100 (Continue). */
  get #owesBody(): boolean {
    const exchange = this.#exchange;
    if (this.#bodyReader.done || this.#bodyPaused || exchange === null) return false;
    return !exchange.head.expectsContinue || this.#downstream.continued || exchange.body.received > 0;
  }

  continued(): void {
    this.#awaitClient();
  }

  blocked(): void {
    this.#progress.begin();
    this.#await(this.#state === 'tunnel' ? this.#context.settings.tunnelTimeout : this.#context.settings.bodyTimeout);
  }

  unblocked(): void {
    this.#progress.end();
    const { settings } = this.#context;
    if (this.#state === 'exchange') this.#awaitClient();
    else if (this.#state === 'tunnel') this.#await(settings.tunnelTimeout);
    else if (this.#state === 'linger') this.#await(this.#halfClosed ? 0 : lingerTime);
    else if (this.#state === 'head' && this.#headBytes === null) this.#awaitRequest();
  }

  expired(now: number): void {
    this.deadline = 0;
    const { settings, handler } = this.#context;
    const exchange = this.#state === 'exchange' ? this.#exchange : null;
    const total = settings.totalTimeout;
    if (exchange !== null && total > 0 && now >= exchange.startedAt + total) {
      handler.refuse(exchange, new ProxyError('total-timeout'));
    } else if (this.#downstream.pending) {
      if (this.#progress.made()) this.#await(this.#state === 'tunnel' ? settings.tunnelTimeout : settings.bodyTimeout);
      else this.#socket.destroy();
    } else if (exchange !== null) {
      if (this.#owesBody) this.#bodyBroken(new ProxyError('body-timeout'));
      else if (this.#halfClosed) this.#await(this.#questionOf(exchange).put());
    } else if (this.#state === 'head' && this.#headBytes !== null) {
      this.#headBytes = null;
      this.#refuseHead(new ProxyError('head-timeout'));
    } else if (this.#state === 'tunnel' && this.#downstream.bytesSent !== this.#sentBefore) {
      this.#sentBefore = this.#downstream.bytesSent;
      this.#await(settings.tunnelTimeout);
    } else if (this.#state === 'head' && this.#grace >= 0) this.#linger();
    else this.#socket.destroy();
  }

  /** A client that is not read from, since its backend is to take a long body first, may be gone as well. */
  askClient(): Promise<boolean> | null {
    const exchange = this.#exchange;
    const inDoubt = this.#halfClosed || this.#bodyPaused;
    if (exchange === null || !inDoubt || this.#context.settings.halfClosedClients === 'serve') return null;
    const answer = this.#questionOf(exchange).answer();
    this.#await(askAgainAfter);
    return answer;
  }

  #questionOf(exchange: Exchange): ClientQuestion {
    this.#question ??= new ClientQuestion(exchange, this.#downstream, this.#socket);
    return this.#question;
  }

  // Shutting down.

  drain(grace: number): void {
    this.#grace = grace;
    if (this.#state !== 'head' || this.#headBytes !== null) return;
    if (grace === 0) this.#linger();
    else this.#awaitRequest();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
