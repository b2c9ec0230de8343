// One attempt through the http-proxy package: feeds it the request, relays what it gets, translates how it fails.
import type { ClientRequest, IncomingMessage, InformationEvent } from 'node:http';
import type { Socket } from 'node:net';
import { ProxyError } from '../../errors/proxy-error.js';
import type { Upstream } from '../../exchange/downstream.js';
import type { Exchange } from '../../exchange/exchange.js';
import type { BodySink } from '../../exchange/request-body.js';
import { chunked, untilClose } from '../../http1/message.js';
import type { Backend } from '../../model/backend.js';
import type { AttemptReport } from '../engine.js';
import { outgoingPairs, outgoingTarget } from '../outgoing-head.js';
import { type RequestOwner, RequestStream, ResponseSignal } from './adapters.js';
import { answerHead, answerTrailers } from './answer-head.js';
import { classifyFailure, connectTimeout, type Progress } from './failures.js';
import { endedByReset, lookAgain, watchForReset } from './quiet-socket.js';
import type { HttpProxySettings } from './settings.js';
import { Tunnel, type TunnelOwner } from './tunnel.js';

const nothing = Buffer.alloc(0);

/** Connections that have carried a request: the next one may find them closed by the backend. */
const used = new WeakSet<Socket>();

export class HttpProxyAttempt implements RequestOwner, BodySink, Upstream, TunnelOwner {
  readonly stream: RequestStream<HttpProxyAttempt>;
  readonly signal = new ResponseSignal();

  readonly #settings: HttpProxySettings;
  readonly #exchange: Exchange;
  readonly #backend: Backend;
  readonly #report: AttemptReport;
  readonly #startOver: () => void;
  #request: ClientRequest | null = null;
  #socket: Socket | null = null;
  #answer: IncomingMessage | null = null;
  #progress: Progress = 'queued';
  #reused = false;
  /** `socket.bytesRead` when the request was sent: more means that an answer has begun. */
  #readBefore = 0;
  #connectTimer: NodeJS.Timeout | null = null;
  /** The client is slower than the backend; the answer rests until `resume`. */
  #blocked = false;
  /** The backend is slower than the client. */
  #bodyBlocked = false;
  #over = false;
  readonly #onSilence = () => this.#silent();

  /** @param startOver called when the connection was lost before anything was sent on it: asks for the same on a new one */
  constructor(settings: HttpProxySettings, exchange: Exchange, backend: Backend, report: AttemptReport, startOver: () => void) {
    this.#settings = settings;
    this.#exchange = exchange;
    this.#backend = backend;
    this.#report = report;
    this.#startOver = startOver;
    this.stream = new RequestStream<HttpProxyAttempt>(
      this,
      exchange.head.method,
      outgoingTarget(exchange),
      exchange.head.authority,
    );
    const limit = (exchange.limits ?? settings).connectTimeout;
    if (limit > 0) this.#connectTimer = setTimeout(() => this.#fail(connectTimeout(this.#progress, backend.origin)), limit);
  }

  // The request.

