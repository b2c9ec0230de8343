// One connection to a backend: connecting, busy with one exchange, idle in its pool, or closed.
import type { Socket } from 'node:net';
import { resetError, wasReset } from '../base/socket-reset.js';
import { SocketWriter } from '../base/socket-writer.js';
import { type Backend, speaksTls } from '../model/backend.js';
import { type BackendTls, dial, type ReadTarget } from './dial.js';

/** Who uses a connection for an exchange. Plain methods, so that no closure is made a request. */
export interface ConnectionUser {
  /** Bytes `start` to `end` of a buffer arrived; bytes before `start` may be overwritten. Returns false to stop reading until `resume`. */
  connectionData(buffer: Buffer, start: number, end: number): boolean;
  /** The backend closed its sending side. */
  connectionEnd(): void;
  /** The connection is gone. */
  connectionClosed(error: Error | null): void;
  /** What `write` could not send at once has left. */
  connectionDrained(): void;
  /** The deadline passed. */
  connectionExpired(): void;
}

/** What the pool wants to know of its connections. */
export interface ConnectionOwner {
  connected(connection: Connection): void;
  closed(connection: Connection, error: Error | null): void;
}

export type ConnectionState = 'connecting' | 'busy' | 'idle' | 'closed';

/** Room in front of what is read: a new head is written there, in place, before the first bytes of a body. */
const headroom = 1024;
/**
 * All connections begin with one buffer: a read is handled to its end before the next, and small pieces are copied by
 * whoever keeps them (see `copiedUpTo`). It stays in the processor's cache, however many connections there are. A read
 * that fills it announces a larger answer, and the connection gets a buffer of its own.
 */
const sharedBufferSize = 4 * 1024;
const secondBufferSize = 16 * 1024;
/** Room for 64 KiB of body and its head, so that such an answer can be read in one go. */
const fullBufferSize = 80 * 1024;

const sharedStorage = Buffer.allocUnsafeSlow(headroom + sharedBufferSize);
const sharedReadBuffer = sharedStorage.subarray(headroom);

export class Connection implements ReadTarget {
  readonly backend: Backend;
  state: ConnectionState = 'connecting';
  user: ConnectionUser | null = null;
  /** How many requests have been sent on it. */
  requests = 0;
  /** Coarse milliseconds at which it expires in its present state; 0: never. */
  deadline = 0;
  /** Coarse milliseconds since when it is idle. */
  idleSince = 0;
  /** Milliseconds that the backend promised to keep it (Keep-Alive: timeout=N), or 0. */
  promisedIdle = 0;
  /** Place in the owner's list of connections. */
  slot = -1;

  readonly #socket: Socket;
  #storage: Buffer = sharedStorage;
  #readBuffer: Buffer = sharedReadBuffer;
  #bufferGone = false;
  readonly #writer: SocketWriter;
  #ended = false;
  #error: Error | null = null;

  /** @param preface as `dial` takes it */
  constructor(backend: Backend, owner: ConnectionOwner, trust: BackendTls, preface: Buffer | null) {
    this.backend = backend;
    const socket = preface === null ? dial(backend, this, trust) : dial(backend, this, trust, { preface });
    this.#socket = socket;
    this.#writer = new SocketWriter(socket, !speaksTls(backend), () => this.user?.connectionDrained());
    socket.once(speaksTls(backend) ? 'secureConnect' : 'connect', () => owner.connected(this));
    socket.on('end', () => {
      this.#ended = true;
      if (this.user === null) socket.destroy();
      // A body that ends with the connection must not look complete.
      else if (wasReset(socket)) socket.destroy(resetError());
      else this.user.connectionEnd();
    });
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('close', () => {
      this.state = 'closed';
      owner.closed(this, this.#error);
    });
  }

  /** True while nothing speaks against a further request: not closed, not half-closed. */
  get usable(): boolean {
    return this.state !== 'closed' && !this.#ended && !this.#socket.destroyed;
  }

  /** Everything written so far has left. */
  get flushed(): boolean {
    return !this.#writer.waiting;
  }

  /**
   * Sends a string (latin1) or a buffer.
   * @returns true when all of it was taken by the kernel; false when `connectionDrained` will tell
   */
  write(data: string | Buffer): boolean {
    return typeof data === 'string' ? this.#writer.text(data) : this.#writer.bytes(data);
  }

  /** Holds writes back until `uncork`, so that they leave together. */
  cork(): void {
    this.#writer.cork();
  }

  /** @returns as `write` */
  uncork(): boolean {
    return this.#writer.uncork();
  }

  /** Closes the sending side; the backend may still answer. */
  end(): void {
    this.#socket.end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The buffer of the last read is still being sent: the next read must use another. */
  giveBufferAway(): void {
    this.#bufferGone = this.#storage !== sharedStorage;
  }

  destroy(): void {
    this.user = null;
    this.#socket.destroy();
  }

  nextBuffer(): Buffer {
    if (this.#bufferGone) {
      this.#bufferGone = false;
      this.#allocate(this.#readBuffer.length);
    }
    return this.#readBuffer;
  }

  bytesRead(size: number): boolean {
    const storage = this.#storage;
    // A read that fills the buffer announces a large body: read it in larger pieces from the next read on.
    if (size === this.#readBuffer.length && size < fullBufferSize) {
      this.#allocate(size < secondBufferSize ? secondBufferSize : fullBufferSize);
    }
    if (this.user === null) {
      // Bytes that nobody asked for: what comes next cannot be matched to a request.
      this.#socket.destroy();
      return false;
    }
    return this.user.connectionData(storage, headroom, headroom + size);
  }

  #allocate(size: number): void {
    this.#storage = Buffer.allocUnsafeSlow(headroom + size);
    this.#readBuffer = this.#storage.subarray(headroom);
  }
}
