// A connection in clear text that may begin with HTTP/2, until its first bytes tell (RFC 9113 section 3.4).
import type { Socket } from 'node:net';
import type { BytesReceived } from './accept.js';
import { FirstBytes, type FirstBytesParts } from './first-bytes.js';

/** What a connection that speaks HTTP/2 begins with. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const none = Buffer.alloc(0);

export interface ClearGreetingParts extends FirstBytesParts {
  /** Takes a connection that speaks HTTP/1; null: it was refused. */
  readonly http1: (socket: Socket) => BytesReceived | null;
  /** Takes one that speaks HTTP/2; what it has sent was put back. */
  readonly http2: (socket: Socket) => void;
}

export class ClearGreeting extends FirstBytes {
  readonly #parts: ClearGreetingParts;
  #bytes: Buffer = none;

  constructor(socket: Socket, parts: ClearGreetingParts) {
    super(socket, parts);
    this.#parts = parts;
  }

  protected look(chunk: Buffer): void {
    const { socket } = this;
    const bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const seen = Math.min(bytes.length, preface.length);
    const matches = preface.compare(bytes, 0, seen, 0, seen) === 0;
    if (matches && seen < preface.length) {
      this.#bytes = Buffer.from(bytes);
      return;
    }
    this.#bytes = none;
    this.release();
    if (!matches) {
      this.passTo(this.#parts.http1(socket), bytes);
      return;
    }
    socket.removeAllListeners('data');
    socket.pause();
    // A copy: the bytes are those of the next read too.
    socket.unshift(Buffer.from(bytes));
    this.#parts.http2(socket);
  }
}
