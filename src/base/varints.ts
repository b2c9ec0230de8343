// Numbers and texts as bytes, small numbers as one: what processes tell each other every second should be short.

const firstSize = 4096;
/** The most bytes that a number takes. */
const maxNumber = 8;
/** The largest number of which the lowest 31 bits can be cut off by an operation on integers. */
const mostSmall = 2 ** 31 - 1;

/** Writes into a buffer that grows. Kept and used again, it allocates nothing. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(firstSize);
  #at = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }

  /** @param value a whole number from 0 to 2^53 - 1; seven bits a byte, the lowest first */
  number(value: number): void {
    this.#room(maxNumber);
    const buffer = this.#buffer;
    let at = this.#at;
    let rest = value;
    while (rest > mostSmall) {
      buffer[at++] = 0x80 | (rest % 128);
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      buffer[at++] = 0x80 | (rest & 127);
      rest >>>= 7;
    }
    buffer[at++] = rest;
    this.#at = at;
  }

  /** Its length in bytes, then the bytes. */
  text(value: string): void {
    const { length } = value;
    this.#room(length + maxNumber);
    const start = this.#at;
    this.number(length);
    const buffer = this.#buffer;
    let at = this.#at;
    // Nearly all names are short and plain: each call into the runtime would take longer than their letters do.
    for (let from = 0; from < length; from++) {
      const code = value.charCodeAt(from);
      if (code > 127) {
        this.#at = start;
        this.#writeAny(value);
        return;
      }
      buffer[at++] = code;
    }
    this.#at = at;
  }

  /** A copy of all that was written; begins anew. */
  take(): Buffer {
    return Buffer.from(this.takeView());
  }

  /** The same without a copy, for whoever is done with it before anything is written again. */
  takeView(): Buffer {
    const taken = this.#buffer.subarray(0, this.#at);
    this.#at = 0;
    return taken;
  }

  #writeAny(value: string): void {
    const length = Buffer.byteLength(value);
    this.number(length);
    this.#room(length);
    this.#at += this.#buffer.write(value, this.#at);
  }

  #room(length: number): void {
    if (this.#at + length <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + length));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

/** Reads what a ByteWriter wrote. Bytes that end early or make no sense are an Error, never a number out of bounds. */
export class ByteReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#buffer = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#buffer.length;
  }

  number(): number {
    const first = this.#buffer[this.#at];
    // Nearly all of them.
    if (first !== undefined && first < 128) {
      this.#at++;
      return first;
    }
    return this.#longNumber();
  }

  text(): string {
    const length = this.number();
    const end = this.#at + length;
    if (end > this.#buffer.length) throw new Error('a text is cut short');
    const text = this.#buffer.toString('utf8', this.#at, end);
    this.#at = end;
    return text;
  }

  /**
   * How many things follow.
   * @throws Error where there cannot be as many bytes left
   */
  count(): number {
    const count = this.number();
    if (count > this.#buffer.length - this.#at) throw new Error('more is announced than there is');
    return count;
  }

  #longNumber(): number {
    const buffer = this.#buffer;
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = buffer[this.#at++];
      if (byte === undefined || unit > 2 ** 49) throw new Error('a number is cut short or too large');
      value += (byte & 127) * unit;
      if (byte < 128) break;
      unit *= 128;
    }
    if (!Number.isSafeInteger(value)) throw new Error('a number is too large');
    return value;
  }
}
