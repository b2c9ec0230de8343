// One client connection speaking HTTP/2: its streams, its deadlines, and what it is ended for. Loaded when the first one comes.
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { SweepList } from '../base/sweep-list.js';
import type { Client } from '../exchange/client.js';
import { RequestBody } from '../exchange/request-body.js';
import { useOwnTables } from '../http2/session-tables.js';
import type { Http2Abuse } from '../observe/metrics.js';
import type { ConnectionContext } from './connection-context.js';
import type { ListedConnection } from './connections.js';
import { Http2Guard } from './http2-guard.js';
import { onFaults } from './http2-session-error.js';
import { Http2Stream, type StreamOwner } from './http2-stream.js';

/** Bytes that a client may send of one body, and of all of a connection, before they are taken. */
const streamWindow = 256 * 1024;
const sessionWindow = 512 * 1024;

/**
 * Fields beyond the limits are answered with 431, for which they have to be read: up to twice as many bytes, and so many
 * fields more, since browsers send a field a cookie. What is larger is reset by node:http2 without a word.
 */
const fieldsBeyond = 512;
/** What HTTP/2 adds to each field when it counts their size (RFC 9113 section 6.5.2). */
const fieldOverhead = 32;

/** Where any number of frames is allowed. */
const anyNumber = 2 ** 31 - 1;

/**
 * After this part of the silence that a client is allowed in a body it is asked whether it is there (PING), if it has requests that run,
 * and after as much again it is given up. Clients that have vanished would else be waited for, and those whose connection nghttp2
 * has ended for a fault, of which it tells nobody but them.
 */
const partOfSilence = 1 / 3;

const nothing = { pauseBody() {}, resumeBody() {} };
/** Milliseconds from the last word to a client that is sent away to the end of its connection. */
const farewell = 500;

const giveUp = (stream: Http2Stream): void => stream.abort(constants.NGHTTP2_CANCEL);
const visit = (stream: Http2Stream, now: number): void => stream.sweep(now);

