// The port towards an HTTP/1.x client over its socket: decides how the response is delimited, and writes it in as few pieces as can be.

import type { Socket } from 'node:net';
import { httpDate } from '../base/http-date.js';
import { ownText } from '../base/own-text.js';
import { resetSocket } from '../base/socket-reset.js';
import { SocketWriter } from '../base/socket-writer.js';
import { copiedUpTo, type Downstream } from '../exchange/downstream.js';
import type { Exchange } from '../exchange/exchange.js';
import { bit, Kind } from '../http1/headers.js';
import { chunked, type ResponseHead } from '../http1/message.js';

/** How the response is delimited towards this client (RFC 9112 section 6). */
type Delimiting = 'none' | 'length' | 'chunks' | 'close' | 'tunnel';

/** What the port asks of its connection. */
export interface Http1Owner {
  /** The connection must not be used for another request, whatever the client wishes. */
  readonly lastExchange: boolean;
  /** Bytes wait for the client: its slowness is being timed; then they have left. */
  blocked(): void;
  unblocked(): void;
  /** 100 (Continue) went to a client that was waiting for it. */
  continued(): void;
  /** The exchange became a tunnel: bytes that came behind the request belong to it. */
  tunnelOpened(): void;
  /** As `isClientThere` of the port. */
  askClient(): Promise<boolean> | null;
  /** The exchange is over. */
  exchangeEnded(): void;
}

const hopByHop = bit(Kind.connection) | bit(Kind.keepAlive) | bit(Kind.proxyConnection) | bit(Kind.te) | bit(Kind.upgrade);
const lengthKinds = bit(Kind.contentLength) | bit(Kind.transferEncoding);

/** Milliseconds of silence after which the kernel asks the other end of a tunnel whether it is there. */
const tunnelKeepAlive = 60_000;

function textOf(head: ResponseHead, dropped: number, lines: string): string {
  return `${head.line}${head.headers.without(dropped, head.connectionNames)}${lines}\r\n`;
}

/** The head that was sent last of those that may be sent again: the proxy answers the same to many within a second, in a flood of refusals above all. */
class RepeatedHead {
  #head: ResponseHead | null = null;
  #dropped = 0;
  #lines = '';
  /** In one piece; empty: it was sent but once. */
  #text = '';

  text(head: ResponseHead, dropped: number, lines: string): string {
    if (this.#head === head && this.#dropped === dropped && this.#lines === lines) {
      if (this.#text === '') this.#text = ownText(textOf(head, dropped, lines));
      return this.#text;
    }
    this.#head = head;
    this.#dropped = dropped;
    this.#lines = lines;
    this.#text = '';
    return textOf(head, dropped, lines);
  }
}

const repeated = new RepeatedHead();

/** One a connection, reset for each of its exchanges, which follow one another. */
export class Http1Downstream implements Downstream {
  begun = false;
  bytesSent = 0;
  bodyBytesSent = 0;
  /** The connection has to be closed after this response: the client was told, or the end of the body is the end of the connection. */
  closes = false;
  /** 100 (Continue) was passed on, so the client will send the body. */
  continued = false;

  readonly #socket: Socket;
  readonly #owner: Http1Owner;
  #exchange: Exchange | null = null;
  #delimiting: Delimiting = 'none';
  /** Kinds of lines of the head that are not passed on. */
  #dropped = 0;
  readonly #writer: SocketWriter;