  /** A connection was assigned and nothing has been sent. Sets the head that the rest of the product decided on. */
  opened(request: ClientRequest, socket: Socket): void {
    if (this.#over) return;
    if (used.has(socket) && !socket.writable) {
      // The backend closed it a moment ago and the agent has not noticed: nothing is lost, not even for a POST.
      this.cut();
      this.#startOver();
      return;
    }
    this.#request = request;
    request.on('information', (start) => this.#interim(start));
    // Without a listener node:http would report an upgrade that nobody asked for as a hang-up.
    request.on('upgrade', (message, upgraded: Socket, early) => this.#upgraded(message, upgraded, early));
    try {
      this.#setHead(request);
    } catch (error) {
      this.#fail(new ProxyError('internal', 'node:http refused the request head', error));
      return;
    }
    this.#await(socket);
  }

  /** Follows the connection until it stands. */
  #await(socket: Socket): void {
    this.#socket = socket;
    if (used.has(socket)) {
      this.#reused = true;
      this.#ready();
      return;
    }
    watchForReset(socket);
    this.#progress = 'connecting';
    if (this.#backend.scheme === 'https') {
      socket.once('connect', () => {
        if (!this.#over) this.#progress = 'securing';
      });
    }
    socket.once(this.#backend.scheme === 'https' ? 'secureConnect' : 'connect', () => this.#ready());
  }

  /** The connection stands: the body may flow. Not before, since what has been let go of cannot go to another backend. */
  #ready(): void {
    if (this.#over) return;
    const socket = this.#socket as Socket;
    used.add(socket);
    this.#progress = 'sent';
    this.#readBefore = socket.bytesRead;
    this.#clearConnectTimer();
    this.#exchange.sentAt = performance.now();
    const limit = this.#backendTimeout;
    if (limit > 0) {
      socket.setTimeout(limit);
      socket.on('timeout', this.#onSilence);
    }
    if (this.#exchange.body.length === 0) this.stream.push(null);
    else this.#exchange.body.attach(this);
  }

  /** The package has set names in lower case, `Connection` and a rewritten target; all of it is replaced. */
  #setHead(request: ClientRequest): void {
    const { head } = this.#exchange;
    request.path = outgoingTarget(this.#exchange);
    for (const name of request.getRawHeaderNames()) request.removeHeader(name);
    // What has been removed expressly is not made up again: the framing is the client's.
    request.removeHeader('Content-Length');
    request.removeHeader('Transfer-Encoding');
    if (request.shouldKeepAlive) request.removeHeader('Connection');
    const pairs = outgoingPairs(this.#exchange, this.#settings);
    for (let at = 0; at < pairs.length; at += 2) {
      const name = pairs[at] as string;
      // node:http refuses to announce trailers for a body that is not chunked; there cannot be any.
      if (head.body !== chunked && name.toLowerCase() === 'trailer') continue;
      request.appendHeader(name, pairs[at + 1] as string);
    }
    if (head.body === chunked) request.setHeader('Transfer-Encoding', 'chunked');
    // An empty write sends the head as latin1; flushHeaders() would send it as UTF-8. Without a body end() does it.
    if (head.body !== 0) request.write('', 'latin1');
  }

  bodyWanted(): void {
    if (!this.#bodyBlocked || this.#over) return;
    this.#bodyBlocked = false;
    this.#exchange.body.resume();
  }

  bodyData(chunk: Buffer): boolean {
    if (this.stream.push(chunk)) return true;
    this.#bodyBlocked = true;
    return false;
  }

  bodyEnd(trailers: string): void {
    if (trailers !== '') {
      const pairs = trailers
        .split('\r\n')
        .filter((line) => line !== '')
        .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
      this.#request?.addTrailers(pairs);
    }
    this.stream.push(null);
  }

  // The answer.

  #interim(start: InformationEvent): void {
    if (this.#over) return;
    const head = answerHead(start, this.#settings, this.#exchange.head.method);
    if (head instanceof ProxyError) this.#fail(head);
    else if (head.status === 101) this.#fail(new ProxyError('backend-bad-response', '101 without Upgrade'));
    else this.#exchange.downstream.interim(head);
  }

  /** The final head of an answer that is no switch of protocols. */
  answered(message: IncomingMessage): void {
    if (this.#over) return;
    const exchange = this.#exchange;
    const received = answerHead(message, this.#settings, exchange.head.method);
    if (received instanceof ProxyError) {
      this.#fail(received);
      return;
    }
    const head = this.#report.answered(exchange, this.#backend, received);
    if (head === null) {
      this.#fail(new ProxyError('backend-discarded', `${this.#backend.origin} answered ${received.status}`));
      message.destroy();
      return;
    }
    this.#progress = 'relaying';
    this.#answer = message;
    message.on('data', (chunk: Buffer) => {
      if (!this.#over) this.#pace(exchange.downstream.write(chunk, 0, chunk.length, false));
    });
    message.on('end', () => this.#answerEnded(message, received.body === untilClose, head.body !== 0));
    message.on('error', (error) => this.failed(error));
    this.#pace(exchange.downstream.begin(head, exchange.responseLines, nothing, 0, 0, head.body === 0));
  }

  #answerEnded(message: IncomingMessage, endsByClose: boolean, hasBody: boolean): void {
    if (this.#over) return;
    // A body that ends with the connection must not look complete.
    if (!message.complete || (endsByClose && endedByReset(this.#socket as Socket))) {
      this.#fail(new ProxyError('backend-cut-body', this.#backend.origin));
      return;
    }
    if (hasBody) this.#exchange.downstream.end(answerTrailers(message.rawTrailers));
    // A backend that did not take the whole request cannot be sent another one on this connection.
    const { body } = this.#exchange;
    const sent = body.complete && this.#request?.writableFinished === true;
    this.#leave();
    if (!sent) this.signal.giveUp();
    if (!body.complete) body.discard();
    this.#report.ended(this.#exchange, this.#backend);
  }

  #pace(flowing: boolean): void {
    this.#blocked = !flowing;
    if (!flowing) this.#answer?.pause();
  }

  resume(): void {
    if (this.#over || !this.#blocked) return;
    this.#blocked = false;
    this.#answer?.resume();
  }

  /** The backend switched protocols. */
  #upgraded(message: IncomingMessage, socket: Socket, early: Buffer): void {
    const exchange = this.#exchange;
    const received =
      exchange.upgrade === ''
        ? new ProxyError('backend-bad-response', `${this.#backend.origin}: ${message.statusCode} without a request for it`)
        : answerHead(message, this.#settings, exchange.head.method);
    if (this.#over || received instanceof ProxyError) {
      socket.destroy();
      if (received instanceof ProxyError) this.#fail(received);
      return;
    }
    const head = this.#report.answered(exchange, this.#backend, received);
    if (head === null) {
      socket.destroy();
      this.#fail(new ProxyError('backend-discarded', `${this.#backend.origin} answered ${received.status}`));
      return;
    }
    this.#progress = 'relaying';
    socket.removeListener('timeout', this.#onSilence);
    const tunnel = new Tunnel(exchange, socket, this);
    exchange.tunnel = true;
    exchange.upstream = tunnel;
    exchange.body.becomeTunnel(tunnel);
    exchange.downstream.switchProtocols(head, exchange.responseLines);
    tunnel.open(early);
  }

  tunnelEnded(): void {
    this.#leave();
    this.#report.ended(this.#exchange, this.#backend);
  }

  tunnelBroken(error: Error | null): void {
    this.#fail(classifyFailure(error, 'relaying', false, this.#backend.origin));
  }

  // Failing.

  /** The package or node:http reports an error. */
  failed(error: Error): void {
    if (this.#over) return;
    // Over TLS bytes come that are no answer (session tickets), so there it cannot be told.
    const counts = this.#progress === 'sent' && this.#backend.scheme === 'http';
    const progress = counts && (this.#socket?.bytesRead ?? 0) > this.#readBefore ? 'answering' : this.#progress;
    this.#fail(classifyFailure(error, progress, this.#reused, this.#backend.origin));
  }

  get #backendTimeout(): number {
    return (this.#exchange.limits ?? this.#settings).backendTimeout;
  }

  /** Nothing moved on the connection for `backendTimeout`. */
  #silent(): void {
    if (this.#over) return;
    const waitsForClient = this.#blocked || (!this.#exchange.body.complete && !this.#bodyBlocked);
    if (waitsForClient) this.#socket?.setTimeout(this.#backendTimeout);
    else lookAgain(this.#socket as Socket, this.#looked);
  }

  readonly #looked = (isSilent: boolean): void => {
    if (this.#over) return;
    if (isSilent)
      this.#fail(new ProxyError('backend-timeout', `${this.#backend.origin} was silent for ${this.#backendTimeout} ms`));
    else this.#socket?.setTimeout(this.#backendTimeout);
  };

  cut(): void {
    if (this.#over) return;
    this.#leave();
    this.signal.giveUp();
  }

  #fail(error: ProxyError): void {
    if (this.#over) return;
    this.#leave();
    this.signal.giveUp();
    this.#report.failed(this.#exchange, this.#backend, error);
  }

  #leave(): void {
    this.#over = true;
    this.#exchange.upstream = null;
    this.#exchange.body.detach();
    this.#clearConnectTimer();
    this.#socket?.removeListener('timeout', this.#onSilence);
  }

  #clearConnectTimer(): void {
    if (this.#connectTimer !== null) clearTimeout(this.#connectTimer);
    this.#connectTimer = null;
  }
}
