// One client of `fifo` or `funnel`: parts what it sends into requests, holds those that must wait for others of its own, and
// is given its answers in the order in which it asked.
import type { StreamSettings } from '../config/stream-config.js';
import type { StreamEnd } from '../observe/stream-counters.js';
import { type Asker, type Exchange, Line } from './exchange-line.js';
import type { FrameScanner } from './framing/framing.js';
import { MessageReader, type MessageTaker } from './framing/message-reader.js';
import type { Link } from './link.js';
import type { SendBuffer } from './send-buffer.js';
import type { StreamClient } from './stream-client.js';
import type { StreamSocket, StreamUser } from './stream-socket.js';

/** The mode that a client belongs to. */
export interface LineClientOwner {
  readonly settings: StreamSettings;
  readonly sendBuffer: SendBuffer;
  /** Milliseconds of silence after which a client that waits for nothing is closed; 0: never. */
  readonly clientPatience: number;
  readonly now: number;
  /** A request that may wait. @param kept as in `MessageTaker` */
  asked(client: LineClient, request: Buffer, kept: boolean, ownAnswer: string, last: boolean): void;
  /** Bytes that wait for this client, or that it waits with, became more or fewer. @returns false: more than may wait */
  waits(difference: number): boolean;
  /** All that was out is answered: the first request that is held may be sent. */
  ready(client: LineClient): void;
  /** Sends whatever can be sent. */
  linksFree(): void;
  /** It is there no more. @param waiting its requests that are in lines */
  left(client: LineClient, waiting: number): void;
  say(text: string): void;
}

/** A client whose own requests wait with so many bytes is not read for the time being. */
const mostAhead = 64 * 1024;
/** Milliseconds that a client has to close its side after it was told good-bye. */
const lingering = 10_000;

export class LineClient implements StreamUser, MessageTaker, Asker {
  readonly socket: StreamClient;
  readonly #owner: LineClientOwner;
  readonly #reader: MessageReader;
  /** Requests whose turn came while earlier ones of this client were out. */
  readonly held = new Line<Exchange<LineClient>>();
  /** Requests that a target has and owes an answer to. */
  out = 0;
  /** The link that has them. */
  link: Link | null = null;
  gone = false;
  /** Requests that wait, in the common line or held. */
  #waiting = 0;
  #waitingBytes = 0;
  /** Bytes of answers that it has not read. */
  #unread = 0;
  /** Bytes of all kinds that the owner was told of. */
  #told = 0;
  #slow = false;
  #paused = false;
  #ending = false;

  constructor(socket: StreamClient, owner: LineClientOwner) {
    this.socket = socket;
    this.#owner = owner;
    this.#reader = new MessageReader(owner.settings.framing, owner.settings.maxMessage, this);
    socket.user = this;
  }

