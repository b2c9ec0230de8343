// Writes to a socket and tells at once whether the kernel took all of it, without the stream machinery where that is possible.
//
// A write through the stream costs a request object, a tick and a call back into JavaScript, although the kernel nearly
// always takes everything at once. The handle below it says so when it returns, so its request object can be used for
// the next write as well. Node does not document the handle: where it is not as expected, the stream serves.
import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';

/** A write that libuv is asked for; needed only when the kernel does not take all at once. */
interface WriteRequest {
  oncomplete?: (status: number) => void;
  /** Keeps the bytes alive while they wait. */
  buffer?: Buffer;
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: { readonly [index: number]: number };
  readonly kLastWriteWasAsync: number;
}

interface Handle {
  /** Both return 0 or a negative error number. */
  writeLatin1String(request: WriteRequest, text: string): number;
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
}

/** The handle of a socket that encrypts stands before that of its connection. */
interface EncryptingHandle {
  readonly _parent?: { readonly writeQueueSize?: number } | null;
}

function findBinding(): StreamBinding | null {
  try {
    const binding = (process as unknown as { binding(name: string): Partial<StreamBinding> }).binding('stream_wrap');
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = binding;
    const known = typeof WriteWrap === 'function' && streamBaseState !== undefined && typeof kLastWriteWasAsync === 'number';
    return known ? { WriteWrap, streamBaseState, kLastWriteWasAsync } : null;
  } catch {
    return null;
  }
}

const binding = findBinding();
const state = binding?.streamBaseState ?? [];
const wasAsync = binding?.kLastWriteWasAsync ?? 0;

/** The writing side of one plain or TLS socket. All writes of the socket must pass here, so that they stay in order. */
export class SocketWriter {
  readonly #socket: Socket;
  /** Told when what had to wait has left. */
  readonly #drained: () => void;
  /** Null: the stream serves. */
  #request: WriteRequest | null = null;
  #inFlight = 0;
  #corked = false;
  /** Bytes that the stream still counts although they have left: a handle that encrypts says so a turn later. */
  #unconfirmed = 0;
  /** What the stream held when it was corked. */
  #heldAtCork = 0;
  #waiting = false;
  readonly #flushed: () => void;

  /** @param direct false for sockets that encrypt: their handle says that a write is done a turn later than it is */
  constructor(socket: Socket, direct: boolean, drained: () => void) {
    this.#socket = socket;
    this.#drained = drained;
    if (direct && binding !== null) this.#request = new binding.WriteWrap();
    this.#flushed = () => {
      this.#unconfirmed = 0;
      this.#settle();
    };
  }

  /** Bytes wait for the other side. */
  get pending(): boolean {
    return this.#inFlight > 0 || this.#socket.writableLength > this.#unconfirmed;
  }

  /** Bytes wait, and `drained` has not been called for them. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** What waits now is nobody's concern any more: `drained` is not called for it alone. */
  restart(): void {
    this.#waiting = false;
  }

  /** Sends a latin1 text. @returns true when the kernel took all of it; false when `drained` will be called */
  text(text: string): boolean {
    const handle = this.#handle();
    if (handle === null) {
      const held = this.#socket.writableLength;
      this.#socket.write(text, 'latin1', this.#flushed);
      return this.#taken(held);
    }
    return this.#sent(handle.writeLatin1String(this.#request as WriteRequest, text), null);
  }

  /** Sends bytes, which must be left alone until they have left. @returns as `text` */
  bytes(bytes: Buffer): boolean {
    const handle = this.#handle();
    if (handle === null) {
      const held = this.#socket.writableLength;
      this.#socket.write(bytes, this.#flushed);
      return this.#taken(held);
    }
    return this.#sent(handle.writeBuffer(this.#request as WriteRequest, bytes), bytes);
  }

  /** Holds writes back until `uncork`, so that they leave together. */
  cork(): void {
    this.#corked = true;
    this.#heldAtCork = this.#socket.writableLength;
    this.#socket.cork();
  }

  /** @returns as `text` */
  uncork(): boolean {
    this.#corked = false;
    this.#socket.uncork();
    return this.#taken(this.#heldAtCork);
  }

  /** The handle, where nothing stands before it: what the stream holds must go first. */
  #handle(): Handle | null {
    const socket = this.#socket;
    if (this.#request === null || this.#corked || socket.writableLength > 0 || !socket.writable) return null;
    return (socket as Socket & { _handle?: Handle | null })._handle ?? null;
  }

  #sent(error: number, bytes: Buffer | null): boolean {
    if (error !== 0) {
      const code = getSystemErrorName(error);
      this.#socket.destroy(Object.assign(new Error(`write ${code}`), { code, errno: error, syscall: 'write' }));
      return true;
    }
    if (state[wasAsync] === 0) return true;
    this.#await(this.#request as WriteRequest, bytes);
    return false;
  }

  /** The kernel took a part; libuv sends the rest with this request, and the next write needs another one. */
  #await(request: WriteRequest, bytes: Buffer | null): void {
    this.#request = new (binding as StreamBinding).WriteWrap();
    this.#inFlight++;
    if (bytes !== null) request.buffer = bytes;
    request.oncomplete = (status) => {
      this.#inFlight--;
      if (status < 0 && !this.#socket.destroyed) this.#sent(status, null);
      else this.#settle();
    };
    this.#waiting = true;
  }

  #settle(): void {
    if (!this.#waiting || this.pending) return;
    this.#waiting = false;
    this.#drained();
  }

  /**
   * A write that the kernel took whole is off the queue when write() returns; 'drain' would never come for a short one.
   * @param held what the stream had before it
   */
  #taken(held: number): boolean {
    if (held === 0 && this.#isEncryptedAndSent()) this.#unconfirmed = this.#socket.writableLength;
    if (!this.pending) {
      // Under cork an earlier piece was counted as waiting; it has left with the others.
      this.#waiting = false;
      return true;
    }
    this.#waiting = true;
    return false;
  }

  /**
   * A handle that encrypts copies what it is given, and tells the stream of its end with the next turn only. The bytes have left,
   * and their buffer is free, when the connection below holds nothing.
   */
  #isEncryptedAndSent(): boolean {
    if (this.#corked) return false;
    const handle = (this.#socket as Socket & { _handle?: EncryptingHandle | null })._handle;
    return handle?._parent?.writeQueueSize === 0;
  }
}
