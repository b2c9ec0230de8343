// Bytes that a client sent behind its running request: pipelined requests, or the first of a tunnel that is not open yet.
import type { Socket } from 'node:net';
import type { ByteBudget } from '../base/byte-budget.js';

/** Bytes that are kept; a client that sends more waits. */
const limit = 64 * 1024;

/** Keeps them in order and holds the client back when there are too many. */
export class PendingBytes {
  size = 0;
  /** The socket is paused for them; nobody else may resume it. */
  paused = false;

  readonly #socket: Socket;
  readonly #budget: ByteBudget;
  #chunks: Buffer[] = [];

  /** @param budget of all who keep bytes */
  constructor(socket: Socket, budget: ByteBudget) {
    this.#socket = socket;
    this.#budget = budget;
  }

  /** Copies a chunk: its bytes belong to the buffer of the next read. */
  keep(chunk: Buffer): void {
    this.#chunks.push(Buffer.from(chunk));
    this.size += chunk.length;
    this.#budget.add(chunk.length);
    if ((this.size > limit || this.#budget.full) && !this.paused) {
      this.paused = true;
      this.#socket.pause();
    }
  }

  /** Gives all of them, and lets the client go on. */
  take(): Buffer {
    const bytes = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.clear();
    if (this.paused) {
      this.paused = false;
      this.#socket.resume();
    }
    return bytes;
  }

  /** Forgets them. */
  clear(): void {
    this.#chunks = [];
    this.#budget.add(-this.size);
    this.size = 0;
  }
}
