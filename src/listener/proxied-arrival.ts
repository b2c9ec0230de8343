// A connection in clear text from a proxy that begins with a PROXY header: read first, then the rest is given to whoever serves it.
import type { Socket } from 'node:net';
import type { BytesReceived } from './accept.js';
import type { Connections, ListedConnection } from './connections.js';
import { ProxyHeaderReader } from './proxy-header-reader.js';
import type { ProxiedEnds } from './proxy-protocol.js';

export interface ProxiedArrivalParts {
  readonly connections: Connections;
  readonly clock: { readonly now: number };
  /** Milliseconds for the header; 0: as long as it takes. */
  readonly limit: number;
  /** Takes the connection; null: it was refused. @param ends null: the proxy speaks for itself */
  readonly next: (socket: Socket, ends: ProxiedEnds | null) => BytesReceived | null;
}

export class ProxiedArrival implements ListedConnection {
  slot = -1;
  deadline: number;

  readonly #socket: Socket;
  readonly #parts: ProxiedArrivalParts;
  #reader: ProxyHeaderReader | null = new ProxyHeaderReader();
  #next: BytesReceived | null = null;
  readonly #leave = () => this.#end();
  readonly #ended = () => this.#socket.destroy();
  readonly #failed = () => {};

  constructor(socket: Socket, parts: ProxiedArrivalParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.deadline = parts.limit > 0 ? parts.clock.now + parts.limit : 0;
    parts.connections.add(this);
    socket.on('error', this.#failed);
    socket.on('end', this.#ended);
    socket.on('close', this.#leave);
  }

  received(chunk: Buffer): void {
    if (this.#reader === null) {
      this.#next?.(chunk);
      return;
    }
    const reading = this.#reader.push(chunk);
    if (reading === null) return;
    const socket = this.#socket;
    this.#end();
    socket.off('end', this.#ended);
    socket.off('close', this.#leave);
    if (reading.kind === 'fault') {
      socket.destroy();
      return;
    }
    this.#next = this.#parts.next(socket, reading.ends);
    socket.off('error', this.#failed);
    if (reading.rest.length > 0) this.#next?.(reading.rest);
  }

  expired(): void {
    this.#socket.destroy();
  }

  /** What comes out of it drains. */
  drain(): void {}

  destroy(): void {
    this.#socket.destroy();
  }

  #end(): void {
    if (this.#reader === null) return;
    this.#reader = null;
    this.deadline = 0;
    this.#parts.connections.remove(this);
  }
}
