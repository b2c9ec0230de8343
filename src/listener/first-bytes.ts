// A connection in clear text of which the first bytes are looked at before it is given to whoever serves it.
import type { Socket } from 'node:net';
import type { BytesReceived } from './accept.js';
import type { Connections, ListedConnection } from './connections.js';

export interface FirstBytesParts {
  readonly connections: Connections;
  readonly clock: { readonly now: number };
  /** Milliseconds for all of them; 0: as long as it takes. */
  readonly limit: number;
}

const ignore = (): void => {};

/** Keeps the connection in the list until `release`, and ends it when its time is up, or when it ends before that. */
export abstract class FirstBytes implements ListedConnection {
  slot = -1;
  deadline: number;

  protected readonly socket: Socket;
  readonly #connections: Connections;
  #next: BytesReceived | null = null;
  #over = false;
  readonly #closed = () => this.#leave();
  readonly #ended = () => this.socket.destroy();

  constructor(socket: Socket, { connections, clock, limit }: FirstBytesParts) {
    this.socket = socket;
    this.#connections = connections;
    this.deadline = limit > 0 ? clock.now + limit : 0;
    connections.add(this);
    // It stays: whoever is next may come later than an error.
    socket.on('error', ignore);
    socket.on('end', this.#ended);
    socket.on('close', this.#closed);
  }

  received(chunk: Buffer): void {
    if (this.#over) this.#next?.(chunk);
    else this.look(chunk);
  }

  expired(): void {
    this.deadline = 0;
    this.socket.destroy();
  }

  /** What comes out of it drains. */
  drain(): void {}

  destroy(): void {
    this.socket.destroy();
  }

  /** Takes bytes until `release` was called. They are valid during the call only. */
  protected abstract look(chunk: Buffer): void;

  /** Nothing more is to be looked at: the connection is another's, or is destroyed. */
  protected release(): void {
    this.#leave();
    this.socket.off('end', this.#ended);
    this.socket.off('close', this.#closed);
  }

  /** Gives what comes from now on to somebody, and first what is there. @param next null: it was refused */
  protected passTo(next: BytesReceived | null, rest: Buffer): void {
    this.#next = next;
    if (rest.length > 0) next?.(rest);
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.deadline = 0;
    this.#connections.remove(this);
  }
}
