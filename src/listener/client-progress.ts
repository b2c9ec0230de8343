// Whether a client takes what it is sent: an honest slow reader makes progress, and only one that makes none is given up. Accounts for
// what this process holds until the client takes it.
import type { Socket } from 'node:net';
import type { ByteBudget } from '../base/byte-budget.js';

/** One a connection; remembers what it saw when it was last asked. */
export class ClientProgress {
  readonly #socket: Socket;
  readonly #kept: ByteBudget;
  #queued = 0;
  /** Bytes that wait, as they were counted. */
  #counted = 0;

  /** @param kept where bytes that wait are counted */
  constructor(socket: Socket, kept: ByteBudget) {
    this.#socket = socket;
    this.#kept = kept;
  }

  /** Bytes begin to wait: from here progress is measured. */
  begin(): void {
    this.#queued = this.#waitingForKernel();
    this.#count(Math.max(this.#queued, this.#socket.writableLength));
  }

  /** Nothing waits any more. */
  end(): void {
    this.#count(0);
  }

  /** Whether the client took anything since `begin`, or since this was last asked. */
  made(): boolean {
    const queued = this.#waitingForKernel();
    const less = queued < this.#queued;
    this.#queued = queued;
    this.#count(Math.max(queued, this.#socket.writableLength));
    return less;
  }

  #count(bytes: number): void {
    if (bytes === this.#counted) return;
    this.#kept.add(bytes - this.#counted);
    this.#counted = bytes;
  }

  /** Bytes that the runtime still holds for the kernel. The stream's own count changes only when a whole write has left. */
  #waitingForKernel(): number {
    const handle = (this.#socket as Socket & { _handle?: { writeQueueSize?: number } | null })._handle;
    return handle?.writeQueueSize ?? this.#socket.writableLength;
  }
}