  /** Begins to read. */
  start(): void {
    const { head } = this.socket;
    this.socket.head = null;
    this.#touch();
    if (head !== null) this.received(this.socket, head);
    if (!this.gone && !this.#paused) this.socket.resume();
  }

  /** A request joined a line. */
  joined(exchange: Exchange<LineClient>): void {
    this.#waiting++;
    this.#waitingBytes += exchange.request.length;
    this.#account();
  }

  /** A request was given to a link. */
  sentTo(link: Link): void {
    this.out++;
    this.link = link;
    this.socket.target = link.target.origin;
    if (this.#owner.clientPatience > 0) this.#touch();
  }

  /** Requests of it wait. */
  get waits(): boolean {
    return this.#waiting > 0;
  }

  /** It does not read its answers: nothing more is asked for it until it does. */
  get choked(): boolean {
    return this.#unread > 0;
  }

  /** A request left its line. @param size bytes of the request */
  leftLine(size: number): void {
    this.#waiting--;
    this.#waitingBytes -= size;
    this.#account();
    this.#readOn();
  }

  received(_from: StreamSocket, bytes: Buffer): void {
    if (this.gone || this.#ending) return;
    this.#reader.push(bytes);
    if (this.gone) return;
    this.#touch();
    this.#account();
    this.#readOn();
  }

  message(bytes: Buffer, kept: boolean, scanner: FrameScanner | null): boolean {
    if (scanner === null) this.#owner.asked(this, bytes, kept, '', false);
    else if (!scanner.alone) this.#owner.asked(this, bytes, kept, scanner.ownAnswer, scanner.last);
    if (scanner?.last === true) this.#ending = true;
    return !this.gone && !this.#ending;
  }

  unreadable(why: 'broken' | 'too-large', text: string): void {
    this.#owner.say(`a client is closed: ${text}`);
    this.finish(why === 'broken' ? 'exchange-failed' : 'too-large');
  }

  answer(bytes: Buffer, start: number, end: number): void {
    if (this.gone) return;
    const { sendBuffer } = this.#owner;
    const copy = sendBuffer.copy(bytes, start, end, this.#slow);
    if (this.socket.write(copy)) return;
    sendBuffer.lend(copy);
    this.#slow = true;
    this.#unread += copy.length;
    this.#account();
    this.#readOn();
  }

  answeredWhole(): void {
    this.out--;
    if (this.gone) return;
    if (this.out === 0 && this.held.length > 0) this.#owner.ready(this);
    this.#touch();
    this.#endIfDone();
  }

  /** Is answered without a target. @param last nothing comes behind it */
  answerOwn(text: string, last: boolean): void {
    const bytes = Buffer.from(text, 'latin1');
    this.answer(bytes, 0, bytes.length);
    if (last) this.#ending = true;
    this.#endIfDone();
  }

  failed(begun: boolean): void {
    this.out--;
    if (this.gone) return;
    // A reset says that what was begun is not whole.
    if (begun) this.socket.abort('exchange-failed');
    this.finish('exchange-failed');
  }

  cut(): void {
    this.finish('too-large');
  }

  /** Ends it at once; what it asked for and nobody has yet is dropped from the line. */
  finish(why: StreamEnd): void {
    if (this.gone) return;
    this.#leave();
    this.socket.finish(why);
    this.#owner.left(this, this.#waiting);
  }

  ended(): void {
    this.#reader.end();
    this.#ending = true;
    this.#endIfDone();
  }

  drained(): void {
    if (this.gone) return;
    this.#unread = 0;
    this.#account();
    this.#touch();
    this.#readOn();
    if (this.out > 0 || this.held.length === 0) return;
    this.#owner.ready(this);
    this.#owner.linksFree();
  }

  /** The proxy stops: what was asked for is still answered. */
  drain(): void {
    this.#ending = true;
    this.#endIfDone();
  }

  closed(_from: StreamSocket, error: Error | null): void {
    this.socket.because(error === null ? 'closed' : 'client-reset');
    if (this.gone) return;
    this.#leave();
    this.#owner.left(this, this.#waiting);
  }

  #leave(): void {
    this.gone = true;
    this.#reader.stop();
    this.#owner.waits(-this.#told);
    this.#told = 0;
  }

  /** Tells the owner what waits because of this client; over the bound it is closed. */
  #account(): void {
    if (this.gone) return;
    const total = this.#waitingBytes + this.#unread + this.#reader.held;
    const difference = total - this.#told;
    if (difference === 0) return;
    this.#told = total;
    if (this.#owner.waits(difference) || difference < 0) return;
    this.#owner.say(`a client is closed: more than ${this.#owner.settings.maxWaiting} bytes wait`);
    this.finish('too-large');
  }

  /** Reads, or does not, by what waits: who does not read its answers, or asks faster than targets answer, is made to wait by TCP. */
  #readOn(): void {
    if (this.gone) return;
    const stop = this.#unread > 0 || this.#waitingBytes > mostAhead;
    if (stop === this.#paused) return;
    this.#paused = stop;
    if (stop) this.socket.pause();
    else this.socket.resume();
  }

  #endIfDone(): void {
    if (!this.#ending || this.gone || this.out > 0 || this.#waiting > 0) return;
    this.socket.because('closed');
    // Behind the last answer, which may still be on its way. What the client sends from now on is not read.
    this.socket.end();
    if (this.socket.hasEnded) return;
    this.socket.resume();
    this.socket.expireAt(this.#owner.now + lingering, 'closed');
  }

  /** Nobody is silent while an answer is owed to it: that is the target's silence. */
  #touch(): void {
    const { clientPatience, now } = this.#owner;
    if (clientPatience === 0 || this.#ending) return;
    this.socket.expireAt(this.out > 0 || this.#waiting > 0 ? 0 : now + clientPatience, 'inactive');
  }
}
