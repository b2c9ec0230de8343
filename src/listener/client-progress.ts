// Whether a client takes what it is sent: an honest slow reader makes progress, and only one that makes none is given up.
import type { Socket } from 'node:net';

/** One a connection; remembers what it saw when it was last asked. */
export class ClientProgress {
  readonly #socket: Socket;
  #queued = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes begin to wait: from here progress is measured. */
  begin(): void {
    this.#queued = this.#waitingForKernel();
  }

  /** Bytes that the client has not taken, as far as this process holds them. */
  get waiting(): number {
    return Math.max(this.#waitingForKernel(), this.#socket.writableLength);
  }

  /** Whether the client took anything since `begin`, or since this was last asked. */
  made(): boolean {
    const queued = this.#waitingForKernel();
    const less = queued < this.#queued;
    this.#queued = queued;
    return less;
  }

  /** Bytes that the runtime still holds for the kernel. The stream's own count changes only when a whole write has left. */
  #waitingForKernel(): number {
    const handle = (this.#socket as Socket & { _handle?: { writeQueueSize?: number } | null })._handle;
    return handle?.writeQueueSize ?? this.#socket.writableLength;
  }
}
