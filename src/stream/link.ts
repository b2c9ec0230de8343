// One upstream connection of `fifo` or `funnel`: connecting, then carrying the requests of many clients one behind the other.
import { performance } from 'node:perf_hooks';
import type { StreamSettings } from '../config/stream-config.js';
import type { ProxyError } from '../errors/proxy-error.js';
import type { StreamTarget } from '../model/stream-target.js';
import type { BackendTls } from '../upstream/dial.js';
import { formatProxyHeader } from '../upstream/proxy-header.js';
import { AnswerReader, type AnswerReaderOwner } from './answer-reader.js';
import { type DialUser, dialTarget } from './dial-target.js';
import type { Exchange } from './exchange-line.js';
import type { LinkPlace } from './link-places.js';
import { RequestBatch } from './request-batch.js';
import type { SendBuffer } from './send-buffer.js';
import type { StreamSocket, StreamUser } from './stream-socket.js';

/** The mode that a link belongs to. */
export interface LinkOwner {
  readonly settings: StreamSettings;
  readonly trust: BackendTls;
  readonly sendBuffer: SendBuffer;
  readonly now: number;
  /** Requests may be sent. @param milliseconds that connecting took */
  linkUp(link: Link, milliseconds: number): void;
  /** It could not be connected; it is of no use any more. */
  linkFailed(link: Link, error: ProxyError): void;
  /** It was connected and is no more. @param exchanges that it owes an answer to, the oldest first */
  linkLost(link: Link, error: Error | null, exchanges: readonly Exchange[]): void;
  /** An answer is complete. */
  linkAnswered(exchange: Exchange): void;
  /** It may have become free. */
  linkFree(link: Link): void;
  say(text: string): void;
}

/** Requests that may be out on a link that does not wait for answers; memory is bounded by it when a target says nothing. */
const mostOut = 4096;
/** Milliseconds that a target has to close a connection that we have closed. */
const parting = 1_000;

export class Link implements DialUser, StreamUser, AnswerReaderOwner {
  readonly target: StreamTarget;
  /** What allows it. */
  readonly place: LinkPlace;
  /** Not to be given requests any more: its target has left the list. */
  leaving = false;
  readonly #owner: LinkOwner;
  readonly #async: boolean;
  readonly #answers: AnswerReader;
  readonly #patience: number;
  readonly #begun = performance.now();
  #cancel: (() => void) | null;
  #side: StreamSocket | null = null;
  #blocked = false;
  #slow = false;
  #over = false;
  /** It was told good-bye: when it is cut if the target does not close in return; 0: it was not. */
  #closeBy = 0;
  /** Bytes are being parted into answers; none of them can belong to a request that is sent meanwhile. */
  #delivering = false;
  readonly #batch = new RequestBatch();
  #activeAt: number;

  /** Begins to connect. @param async requests are sent before earlier ones are answered */
  constructor(target: StreamTarget, place: LinkPlace, owner: LinkOwner, async: boolean) {
    const { settings } = owner;
    this.target = target;
    this.place = place;
    this.#owner = owner;
    this.#async = async;
    this.#answers = new AnswerReader(settings.framing, settings.maxMessage, this);
    this.#patience = settings.inactivityTimeout;
    this.#activeAt = owner.now;
    const version = target.sendProxyProtocol ?? settings.sendProxyProtocol;
    // The connection is nobody's in particular (PROXY protocol, sections 2.1 and 2.2: UNKNOWN, LOCAL).
    const preface = version === 'none' ? null : formatProxyHeader(version, null);
    this.#cancel = dialTarget(target, settings, owner.trust, preface, this);
  }

  /** It has never been connected. */
  get connecting(): boolean {
    return this.#side === null;
  }

  get isUp(): boolean {
    return this.#side !== null && !this.#over;
  }

  /** Requests whose answer is not complete. */
  get load(): number {
    return this.#answers.owed;
  }

  /** May be sent a request now. */
  get free(): boolean {
    if (!this.isUp || this.leaving || this.#delivering) return false;
    return this.#async ? !this.#blocked && this.#answers.owed < mostOut : this.#answers.owed === 0 && !this.#blocked;
  }

  /**
   * Sends a request; its answer goes to the exchange's asker.
   * @param request valid until this returns
   * @returns true: it is the first that waits for `flush`
   */
  send(exchange: Exchange, request: Buffer): boolean {
    this.#answers.expect(exchange);
    this.#activeAt = this.#owner.now;
    if (this.#async) {
      const first = this.#batch.isEmpty;
      if (this.#batch.add(request)) return first;
      this.flush();
      if (this.#batch.add(request)) return true;
    }
    const { sendBuffer } = this.#owner;
    const copy = sendBuffer.copy(request, 0, request.length, this.#slow);
    if (!this.#write(copy)) sendBuffer.lend(copy);
    return false;
  }

  /** Sends what was gathered. */
  flush(): void {
    if (!this.#batch.isEmpty && !this.#write(this.#batch.take())) this.#batch.lend();
  }

  connected(side: StreamSocket): void {
    this.#cancel = null;
    this.#side = side;
    side.user = this;
    this.#owner.linkUp(this, performance.now() - this.#begun);
  }

  failed(error: ProxyError): void {
    this.#cancel = null;
    this.#over = true;
    this.#owner.linkFailed(this, error);
  }

  received(_from: StreamSocket, bytes: Buffer): void {
    if (this.#over) return;
    this.#activeAt = this.#owner.now;
    this.#delivering = true;
    this.#answers.read(bytes);
    this.#delivering = false;
    if (!this.#over) this.#owner.linkFree(this);
  }

  answered(exchange: Exchange): void {
    this.#owner.linkAnswered(exchange);
  }

  silent(): void {
    if (!this.#over) this.#owner.linkFree(this);
  }

  say(text: string): void {
    this.#owner.say(text);
  }

  outOfStep(why: string): void {
    this.#owner.say(`the connection to ${this.target.origin} is given up: ${why}`);
    this.destroy(new Error(why));
  }

  ended(side: StreamSocket): void {
    // No more answers can come.
    this.#answers.end();
    side.destroy();
    this.#lost(null);
  }

  drained(): void {
    this.#blocked = false;
    if (!this.#over) this.#owner.linkFree(this);
  }

  closed(_side: StreamSocket, error: Error | null): void {
    this.#lost(error);
  }

  /** Told by the clock. */
  sweep(now: number): void {
    if (this.#closeBy !== 0 && now >= this.#closeBy) this.destroy(null);
    if (this.#patience === 0 || !this.isUp || now - this.#activeAt < this.#patience) return;
    this.destroy(this.#answers.owed > 0 ? new Error(`no answer in ${this.#patience} ms`) : null);
  }

  /**
   * Says good-bye, once it is not to be given requests and owes nothing any more. It is over when the target has closed in return,
   * so that one which bears few connections does not see the next one first.
   */
  part(): void {
    if (!this.isUp || this.#closeBy !== 0) return;
    this.#closeBy = this.#owner.now + parting;
    this.#side?.end();
  }

  /** Ends it; what it owes an answer to fails. */
  destroy(error: Error | null): void {
    if (this.#over) return;
    this.#cancel?.();
    this.#cancel = null;
    this.#side?.destroy();
    this.#lost(error);
  }

  #lost(error: Error | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.linkLost(this, error, this.#answers.stop());
  }

  #write(bytes: Buffer): boolean {
    const taken = (this.#side as StreamSocket).write(bytes);
    if (!taken) {
      this.#blocked = true;
      this.#slow = true;
    }
    return taken;
  }
}
