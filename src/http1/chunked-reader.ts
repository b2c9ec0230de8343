// Takes a chunked body apart, however the bytes are cut (RFC 9112 section 7.1).
//
// Strict where readers are known to differ: hexadecimal digits and nothing else for a size, CRLF and nothing else for a
// line end, no blanks around sizes and extensions (RFC 9112 calls them bad), no size beyond what a number can count.
import {
  carriageReturn as carriageReturnImported,
  fieldValueBytes as fieldValueBytesImported,
  hexDigits as hexDigitsImported,
  lineFeed as lineFeedImported,
  noDigit as noDigitImported,
  tokenBytes as tokenBytesImported,
} from './characters.js';
import { HeadBuffer } from './head-buffer.js';
import { describeByte, type HeadLimits, HeadLines, incomplete, refused } from './head-lines.js';
import { HeaderList } from './headers.js';
import { trailerLines } from './trailer-fields.js';

// Copies of imports: V8 loads and checks an imported binding at each use, and folds a constant of the module into the code.
const carriageReturn = carriageReturnImported;
const fieldValueBytes = fieldValueBytesImported;
const hexDigits = hexDigitsImported;
const lineFeed = lineFeedImported;
const noDigit = noDigitImported;
const tokenBytes = tokenBytesImported;

/** In the order of a chunk: those up to `quotedEnd` are on the line with the size. */
const State = {
  size: 0,
  extensionName: 1,
  extensionValue: 2,
  extensionToken: 3,
  quoted: 4,
  quotedPair: 5,
  quotedEnd: 6,
  sizeLineFeed: 7,
  data: 8,
  dataCarriageReturn: 9,
  dataLineFeed: 10,
  trailerStart: 11,
  trailers: 12,
  lastLineFeed: 13,
} as const;
type State = (typeof State)[keyof typeof State];

const semicolon = 0x3b;
const equalsSign = 0x3d;
const doubleQuote = 0x22;
const backslash = 0x5c;

/** Digits of a size, leading zeros included. */
const maxSizeDigits = 16;
/** The least size with more than 13 digits. Numbers count exactly up to 2 ** 53, and 13 digits stay below 2 ** 52. */
const sizeBound = 16 ** 13;

const lines = new HeadLines();

/** Reads one chunked body after another. A call allocates nothing, unless there are trailers. */
export class ChunkedReader {
  /** Where the body data found by the last `read` lies in the buffer that it was given; equal when there was none. */
  dataStart = 0;
  dataEnd = 0;
  /** True once the last chunk and the trailers are complete. */
  done = false;
  /** What is malformed, for the log; empty while nothing is. Data of the same call came before it. */
  error = '';
  /** Trailer lines that may be passed on, each ended by CRLF. */
  trailers = '';

  readonly #limits: HeadLimits;
  #state: State = State.size;
  /** Size of the chunk whose line is read, then what is left of its data. */
  #left = 0;
  #digits = 0;
  /** Bytes of the line with the size so far, and of the extension name or value being read, which must not be empty. */
  #lineBytes = 0;
  #part = 0;
  /** Bytes of extensions beyond the data that came with them. */
  #excess = 0;
  #collected: HeadBuffer | null = null;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** Makes ready for another body. */
  reset(): void {
    this.dataStart = 0;
    this.dataEnd = 0;
    this.done = false;
    this.error = '';
    this.trailers = '';
    this.#state = State.size;
    this.#left = 0;
    this.#digits = 0;
    this.#lineBytes = 0;
    this.#part = 0;
    this.#excess = 0;
    this.#collected = null;
  }

