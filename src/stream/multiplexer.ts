// The engine of `fifo` and `funnel`: many clients, a bounded number of upstream connections, one line of requests between them.
//
// A request goes to a connection that is free, in the order of their coming. What a client asks goes over one connection at a
// time, so that its requests are carried out, and answered, in its order.
import type { Sweepable } from '../base/clock.js';
import type { StreamSettings } from '../config/stream-config.js';
import type { ProxyError } from '../errors/proxy-error.js';
import type { StreamPlan } from '../model/stream.js';
import { Exchange, Line } from './exchange-line.js';
import { LineClient, type LineClientOwner } from './line-client.js';
import type { Link } from './link.js';
import { Links, type LinksOwner, type LinksShape } from './links.js';
import type { SendBuffer } from './send-buffer.js';
import type { StreamMode, StreamModeParts } from './stream.js';
import type { StreamClient } from './stream-client.js';

/** So many requests of clients that have left may stay in the line, and as many as there are others besides. */
const mostGone = 64;
const noBytes = Buffer.alloc(0);

export class Multiplexer implements StreamMode, LineClientOwner, LinksOwner, Sweepable {
  settings: StreamSettings;
  readonly sendBuffer: SendBuffer;
  readonly #parts: StreamModeParts;
  readonly #links: Links;
  readonly #clients = new Set<LineClient>();
  readonly #line = new Line<Exchange<LineClient>>();
  /** Clients with requests that were held back and may be sent: they are older than all in the line. */
  readonly #ready = new Line<LineClient>();
  /** Links with requests that leave together at the end of the turn. */
  #gathering: Link[] = [];
  #waitingBytes = 0;
  /** Requests in the line whose clients have left. */
  #goneInLine = 0;
  #pumping = false;
  readonly #endListening: () => void;
  #retired = false;

  constructor(parts: StreamModeParts, shape: LinksShape) {
    this.#parts = parts;
    this.settings = parts.plan.settings;
    this.#links = new Links(parts, shape, this);
    this.sendBuffer = this.#links.sendBuffer;
    parts.clock.add(this);
    this.#endListening = parts.targets.onFree(() => this.linksFree());
  }

  get now(): number {
    return this.#parts.clock.now;
  }

  get clientPatience(): number {
    return this.#parts.clientsMayIdle === true ? 0 : this.settings.inactivityTimeout;
  }

  get waiting(): number {
    return this.#line.length - this.#goneInLine + this.#ready.length;
  }

  accept(socket: StreamClient): void {
    const client = new LineClient(socket, this);
    this.#clients.add(client);
    client.start();
  }

