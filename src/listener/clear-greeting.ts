// A connection in clear text that may begin with HTTP/2, until its first bytes tell (RFC 9113 section 3.4).
import type { Socket } from 'node:net';
import type { BytesReceived } from './accept.js';
import type { Connections, ListedConnection } from './connections.js';

/** What a connection that speaks HTTP/2 begins with. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export interface ClearGreetingParts {
  readonly connections: Connections;
  readonly clock: { readonly now: number };
  /** Milliseconds for all of it; 0: as long as it takes. */
  readonly limit: number;
  /** Takes a connection that speaks HTTP/1; null: it was refused. */
  readonly http1: (socket: Socket) => BytesReceived | null;
  /** Takes one that speaks HTTP/2; what it has sent was put back. */
  readonly http2: (socket: Socket) => void;
}

export class ClearGreeting implements ListedConnection {
  slot = -1;
  deadline: number;

  readonly #socket: Socket;
  readonly #parts: ClearGreetingParts;
  #bytes: Buffer = Buffer.alloc(0);
  #next: BytesReceived | null = null;
  #over = false;
  readonly #leave = () => this.#end();
  readonly #ended = () => this.#socket.destroy();
  readonly #failed = () => {};

  constructor(socket: Socket, parts: ClearGreetingParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.deadline = parts.limit > 0 ? parts.clock.now + parts.limit : 0;
    parts.connections.add(this);
    socket.on('error', this.#failed);
    socket.on('end', this.#ended);
    socket.on('close', this.#leave);
  }

  received(chunk: Buffer): void {
    if (this.#over) {
      this.#next?.(chunk);
      return;
    }
    const bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const seen = Math.min(bytes.length, preface.length);
    const matches = preface.compare(bytes, 0, seen, 0, seen) === 0;
    if (matches && seen < preface.length) {
      this.#bytes = Buffer.from(bytes);
      return;
    }
    const socket = this.#socket;
    this.#end();
    socket.off('end', this.#ended);
    socket.off('close', this.#leave);
    if (matches) {
      socket.removeAllListeners('data');
      socket.pause();
      // A copy: the bytes are those of the next read too.
      socket.unshift(Buffer.from(bytes));
      this.#parts.http2(socket);
      return;
    }
    this.#next = this.#parts.http1(socket);
    this.#next?.(bytes);
  }

  expired(): void {
    this.deadline = 0;
    this.#socket.destroy();
  }

  /** What comes out of it drains. */
  drain(): void {}

  destroy(): void {
    this.#socket.destroy();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#bytes = Buffer.alloc(0);
    this.deadline = 0;
    this.#parts.connections.remove(this);
  }
}
