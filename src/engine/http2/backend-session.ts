// One HTTP/2 connection to a backend: connecting, carrying streams, or on its way out.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { classifyConnectError } from '../../errors/classify.js';
import { ProxyError } from '../../errors/proxy-error.js';
import type { HeadLimits } from '../../http1/head-lines.js';
import type { SentFields } from '../../http2/sent-fields.js';
import { useOwnTables } from '../../http2/session-tables.js';
import { type Backend, speaksTls } from '../../model/backend.js';
import { dial } from '../../upstream/dial.js';
import type { PoolSettings } from '../../upstream/pool.js';

/** What a connection tells its pool. */
export interface SessionOwner {
  /** It has room for a stream: it has just connected, was told of more room, or a stream has ended. */
  hasRoom(): void;
  /** It is gone. @param error why it never came to be; null: it did */
  closed(session: BackendSession, error: ProxyError | null): void;
}

/** Bytes that a backend may send of one answer before the client has taken them. */
const streamWindow = 256 * 1024;
/** How many streams are opened where a backend names no bound of its own. */
const usualStreams = 1_000;
/** What HTTP/2 adds to each field when it counts their size (RFC 9113 section 6.5.2). */
const fieldOverhead = 32;

export class BackendSession {
  readonly backend: Backend;
  /** Streams that are open. */
  streams = 0;
  ready = false;
  /** Coarse milliseconds since when it carries nothing. */
  idleSince = 0;
  /** The last stream that the backend promises to have taken up (GOAWAY). */
  lastTaken = Number.POSITIVE_INFINITY;

  readonly #socket: Socket;
  readonly #owner: SessionOwner;
  #session: ClientHttp2Session | null = null;
  #mostStreams = 0;
  #leaving = false;
  #closed = false;
  #error: Error | null = null;
  readonly #clock: { readonly now: number };
  readonly #keepAlive: boolean;

  constructor(
    backend: Backend,
    owner: SessionOwner,
    settings: Pick<PoolSettings, 'trust' | 'httpKeepAlive'> & HeadLimits,
    clock: { readonly now: number },
  ) {
    this.backend = backend;
    this.#owner = owner;
    this.#clock = clock;
    this.#keepAlive = settings.httpKeepAlive;
    const socket = dial(backend, null, settings.trust);
    this.#socket = socket;
    const connected = speaksTls(backend) ? 'secureConnect' : 'connect';
    socket.once(connected, () => this.#begin(settings));
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('close', () => this.#gone());
  }

  get usable(): boolean {
    return this.ready && !this.#leaving && !this.#closed && this.streams < this.#mostStreams;
  }

  /** Whether extended CONNECT may be used (RFC 8441). */
  get opensTunnels(): boolean {
    return this.#session?.remoteSettings?.enableConnectProtocol === true;
  }

  /** Opens a stream. Only while `usable`. */
  request(fields: SentFields, endStream: boolean, waitForTrailers: boolean): ClientHttp2Stream {
    const session = this.#session as ClientHttp2Session;
    const stream = session.request(fields, { endStream, waitForTrailers });
    this.streams++;
    stream.on('close', () => {
      this.streams--;
      if (this.streams === 0) this.idleSince = this.#clock.now;
      if (!this.#keepAlive) this.leave();
      this.#owner.hasRoom();
    });
    // GOAWAY at once would come before the request.
    if (!this.#keepAlive) this.#leaving = true;
    return stream;
  }

  /** Takes no further streams; closes with the last one. */
  leave(): void {
    this.#leaving = true;
    if (this.#session === null) this.#socket.destroy();
    else if (!this.#session.closed) this.#session.close();
  }

  destroy(): void {
    this.#leaving = true;
    this.#socket.destroy();
  }

  #begin(limits: HeadLimits): void {
    const { backend } = this;
    if (speaksTls(backend) && (this.#socket as TLSSocket).alpnProtocol !== 'h2') {
      this.#error = new ProxyError('backend-tls-failed', `${backend.origin} does not offer HTTP/2 by ALPN`);
      this.#socket.destroy();
      return;
    }
    const session = connect(`${speaksTls(backend) ? 'https' : 'http'}://backend`, {
      createConnection: () => this.#socket,
      maxHeaderListPairs: limits.maxHeaderCount + 8,
      peerMaxConcurrentStreams: usualStreams,
      settings: {
        enablePush: false,
        initialWindowSize: streamWindow,
        maxHeaderListSize: limits.maxHeadBytes + limits.maxHeaderCount * fieldOverhead,
      },
    });
    this.#session = session;
    useOwnTables(session);
    session.setMaxListeners(0);
    session.on('remoteSettings', ({ maxConcurrentStreams }) => {
      // Its first SETTINGS show that it speaks HTTP/2 (RFC 9113 section 3.4).
      this.ready = true;
      this.idleSince = this.#clock.now;
      this.#mostStreams = Math.min(maxConcurrentStreams ?? usualStreams, usualStreams);
      this.#owner.hasRoom();
    });
    session.on('goaway', (code, lastStream) => {
      this.#leaving = true;
      if (code !== constants.NGHTTP2_NO_ERROR || lastStream < 2 ** 31 - 1) this.lastTaken = lastStream;
    });
    session.on('error', (error) => {
      this.#error ??= error;
    });
    session.on('close', () => this.#socket.destroy());
  }

  #gone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.closed(this, this.ready ? null : this.#failure());
  }

  #failure(): ProxyError {
    const { origin } = this.backend;
    const error = this.#error;
    if (this.#session === null) return classifyConnectError(error ?? new Error('closed'), origin, this.#isSecuring());
    return new ProxyError('backend-unreachable', `${origin} does not speak HTTP/2`, error ?? undefined);
  }

  /** TCP stood, and TLS did not yet. */
  #isSecuring(): boolean {
    return speaksTls(this.backend) && this.#socket.bytesWritten > 0;
  }
}
