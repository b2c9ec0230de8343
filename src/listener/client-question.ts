// Asks a client that closed its sending side, or is not read from, whether it is still there while its exchange runs.
//
// It may be waiting for the answer, or gone: TCP does not tell. An interim response is harmless to the first (RFC 9110 section
// 15.2) and makes the kernel of the second reset the connection. Nothing is read any more from a client that has ended, so only
// the next write after the reset tells of it: that one comes soon.
import type { Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { Exchange } from '../exchange/exchange.js';
import type { Http1Downstream } from './http1-downstream.js';

/** Milliseconds of silence after which a client that closed its sending side is asked for the first time, and again. */
export const askAfter = 1000;
export const askAgainAfter = 5000;
/** What the kernel of a client that is gone makes of the question comes a round trip later (milliseconds). */
const roundTrip = 10;

const stillThere = 'HTTP/1.1 100 Continue\r\n\r\n';

/** One for an exchange. */
export class ClientQuestion {
  readonly #exchange: Exchange;
  readonly #downstream: Http1Downstream;
  readonly #socket: Socket;
  #asked = false;

  constructor(exchange: Exchange, downstream: Http1Downstream, socket: Socket) {
    this.#exchange = exchange;
    this.#downstream = downstream;
    this.#socket = socket;
  }

  /** Asks. @returns milliseconds after which to ask again */
  put(): number {
    if (!this.#downstream.begun && this.#exchange.head.minor === 1) this.#downstream.remark(stillThere);
    const pause = this.#asked ? askAgainAfter : askAfter;
    this.#asked = true;
    return pause;
  }

  /** Asks twice, and waits for what the kernel says. @returns whether the client is still there */
  async answer(): Promise<boolean> {
    this.put();
    await delay(roundTrip);
    if (!this.#exchange.ended) this.put();
    // Through TLS the kernel's answer takes a turn.
    await nextTurn();
    return !this.#socket.destroyed;
  }
}
