// Bytes of a connection in the order they came, taken in lines and counts by whoever waits for them.
import type { Socket } from 'node:net';

/** How the sending side of a connection ended: in good order, or by a reset. */
export type EndKind = 'end' | 'reset';

/** Thrown when a connection ends before what was waited for has come. */
export class EndedEarly extends Error {
  readonly kind: EndKind;
  /** What had come of it. */
  readonly partial: Buffer;

  constructor(kind: EndKind, partial: Buffer) {
    super(`the connection ended (${kind}) after ${JSON.stringify(partial.toString('latin1').slice(-300))}`);
    this.kind = kind;
    this.partial = partial;
  }
}

export class ByteQueue {
  #chunks: Buffer[] = [];
  #length = 0;
  #end: EndKind | null = null;
  #wake: (() => void) | null = null;
  readonly #limit: number;
  /** All bytes that ever came. */
  total = 0;

  /**
   * @param socket filled from its events
   * @param limit milliseconds that a wait may last
   */
  constructor(socket: Socket, limit: number) {
    this.#limit = limit;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.total += chunk.length;
      this.#wake?.();
    });
    socket.on('end', () => this.#ended('end'));
    socket.on('error', () => this.#ended('reset'));
    socket.on('close', () => this.#ended('reset'));
  }

  /** Bytes that nobody has taken yet. */
  get length(): number {
    return this.#length;
  }

  /** How the sender ended; null while it has not. */
  get end(): EndKind | null {
    return this.#end;
  }

  /** Takes bytes, as many as asked for. */
  async take(count: number): Promise<Buffer> {
    while (this.#length < count) await this.#more(`${count} bytes`);
    return this.#cut(count);
  }

  /** Takes what is there, at least one byte; null at the end. */
  async some(): Promise<Buffer | null> {
    while (this.#length === 0) {
      if (this.#end !== null) return null;
      await this.#wait('some bytes');
    }
    return this.#cut(this.#length);
  }

  /** Takes bytes up to and with a text. */
  async until(text: string): Promise<Buffer> {
    for (;;) {
      const all = this.#joined();
      const at = all.indexOf(text, 0, 'latin1');
      if (at >= 0) return this.#cut(at + text.length);
      await this.#more(JSON.stringify(text));
    }
  }

  /** Takes everything until the sender ends. */
  async rest(): Promise<{ bytes: Buffer; end: EndKind }> {
    while (this.#end === null) await this.#wait('the end of the connection');
    return { bytes: this.#cut(this.#length), end: this.#end };
  }

  async #more(what: string): Promise<void> {
    if (this.#end !== null) throw new EndedEarly(this.#end, this.#cut(this.#length));
    await this.#wait(what);
  }

  #wait(what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#wake = null;
        const seen = JSON.stringify(this.#joined().toString('latin1').slice(0, 300));
        reject(new Error(`waited ${this.#limit} ms in vain for ${what}; there are ${this.#length} bytes: ${seen}`));
      }, this.#limit);
      this.#wake = () => {
        this.#wake = null;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #ended(kind: EndKind): void {
    this.#end ??= kind;
    this.#wake?.();
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  /** Takes from the front; a long body is joined once, not once a chunk. */
  #cut(count: number): Buffer {
    const pieces: Buffer[] = [];
    let missing = count;
    let used = 0;
    while (missing > 0) {
      const chunk = this.#chunks[used] as Buffer;
      if (chunk.length <= missing) {
        pieces.push(chunk);
        missing -= chunk.length;
        used++;
      } else {
        pieces.push(chunk.subarray(0, missing));
        this.#chunks[used] = chunk.subarray(missing);
        missing = 0;
      }
    }
    this.#chunks.splice(0, used);
    this.#length -= count;
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }
}