  /**
   * Reads on, up to the second piece of data, the end of the body or the end of the bytes. Call it while there are bytes,
   * `done` is false and `error` is empty.
   * @returns the new position; when `done`, just behind the body
   */
  read(buffer: Buffer, from: number, end: number): number {
    let at = from;
    this.dataStart = from;
    this.dataEnd = from;
    while (at < end && !this.done && this.error === '') {
      if (this.#state === State.data) {
        if (this.dataEnd > this.dataStart) return at;
        const take = Math.min(this.#left, end - at);
        this.dataStart = at;
        at += take;
        this.dataEnd = at;
        this.#left -= take;
        if (this.#left === 0) this.#state = State.dataCarriageReturn;
      } else if (this.#state === State.trailers) {
        at = this.#readTrailers(buffer, at, end);
      } else if (this.#state === State.trailerStart && buffer[at] !== carriageReturn) {
        this.#state = State.trailers;
      } else {
        this.#step(buffer[at] as number);
        at++;
      }
    }
    return at;
  }

  /** One byte that is neither data nor of a trailer line. */
  #step(byte: number): void {
    if (this.#state <= State.quotedEnd && byte !== carriageReturn && ++this.#lineBytes > this.#limits.maxLineBytes) {
      this.error = `the line of a chunk is longer than ${this.#limits.maxLineBytes} bytes`;
      return;
    }
    switch (this.#state) {
      case State.size: {
        const digit = hexDigits[byte] as number;
        if (digit !== noDigit) this.#addDigit(digit);
        else if (this.#digits === 0) this.#fail(byte, 'where a chunk size begins');
        else this.#endPart(byte, 'in a chunk size');
        return;
      }
      case State.sizeLineFeed:
        if (byte === lineFeed) this.#endSizeLine();
        else this.#fail(byte, 'after the CR of a chunk size');
        return;
      case State.extensionName:
      case State.extensionToken:
        if (tokenBytes[byte] !== 0) this.#part++;
        else if (this.#part === 0) this.#fail(byte, 'where a part of a chunk extension begins');
        else if (byte === equalsSign && this.#state === State.extensionName) this.#state = State.extensionValue;
        else this.#endPart(byte, 'in a chunk extension');
        return;
      case State.extensionValue:
        this.#part = 1;
        if (byte === doubleQuote) this.#state = State.quoted;
        else if (tokenBytes[byte] !== 0) this.#state = State.extensionToken;
        else this.#fail(byte, 'where the value of a chunk extension begins');
        return;
      case State.quoted:
        if (byte === doubleQuote) this.#state = State.quotedEnd;
        else if (byte === backslash) this.#state = State.quotedPair;
        else if (fieldValueBytes[byte] === 0) this.#fail(byte, 'in a quoted chunk extension');
        return;
      case State.quotedPair:
        if (fieldValueBytes[byte] !== 0) this.#state = State.quoted;
        else this.#fail(byte, 'in a quoted chunk extension');
        return;
      case State.quotedEnd:
        this.#endPart(byte, 'behind a quoted chunk extension');
        return;
      case State.dataCarriageReturn:
        if (byte === carriageReturn) this.#state = State.dataLineFeed;
        else this.#fail(byte, 'behind the data of a chunk');
        return;
      case State.dataLineFeed:
        if (byte !== lineFeed) this.#fail(byte, 'behind the data of a chunk');
        this.#state = State.size;
        return;
      case State.trailerStart:
        this.#state = State.lastLineFeed;
        return;
      case State.lastLineFeed:
        if (byte === lineFeed) this.done = true;
        else this.#fail(byte, 'after the CR of the last line');
    }
  }

  #addDigit(digit: number): void {
    this.#left = this.#left * 16 + digit;
    this.#digits++;
    if (this.#left >= sizeBound || this.#digits > maxSizeDigits) this.error = 'a chunk size is too large';
  }

  /** A size, an extension name or value has ended: another extension or the end of the line must follow. */
  #endPart(byte: number, where: string): void {
    if (byte === carriageReturn) {
      this.#state = State.sizeLineFeed;
    } else if (byte === semicolon) {
      this.#state = State.extensionName;
      this.#part = 0;
    } else {
      this.#fail(byte, where);
    }
  }

  #endSizeLine(): void {
    // Extensions are dropped, so a sender could keep us busy with nothing: they must stay in proportion to the data.
    this.#excess = Math.max(0, this.#excess + this.#lineBytes - this.#digits - this.#left);
    if (this.#excess > this.#limits.maxHeadBytes) this.error = 'too many bytes of chunk extensions';
    this.#digits = 0;
    this.#lineBytes = 0;
    this.#state = this.#left === 0 ? State.trailerStart : State.data;
  }

  /** Takes trailer lines up to the empty line; the position behind what was taken. */
  #readTrailers(buffer: Buffer, from: number, end: number): number {
    if (this.#collected === null) this.#collected = new HeadBuffer(this.#limits.maxHeadBytes);
    const collected = this.#collected;
    const before = collected.length;
    const { maxHeadBytes } = this.#limits;
    const to = Math.min(end, from + maxHeadBytes - before);
    collected.append(buffer.subarray(from, to));
    if (!collected.mayBeComplete) return to;
    const bytes = collected.bytes;
    const stop = lines.scan(bytes, 0, bytes.length, this.#limits);
    if (stop === refused) {
      this.error = `${lines.detail} of the trailers`;
    } else if (stop === incomplete) {
      if (bytes.length >= maxHeadBytes) this.error = `the trailers are longer than ${maxHeadBytes} bytes`;
    } else {
      this.done = true;
      this.#collected = null;
      this.trailers = trailerLines(new HeaderList(bytes.toString('latin1', 0, stop - 2), lines.spans(), lines.present));
      return from + stop - before;
    }
    return to;
  }

  #fail(byte: number, where: string): void {
    this.error = `${describeByte(byte)} ${where}`;
  }
}
