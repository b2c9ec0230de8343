// A client of a TCP stream: its side of the stream, who it is, its deadline, and why its connection ended.
import { performance } from 'node:perf_hooks';
import type { ListedConnection } from '../listener/connections.js';
import type { StreamEnd } from '../observe/stream-counters.js';
import type { Endpoint } from '../upstream/proxy-header.js';
import { StreamSocket } from './stream-socket.js';

/** Keeps account of the clients of a listener. */
export interface ClientOwner {
  /** Called once for each, when its socket is gone. */
  clientGone(client: StreamClient): void;
}

export class StreamClient extends StreamSocket implements ListedConnection {
  slot = -1;
  /** Coarse milliseconds at which it is ended; 0: never. */
  deadline = 0;
  /** Who it is and where it connected to; behind a PROXY header what that says. A unix socket has the address `unix`. */
  source: Endpoint = { address: '', port: 0 };
  destination: Endpoint = { address: '', port: 0 };
  /** Bytes that were read along with a PROXY header: the first of what it sends. */
  head: Buffer | null = null;
  /** Origin of the target that serves it, and the host that it asked for where that decides, for the log line. */
  target = '';
  host = '';
  readonly startedAt = performance.now();
  /** Why it ended, once it is known. */
  endedBy: StreamEnd | null = null;

  readonly #owner: ClientOwner;
  #expiry: StreamEnd = 'inactive';

  constructor(owner: ClientOwner) {
    super();
    this.#owner = owner;
  }

  /** Sets the deadline. @param at coarse milliseconds; 0: never. @param why what the end is then called */
  expireAt(at: number, why: StreamEnd): void {
    this.deadline = at;
    this.#expiry = why;
  }

  /** Notes why it ends; the first reason counts. */
  because(why: StreamEnd): void {
    this.endedBy ??= why;
  }

  /** Ends the connection at once; bytes that wait are dropped. */
  finish(why: StreamEnd): void {
    this.because(why);
    this.destroy();
  }

  /** As `finish`, with a reset where TCP can, so that the client does not take it for a good end. */
  abort(why: StreamEnd): void {
    this.because(why);
    this.reset();
  }

  expired(): void {
    this.deadline = 0;
    if (this.user?.expired?.() !== true) this.finish(this.#expiry);
  }

  drain(): void {
    this.user?.drain?.();
  }

  protected override gone(): void {
    this.#owner.clientGone(this);
  }
}