export class Http2Connection implements ListedConnection, StreamOwner {
  slot = -1;
  /** Looked at by each tick of the clock. */
  deadline = 1;
  readonly client: Client;
  readonly context: ConnectionContext;
  readonly guard: Http2Guard;

  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #streams = new SweepList<Http2Stream>();
  /** Shared by all requests without a body: nothing of it ever changes. */
  readonly #noBody = new RequestBody(0, nothing, 0);
  readonly #addHeld = (stream: Http2Stream): void => {
    this.#held += stream.held;
  };
  #requests = 0;
  /** Since when it has no stream. */
  #idleSince: number;
  /** Bytes that had come when they were last looked at, and when the last one came. */
  #received = 0;
  #heardAt: number;
  #asked = false;
  /** Bytes of bodies that wait in their streams, as of the last tick. */
  #held = 0;
  /** It was sent away: when it is closed. */
  #closesAt = 0;
  #over = false;

  /** @param socket the clear side; bytes that were read from it already have been put back */
  constructor(socket: Socket, client: Client, context: ConnectionContext) {
    const { settings, metrics, connections, clock } = context;
    this.client = client;
    this.context = context;
    this.guard = new Http2Guard(settings, clock.now);
    this.#socket = socket;
    this.#idleSince = clock.now;
    this.#heardAt = clock.now;
    metrics.http2Sessions++;
    metrics.http2Open++;
    const session = performServerHandshake(socket, {
      maxHeaderListPairs: settings.maxHeaderCount + fieldsBeyond,
      // Empty frames of data, and frames that are malformed.
      maxSessionInvalidFrames: settings.http2ControlFrames > 0 ? settings.http2ControlFrames : anyNumber,
      settings: {
        enableConnectProtocol: true,
        initialWindowSize: streamWindow,
        maxHeaderListSize: settings.maxHeadBytes * 2 + (settings.maxHeaderCount + fieldsBeyond) * fieldOverhead,
        ...(settings.http2Streams > 0 ? { maxConcurrentStreams: settings.http2Streams } : {}),
      },
    });
    this.#session = session;
    useOwnTables(session);
    onFaults(session, (code) => this.#dismiss('protocol', code));
    session.setLocalWindowSize(sessionWindow);
    const opened = (stream: ServerHttp2Stream, _fields: unknown, flags: number, raw: readonly string[]): void =>
      this.#opened(stream, flags, raw);
    session.on('stream', opened);
    session.on('ping', () => this.#judge(this.guard.controlFrame()));
    session.on('remoteSettings', () => this.#judge(this.guard.controlFrame()));
    session.on('error', () => {});
    session.on('close', () => this.#closed());
    // Whoever sends no more cannot even make room for its answers: it has gone.
    socket.on('end', () => this.destroy());
    connections.add(this);
  }

  get peer(): string {
    return this.client.address;
  }

  #opened(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const { requestsPerConnection } = this.context.settings;
    this.#requests++;
    this.guard.request();
    const opened = new Http2Stream(stream, ended, this);
    // Those that were reset in the same moment never reach the pipeline: they are what a flood is made of.
    if (stream.destroyed || stream.closed) return;
    this.#streams.add(opened);
    opened.begin(raw, this.#noBody);
    if (requestsPerConnection > 0 && this.#requests >= requestsPerConnection) this.#finish();
  }

  exchangeEnded(last: boolean): void {
    if (last) this.#finish();
  }

  streamClosed(stream: Http2Stream, reset: boolean): void {
    this.#streams.remove(stream);
    if (!stream.received) this.guard.dropped(streamWindow);
    if (this.#streams.size === 0) this.#idleSince = this.context.clock.now;
    if (reset) this.#judge(this.guard.reset());
  }

  /** Ends a connection that costs too much, as RFC 9113 section 10.5 allows. */
  #judge(abuse: Http2Abuse | null): void {
    if (abuse !== null) this.#dismiss(abuse, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /**
   * Says why, and reads no more. Closing at once, with bytes unread, would reset the connection and might destroy what was said.
   * @param code of GOAWAY
   */
  #dismiss(abuse: Http2Abuse, code: number): void {
    if (this.#over) return;
    this.#over = true;
    this.context.metrics.http2Abuses[abuse]++;
    this.#closesAt = this.context.clock.now + farewell;
    this.#session.goaway(code);
    this.#streams.each(giveUp);
    (this.#socket as Socket & { _handle?: { readStop?: () => void } | null })._handle?.readStop?.();
  }

  #closed(): void {
    this.#over = true;
    this.context.metrics.http2Open--;
    this.context.connections.remove(this);
  }

  /** Takes no further streams; closes with the last one. */
  #finish(): void {
    if (!this.#session.closed && !this.#session.destroyed) this.#session.close();
  }

  expired(now: number): void {
    if (this.#over) {
      if (now >= this.#closesAt) this.destroy();
      return;
    }
    const received = this.#socket.bytesRead;
    this.#held = 0;
    this.#streams.each(this.#addHeld);
    this.#judge(this.guard.sweep(now, received, this.#held));
    if (this.#over) return;
    this.#streams.each(visit, now);
    this.#ask(now, received);
    if (this.#over) return;
    const { idleTimeout, headTimeout } = this.context.settings;
    const patience = this.#requests === 0 ? headTimeout : idleTimeout;
    if (this.#streams.size > 0 || patience === 0 || now < this.#idleSince + patience) return;
    // A client that does not even close its side is not waited for.
    if (this.#session.closed) this.destroy();
    else this.#finish();
    this.#idleSince = now;
  }

  #ask(now: number, received: number): void {
    if (received !== this.#received || this.#streams.size === 0 || this.context.settings.bodyTimeout === 0) {
      this.#received = received;
      this.#heardAt = now;
      this.#asked = false;
    } else if (now < this.#heardAt + this.context.settings.bodyTimeout * partOfSilence) return;
    else if (this.#asked) this.destroy();
    else {
      this.#asked = true;
      this.#heardAt = now;
      this.#session.ping(() => {});
    }
  }

  /**
   * GOAWAY tells which requests are served still (RFC 9113 section 6.8): one that crosses it was not processed, as the client can see, and is
   * sent again on another connection. So nobody has to be waited for, as in HTTP/1.1.
   */
  drain(): void {
    this.#finish();
  }

  destroy(): void {
    this.#over = true;
    if (!this.#session.destroyed) this.#session.destroy();
    this.#socket.destroy();
  }
}
