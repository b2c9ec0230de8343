// What a program learns of a Proximux: who connects, every request with a promise of its answer, and what goes wrong.
import type { EventEmitter } from 'node:events';
import type { StreamClient } from '../stream/stream-client.js';
import type { AnswerTaker, StreamObserver } from '../stream/stream-observer.js';
import { createProximuxLogger, type ProximuxLogger } from './proximux-log.js';

/** Who connected. `family` is `IPv4` or `IPv6`. */
export interface ProximuxPeer {
  readonly address: string;
  readonly port: number;
  readonly family: string;
}

/** The events, by name, with what their listeners are given. */
export interface ProximuxEvents {
  /** Before anything is read. A listener that throws refuses the client. */
  connected: [logger: ProximuxLogger, peer: ProximuxPeer];
  /** A request was sent on. The promise is kept with its answer, or broken when the upstream connection is lost. */
  request: [logger: ProximuxLogger, data: Buffer, response: Promise<Buffer>];
  /** An upstream server cannot be connected to, or was lost while it owed an answer. Nobody need listen. */
  error: [error: Error];
}

/** One client as its events show it. */
interface Seen {
  readonly logger: ProximuxLogger;
  /** In proxy mode: requests whose answer is the next piece from upstream. */
  takers: AnswerTaker[];
}

const unanswered: AnswerTaker = { answered: () => {}, failed: () => {} };

export class ProximuxObserver implements StreamObserver {
  readonly #emitter: EventEmitter<ProximuxEvents>;
  readonly #logLevel: number;
  readonly #logger: ProximuxLogger;
  readonly #seen = new WeakMap<StreamClient, Seen>();
  #clients = 0;

  constructor(emitter: EventEmitter<ProximuxEvents>, logLevel: number, logger: ProximuxLogger) {
    this.#emitter = emitter;
    this.#logLevel = logLevel;
    this.#logger = logger;
  }

  /** A client has come and nothing of it was read. @returns false: a listener refuses it */
  admits(client: StreamClient): boolean {
    const { logger } = this.#of(client);
    const { remoteAddress = '', remotePort = 0, remoteFamily = '' } = client.socket ?? {};
    try {
      this.#emitter.emit('connected', logger, { address: remoteAddress, port: remotePort, family: remoteFamily });
      logger.debug(`connected from ${remoteAddress}`);
      return true;
    } catch (error) {
      logger.error(error);
      return false;
    }
  }

  requested(client: StreamClient, request: Buffer): AnswerTaker {
    const { logger } = this.#of(client);
    // A promise for each request would be for nobody.
    if (this.#emitter.listenerCount('request') === 0) return unanswered;
    let taker = unanswered;
    const response = new Promise<Buffer>((resolve, reject) => {
      taker = { answered: resolve, failed: reject };
    });
    // A listener need not look at the promise; that it was broken is then no reason to end the process.
    response.catch(() => {});
    try {
      this.#emitter.emit('request', logger, request, response);
    } catch (error) {
      logger.error(error);
    }
    return taker;
  }

  relayed(client: StreamClient, from: 'client' | 'target', bytes: Buffer): void {
    if (this.#emitter.listenerCount('request') === 0) return;
    const seen = this.#of(client);
    if (from === 'client') {
      seen.takers.push(this.requested(client, Buffer.from(bytes)));
      return;
    }
    if (seen.takers.length === 0) return;
    const answer = Buffer.from(bytes);
    for (const taker of seen.takers.splice(0)) taker.answered(answer);
  }

  relayEnded(client: StreamClient, error: Error | null): void {
    const why = error ?? new Error('the connection ended before an answer came');
    for (const taker of this.#of(client).takers.splice(0)) taker.failed(why);
    if (client.isClosed) return;
    // Its place is for another, also where it never closes its side: it goes as soon as it has all that is on its way to it.
    client.because('closed');
    client.socket?.destroySoon();
  }

  targetFailed(error: Error): void {
    this.#logger.error(error);
    // An event of this name ends the process when nobody listens.
    if (this.#emitter.listenerCount('error') === 0) return;
    try {
      this.#emitter.emit('error', error);
    } catch (thrown) {
      this.#logger.error(thrown);
    }
  }

  #of(client: StreamClient): Seen {
    let seen = this.#seen.get(client);
    if (seen === undefined) {
      seen = { logger: createProximuxLogger(this.#logLevel, `client ${++this.#clients}`), takers: [] };
      this.#seen.set(client, seen);
    }
    return seen;
  }
}
