// One side of a TCP stream, towards a client or a target: reads into a lent buffer, writes past the stream machinery, knows its ends.
import type net from 'node:net';
import { sharedReadBuffer } from '../base/shared-read-buffer.js';
import { resetError, resetSocket, wasReset } from '../base/socket-reset.js';
import { SocketWriter } from '../base/socket-writer.js';
import type { ReadTarget } from '../upstream/dial.js';
import { giveBack, lendLarge, smallRead } from './read-buffers.js';

/** Told what happens on a side. Plain methods, so that no closure is made a connection. */
export interface StreamUser {
  /**
   * Bytes arrived.
   * @param from the side that they came from
   * @param bytes valid until this returns: copy what is kept, or see `StreamSocket.lasting`
   */
  received(from: StreamSocket, bytes: Buffer): void;
  /** The other end closed its sending direction; it may still read. Comes after all bytes. */
  ended(from: StreamSocket): void;
  /** What `write` could not send at once has left. */
  drained(from: StreamSocket): void;
  /** The socket is gone, both directions. Comes once, last. @param error null: in good order, or we closed it */
  closed(from: StreamSocket, error: Error | null): void;
  /** The proxy stops: what need not go on should end. */
  drain?(): void;
  /** The deadline of a client is over. @returns true: it goes on all the same */
  expired?(): boolean;
}

/** A side. It reads from the moment of `resume` on, if it was paused before. */
export class StreamSocket implements ReadTarget {
  /** Bytes that came, and bytes handed over for sending. */
  bytesIn = 0;
  bytesOut = 0;
  /** Who is told; null: nobody, and what comes is dropped. */
  user: StreamUser | null = null;

  #socket: net.Socket | null = null;
  #writer: SocketWriter | null = null;
  #reading: Buffer = sharedReadBuffer;
  /** The bytes that are being delivered lie in the shared buffer. */
  #inShared = false;
  #delivering = false;
  #paused = false;
  #ended = false;
  #error: Error | null = null;
  #closed = false;

  /**
   * Takes a socket.
   * @param kind `plain` sockets are written to directly; a `secure` one encrypts; `handshake`: only its end is of interest,
   *   another call brings the socket that decrypts it
   */
  attach(socket: net.Socket, kind: 'plain' | 'secure' | 'handshake'): void {
    this.#socket = socket;
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('close', () => this.#onClose());
    if (kind === 'handshake') return;
    this.#writer = new SocketWriter(socket, kind === 'plain', () => this.user?.drained(this));
    socket.on('end', () => {
      // Half of what was to come must not look like all of it. Of a client whose address was asked for before, as it is to pick a target,
      // Node cannot tell any more: a reset that comes together with its last bytes stays an end.
      if (wasReset(socket)) {
        socket.destroy(resetError());
        return;
      }
      this.#ended = true;
      this.user?.ended(this);
    });
    if (this.#paused) socket.pause();
  }

  /** For sockets that do not read into our buffers: their bytes are delivered as they come. */
  readByEvents(): void {
    this.#socket?.on('data', (bytes: Buffer) => {
      this.#inShared = false;
      this.#deliver(bytes);
    });
    if (this.#paused) this.#socket?.pause();
  }

  get socket(): net.Socket | null {
    return this.#socket;
  }

  /** The other end has closed its sending direction. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Bytes wait for the other end to read. */
  get pending(): boolean {
    return this.#writer?.pending ?? false;
  }

  /**
   * Sends bytes, which must be left alone until they have left.
   * @returns true when the kernel took all of them; false when `drained` will tell
   */
  write(bytes: Buffer): boolean {
    if (this.#writer === null || this.#closed) return true;
    this.bytesOut += bytes.length;
    return this.#writer.bytes(bytes);
  }

  /**
   * The bytes of the `received` that runs, to be written to another side: they stay as they are until this side is resumed,
   * provided that it is paused at once where the write has to wait.
   */
  lasting(bytes: Buffer): Buffer {
    return this.#inShared ? Buffer.from(bytes) : bytes;
  }

  /** Closes the sending direction behind what was written. */
  end(): void {
    if (this.#socket?.writable === true) this.#socket.end();
  }

  /** Stops reading; the other end is made to wait by TCP. */
  pause(): void {
    this.#paused = true;
    // Within a delivery its return value says so, which is cheaper.
    if (!this.#delivering) this.#socket?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  /** Closes both directions at once; bytes that wait are dropped. */
  destroy(): void {
    this.#socket?.destroy();
  }

  /** As `destroy`, and tells the other end that something went wrong where TCP can. */
  reset(): void {
    if (this.#socket !== null) resetSocket(this.#socket);
  }

  nextBuffer(): Buffer {
    return this.#reading;
  }

  bytesRead(size: number): boolean {
    const buffer = this.#reading;
    this.#inShared = buffer === sharedReadBuffer;
    this.#delivering = true;
    this.#deliver(size === buffer.length ? buffer : buffer.subarray(0, size));
    this.#delivering = false;
    if (this.#inShared) {
      // A read that fills the buffer announces more.
      if (size === buffer.length && !this.#closed) this.#reading = lendLarge() ?? sharedReadBuffer;
    } else if (size < smallRead && !this.#paused && !this.#closed) {
      giveBack(buffer);
      this.#reading = sharedReadBuffer;
    }
    return !this.#paused;
  }

  #deliver(bytes: Buffer): void {
    this.bytesIn += bytes.length;
    this.user?.received(this, bytes);
  }

  /** Told once: sockets that encrypt and what they lie on both close. */
  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    // A write may still hold a buffer of a paused side: it is left to the collector then.
    if (this.#reading !== sharedReadBuffer) giveBack(this.#paused ? null : this.#reading);
    this.#reading = sharedReadBuffer;
    const { user } = this;
    this.user = null;
    user?.closed(this, this.#error);
    this.gone();
  }

  /** For a class that keeps account: called once, when the socket is gone. */
  protected gone(): void {}
}
