// One upstream connection of `fifo` or `funnel`: connecting, then carrying the requests of many clients one behind the other, and
// giving each answer to the client whose request is the oldest one out.
import { performance } from 'node:perf_hooks';
import type { StreamSettings } from '../config/stream-config.js';
import type { ProxyError } from '../errors/proxy-error.js';
import { formatProxyHeader } from '../listener/proxy-protocol.js';
import type { StreamTarget } from '../model/stream-target.js';
import type { BackendTls } from '../upstream/dial.js';
import { type DialUser, dialTarget } from './dial-target.js';
import { type Asker, type Exchange, Line } from './exchange-line.js';
import { createScanner, silenceOf } from './framing/create-scanner.js';
import { broken, type FrameScanner, unfinished } from './framing/framing.js';
import { fullRead } from './framing/message-reader.js';
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

export class Link implements DialUser, StreamUser {
  readonly target: StreamTarget;
  /** What allows it. */
  readonly place: LinkPlace;
  /** Not to be given requests any more: its target has left the list. */
  leaving = false;
  readonly #owner: LinkOwner;
  readonly #async: boolean;
  readonly #out = new Line<Exchange>();
  readonly #scanner: FrameScanner | null;
  readonly #silence: number;
  readonly #patience: number;
  readonly #maxMessage: number;
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
  /** Where silence ends answers: who got the last one, and is given what comes late. */
  #latest: Asker | null = null;
  #turnEnd: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #activeAt: number;

  /** Begins to connect. @param async requests are sent before earlier ones are answered */
  constructor(target: StreamTarget, place: LinkPlace, owner: LinkOwner, async: boolean) {
    const { settings } = owner;
    this.target = target;
    this.place = place;
    this.#owner = owner;
    this.#async = async;
    this.#scanner = createScanner(settings.framing, 'response');
    this.#silence = silenceOf(settings.framing);
    this.#patience = settings.inactivityTimeout;
    this.#maxMessage = settings.maxMessage;
    this.#activeAt = owner.now;
    this.#cancel = dialTarget(target, settings, owner.trust, this);
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
    return this.#out.length;
  }

  /** May be sent a request now. */
  get free(): boolean {
    if (!this.isUp || this.leaving || this.#delivering) return false;
    return this.#async ? !this.#blocked && this.#out.length < mostOut : this.#out.length === 0 && !this.#blocked;
  }

  /**
   * Sends a request; its answer goes to the exchange's asker.
   * @param request valid until this returns
   * @returns true: it is the first that waits for `flush`
   */
  send(exchange: Exchange, request: Buffer): boolean {
    this.#out.join(exchange);
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
    const { sendProxyProtocol } = this.#owner.settings;
    // The connection is nobody's in particular (PROXY protocol, sections 2.1 and 2.2: UNKNOWN, LOCAL).
    if (sendProxyProtocol !== 'none') this.#write(formatProxyHeader(sendProxyProtocol, null));
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
    if (this.#scanner === null) this.#receivedUntilSilence(bytes);
    else this.#receivedFramed(bytes, this.#scanner);
    this.#delivering = false;
    if (!this.#over) this.#owner.linkFree(this);
  }

  /** Several answers to one client leave in one write. */
  #receivedFramed(bytes: Buffer, scanner: FrameScanner): void {
    let start = 0;
    let runStart = 0;
    let run: Asker | null = null;
    while (start < bytes.length && !this.#over) {
      const end = scanner.scan(bytes, start, bytes.length);
      const exchange = this.#out.first;
      const alone = scanner.alone;
      if (end === broken || (exchange === undefined && !alone)) {
        run?.answer(bytes, runStart, start);
        this.#outOfStep(end === broken ? scanner.fault : 'it sent an answer that nobody had asked for');
        return;
      }
      const to = end === unfinished ? bytes.length : end;
      if (alone || exchange === undefined || run !== exchange.asker) {
        run?.answer(bytes, runStart, start);
        run = alone || exchange === undefined ? null : exchange.asker;
        runStart = start;
      }
      if (!alone && exchange !== undefined) {
        exchange.answered += to - start;
        this.#copyForTaker(exchange, bytes, start, to);
        if (exchange.answered > this.#maxMessage) this.#tooLarge(exchange);
        if (end !== unfinished) {
          // Written before it is called complete, so that a client which ends behind its last answer has it.
          if (this.#out.second?.asker !== run) {
            run?.answer(bytes, runStart, to);
            run = null;
          }
          this.#complete();
        }
      }
      start = to;
    }
    run?.answer(bytes, runStart, start);
  }

  #receivedUntilSilence(bytes: Buffer): void {
    const exchange = this.#out.first;
    if (exchange === undefined) {
      // A late piece of the last answer: where silence is the rule, this is all that it can be.
      this.#latest?.answer(bytes, 0, bytes.length);
      return;
    }
    exchange.answered += bytes.length;
    exchange.asker.answer(bytes, 0, bytes.length);
    this.#copyForTaker(exchange, bytes, 0, bytes.length);
    if (exchange.answered > this.#maxMessage) this.#tooLarge(exchange);
    if (this.#silence > 0) {
      if (this.#timer === null) this.#timer = setTimeout(() => this.#silentAtLast(), this.#silence);
      else this.#timer.refresh();
    } else if (bytes.length < fullRead && this.#turnEnd === null) {
      this.#silent();
    } else {
      // What was there to be read at once is read in this turn of the event loop.
      this.#turnEnd ??= setImmediate(() => this.#silentAtLast());
    }
  }

  #silent(): void {
    const exchange = this.#out.first;
    if (exchange === undefined || exchange.answered === 0) return;
    this.#latest = exchange.asker;
    this.#complete();
  }

  #silentAtLast(): void {
    this.#turnEnd = null;
    if (this.#over) return;
    this.#silent();
    this.#owner.linkFree(this);
  }

  #complete(): void {
    const exchange = this.#out.leave() as Exchange;
    const { taker, pieces } = exchange;
    if (taker !== null) taker.answered(pieces?.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces ?? []));
    exchange.taker = null;
    exchange.asker.answeredWhole();
    this.#owner.linkAnswered(exchange);
  }

  /** Its client is closed; the rest of the answer is read and thrown away. */
  #tooLarge(exchange: Exchange): void {
    if (exchange.asker.gone || this.#scanner === null) return;
    this.#owner.say(`a client is closed: an answer has more than ${this.#maxMessage} bytes`);
    exchange.taker?.failed(new Error(`an answer has more than ${this.#maxMessage} bytes`));
    exchange.taker = null;
    exchange.asker.cut();
  }

  #copyForTaker(exchange: Exchange, bytes: Buffer, start: number, end: number): void {
    if (exchange.taker === null) return;
    exchange.pieces ??= [];
    exchange.pieces.push(Buffer.from(bytes.subarray(start, end)));
  }

  /** Which answer belongs to whom cannot be told any more. */
  #outOfStep(why: string): void {
    this.#owner.say(`the connection to ${this.target.origin} is given up: ${why}`);
    this.destroy(new Error(why));
  }

  ended(side: StreamSocket): void {
    // No more answers can come.
    if (this.#silence > 0 || this.#turnEnd !== null) this.#silent();
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
    this.destroy(this.#out.length > 0 ? new Error(`no answer in ${this.#patience} ms`) : null);
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
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#turnEnd !== null) clearImmediate(this.#turnEnd);
    this.#owner.linkLost(this, error, this.#out.empty());
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