  update(plan: StreamPlan): void {
    const before = this.settings;
    this.settings = plan.settings;
    this.#links.update(plan);
    const same = JSON.stringify(before.framing) === JSON.stringify(plan.settings.framing) && before.async === plan.settings.async;
    if (!same) {
      // What was begun by one rule cannot be read on by another.
      this.say('the framing has changed; connections of before are closed');
      for (const client of this.#clients) client.finish('cut');
      this.#links.reset();
    }
    this.linksFree();
  }

  retire(): void {
    this.#retired = true;
    if (this.#clients.size === 0) this.close();
  }

  close(): void {
    for (const client of this.#clients) client.finish('cut');
    this.#endListening();
    this.#parts.clock.remove(this);
    this.#links.close();
  }

  /** Opens all connections; resolves when they are there, rejects with a ProxyError when one cannot be made. */
  warmUp(): Promise<void> {
    return this.#links.warmUp();
  }

  sweep(now: number): void {
    this.#links.sweep(now);
  }

  asked(client: LineClient, request: Buffer, kept: boolean, ownAnswer: string, last: boolean): void {
    const exchange = new Exchange(client, noBytes, ownAnswer, last);
    // Where nobody is in front of it no copy has to be made.
    if (this.#line.length === 0 && this.#ready.length === 0 && this.#inOrder(client, exchange)) {
      if (ownAnswer !== '') {
        client.answerOwn(ownAnswer, last);
        return;
      }
      const link = this.#linkFor(client);
      if (link !== null) {
        this.#send(exchange, request, link);
        return;
      }
    }
    exchange.request = kept ? request : Buffer.from(request);
    this.#line.join(exchange);
    client.joined(exchange);
    this.linksFree();
  }

  waits(difference: number): boolean {
    this.#waitingBytes += difference;
    return this.#waitingBytes <= this.settings.maxWaiting;
  }

  ready(client: LineClient): void {
    this.#ready.join(client);
  }

  left(client: LineClient, waiting: number): void {
    if (!this.#clients.delete(client)) return;
    this.#goneInLine += waiting - client.held.empty().length;
    if (this.#goneInLine > mostGone && this.#goneInLine * 2 > this.#line.length) {
      this.#line.keep(({ asker }) => !asker.gone);
      this.#goneInLine = 0;
    }
    if (this.#retired && this.#clients.size === 0) this.close();
  }

  say(text: string): void {
    this.#links.say(text);
  }

  noTarget(error: ProxyError, news: boolean): void {
    this.#parts.observer?.targetFailed(error);
    if (news) this.say(`no target can be connected to; clients that wait are closed: ${error.message}`);
    for (const client of this.#clients) if (client.waits) client.finish('no-target');
  }

  /** Sends whatever can be sent. */
  linksFree(): void {
    // Sending may end a client, and that may free others: the loop that runs sees them.
    if (this.#pumping) return;
    this.#pumping = true;
    const stuck = !this.#sendReady() || !this.#sendLine();
    this.#pumping = false;
    if (stuck) this.#links.check();
  }

  /** @returns false: something waits for a connection */
  #sendReady(): boolean {
    for (let client = this.#ready.first; client !== undefined; client = this.#ready.first) {
      if (!this.#sendHeld(client)) return false;
      this.#ready.leave();
    }
    return true;
  }

  #sendHeld(client: LineClient): boolean {
    const { held } = client;
    for (let exchange = held.first; exchange !== undefined && !client.gone; exchange = held.first) {
      if (client.choked) return true;
      if (client.out > 0 && (exchange.ownAnswer !== '' || !this.#mayFollow(client))) return true;
      const link = exchange.ownAnswer === '' ? this.#linkFor(client) : null;
      if (link === null && exchange.ownAnswer === '') return false;
      held.leave();
      this.#settle(exchange, link);
    }
    return true;
  }

  #sendLine(): boolean {
    const line = this.#line;
    for (let exchange = line.first; exchange !== undefined; exchange = line.first) {
      const { asker } = exchange;
      if (asker.gone) {
        line.leave();
        this.#goneInLine--;
      } else if (!this.#inOrder(asker, exchange)) {
        line.leave();
        asker.held.join(exchange);
      } else {
        const link = exchange.ownAnswer === '' ? this.#linkFor(asker) : null;
        if (link === null && exchange.ownAnswer === '') return false;
        line.leave();
        this.#settle(exchange, link);
      }
    }
    return true;
  }

  /** It may be sent without overtaking what the same client asked before. */
  #inOrder(client: LineClient, { ownAnswer }: Exchange): boolean {
    if (client.held.length > 0 || client.choked) return false;
    return client.out === 0 || (ownAnswer === '' && this.#mayFollow(client));
  }

  /** A further request may go behind those of the client that are out. */
  #mayFollow({ link }: LineClient): boolean {
    return this.#links.isAsync && link?.free === true;
  }

  #linkFor(client: LineClient): Link | null {
    return client.out > 0 ? client.link : this.#links.free();
  }

  /** An exchange has left its line. @param link null: it has an answer of its own */
  #settle(exchange: Exchange<LineClient>, link: Link | null): void {
    const { asker, request, ownAnswer, last } = exchange;
    exchange.request = noBytes;
    if (link !== null) this.#send(exchange, request, link);
    asker.leftLine(request.length);
    if (link === null) asker.answerOwn(ownAnswer, last);
  }

  #send(exchange: Exchange<LineClient>, request: Buffer, link: Link): void {
    const client = exchange.asker;
    client.sentTo(link);
    if (link.send(exchange, request)) {
      if (this.#gathering.length === 0) setImmediate(this.#flush);
      this.#gathering.push(link);
    }
    const { observer } = this.#parts;
    if (observer !== undefined) exchange.taker = observer.requested(client.socket, Buffer.from(request));
  }

  readonly #flush = (): void => {
    const links = this.#gathering;
    this.#gathering = [];
    for (const link of links) link.flush();
  };
}