  /** @param secure whether the socket encrypts */
  constructor(socket: Socket, secure: boolean, owner: Http1Owner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#writer = new SocketWriter(socket, !secure, () => {
      owner.unblocked();
      this.#exchange?.upstream?.resume();
    });
  }

  /** Makes the port ready for the next exchange. */
  reset(): void {
    this.begun = false;
    this.bytesSent = 0;
    this.bodyBytesSent = 0;
    this.closes = false;
    this.continued = false;
    // What of the last response still waits is not this one's: its own first delay is timed anew.
    this.#writer.restart();
    this.#exchange = null;
    this.#delimiting = 'none';
  }

  /** Response bytes wait for the client. */
  get pending(): boolean {
    return this.#writer.pending;
  }

  serve(exchange: Exchange): void {
    this.#exchange = exchange;
  }

  interim(head: ResponseHead): void {
    const exchange = this.#exchange as Exchange;
    // HTTP/1.0 knows no interim responses (RFC 9110 section 15.2).
    if (exchange.head.minor === 0 || this.begun) return;
    if (head.status === 100) {
      this.continued = true;
      this.#owner.continued();
    }
    this.#send(`${head.line}${head.headers.without(hopByHop | lengthKinds, head.connectionNames)}\r\n`);
  }

  begin(head: ResponseHead, extra: string, buffer: Buffer, start: number, end: number, last: boolean): boolean {
    this.begun = true;
    const text = this.#headText(head, extra);
    const size = end - start;
    if (size === 0) {
      return this.#send(last && this.#delimiting === 'chunks' ? `${text}0\r\n\r\n` : text);
    }
    this.bodyBytesSent += size;
    if (this.#delimiting === 'chunks') return this.#sendChunk(text, buffer, start, end, last);
    if (size <= copiedUpTo) return this.#send(text + buffer.toString('latin1', start, end));
    if (text.length <= start) {
      // The new head goes where the old one was: one write, and the body is not copied.
      buffer.write(text, start - text.length, 'latin1');
      return this.#sendBytes(buffer.subarray(start - text.length, end));
    }
    this.#writer.cork();
    this.#send(text);
    this.#sendBytes(buffer.subarray(start, end));
    return this.#uncork();
  }

  beginWithText(head: ResponseHead, extra: string, body: string): boolean {
    this.begun = true;
    this.bodyBytesSent += body.length;
    // Its length is known, so that it is neither chunked nor ended by the connection.
    const lines = this.#decideLines(head, extra);
    return this.#send(repeated.text(head, this.#dropped, lines) + body);
  }

  write(buffer: Buffer, start: number, end: number, last: boolean): boolean {
    const size = end - start;
    this.bodyBytesSent += size;
    switch (this.#delimiting) {
      case 'none':
        return true;
      case 'chunks':
        if (size === 0) return last ? this.#send('0\r\n\r\n') : true;
        return this.#sendChunk('', buffer, start, end, last);
      case 'length':
      case 'close':
      case 'tunnel':
        if (size === 0) return true;
        // A text is a copy, which a small piece must be.
        if (size <= copiedUpTo) return this.#send(buffer.toString('latin1', start, end));
        return this.#sendBytes(buffer.subarray(start, end));
    }
  }

  end(trailers: string): void {
    if (this.#delimiting === 'chunks') this.#send(`0\r\n${trailers}\r\n`);
    else if (this.#delimiting === 'tunnel') this.#socket.end();
  }

  switchProtocols(head: ResponseHead, extra: string): void {
    this.begun = true;
    this.closes = true;
    this.#delimiting = 'tunnel';
    const lines = head.headers.without(hopByHop | lengthKinds, head.connectionNames);
    this.#send(`${head.line}${lines}${extra}Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n\r\n`);
    // A peer that vanishes without a word would keep its tunnel for ever: the kernel asks it now and then.
    this.#socket.setKeepAlive(true, tunnelKeepAlive);
    this.#owner.tunnelOpened();
  }

  isClientThere(): Promise<boolean> | null {
    return this.#owner.askClient();
  }

  cut(): void {
    this.closes = true;
    // A body that ends with the connection must not look complete: reset instead of close (RFC 9112 section 9.6).
    if (this.#delimiting === 'close') resetSocket(this.#socket);
    else this.#socket.destroy();
  }

  released(): void {
    this.#owner.exchangeEnded();
  }

  /** Status line and header lines, with the way the body is delimited for this client. */
  #headText(head: ResponseHead, extra: string): string {
    const lines = this.#decideLines(head, extra);
    return textOf(head, this.#dropped, lines);
  }

  /** Decides how the body is delimited, whether the connection goes on, and what of the head is dropped. @returns the lines to add */
  #decideLines(head: ResponseHead, extra: string): string {
    const exchange = this.#exchange as Exchange;
    const request = exchange.head;
    let mask = hopByHop;
    let lines = extra;
    const bodyless = request.method === 'HEAD' || head.status === 204 || head.status === 304;
    if (bodyless) {
      this.#delimiting = 'none';
      // RFC 9110 section 8.6 and RFC 9112 section 6.1: neither field on 204; a HEAD or 304 may tell the length of the content.
      mask |= head.status === 204 ? lengthKinds : bit(Kind.transferEncoding);
    } else if (head.body >= 0) {
      this.#delimiting = 'length';
      if (!head.headers.has(Kind.contentLength)) lines += `Content-Length: ${head.body}\r\n`;
    } else if (request.minor === 1) {
      this.#delimiting = 'chunks';
      if (head.body !== chunked) lines += 'Transfer-Encoding: chunked\r\n';
    } else {
      this.#delimiting = 'close';
      mask |= bit(Kind.transferEncoding);
    }
    // A client that was never told to send its body may go on with anything (RFC 9110 section 10.1.1).
    const bodyUnsure = request.expectsContinue && !this.continued && !exchange.body.complete;
    // RFC 9110 section 15.5.20: what was asked on the wrong connection is asked again on another one.
    const misdirected = exchange.error !== null && exchange.error.code === 'misdirected-request';
    this.closes =
      this.closes || misdirected || !request.keepAlive || this.#delimiting === 'close' || bodyUnsure || this.#owner.lastExchange;
    if (this.closes) lines += 'Connection: close\r\n';
    else if (request.minor === 0) lines += 'Connection: keep-alive\r\n';
    // RFC 9110 section 6.6.1: a recipient with a clock adds what is missing.
    if (!head.headers.has(Kind.date)) lines += `Date: ${httpDate()}\r\n`;
    this.#dropped = mask;
    return lines;
  }

  #sendChunk(text: string, buffer: Buffer, start: number, end: number, last: boolean): boolean {
    const size = end - start;
    const open = `${text}${size.toString(16)}\r\n`;
    const close = last ? '\r\n0\r\n\r\n' : '\r\n';
    if (size <= copiedUpTo) return this.#send(open + buffer.toString('latin1', start, end) + close);
    this.#writer.cork();
    this.#send(open);
    this.#sendBytes(buffer.subarray(start, end));
    this.#send(close);
    return this.#uncork();
  }

  /** Sends a text that belongs to no exchange's answer. */
  remark(text: string): void {
    this.#writer.text(text);
  }

  #send(text: string): boolean {
    this.bytesSent += text.length;
    const waited = this.#writer.waiting;
    return this.#tell(this.#writer.text(text), waited);
  }

  #sendBytes(bytes: Buffer): boolean {
    this.bytesSent += bytes.length;
    const waited = this.#writer.waiting;
    return this.#tell(this.#writer.bytes(bytes), waited);
  }

  #uncork(): boolean {
    return this.#tell(this.#writer.uncork(), false);
  }

  /** The connection times a client that does not take what it is sent. */
  #tell(taken: boolean, waited: boolean): boolean {
    if (!taken && !waited) this.#owner.blocked();
    return taken;
  }
}
