// The request line, byte by byte (RFC 9112 section 3): method, one blank, target, one blank, version, CRLF.
import type { ErrorCode } from '../errors/catalog.js';
import {
  carriageReturn as carriageReturnImported,
  lineFeed as lineFeedImported,
  space as spaceImported,
  targetBytes as targetBytesImported,
  tokenBytes as tokenBytesImported,
} from './characters.js';
import { describeByte, incomplete, refused } from './head-lines.js';

// Copies of imports: V8 loads and checks an imported binding at each use, and folds a constant of the module into the code.
const carriageReturn = carriageReturnImported;
const lineFeed = lineFeedImported;
const space = spaceImported;
const targetBytes = targetBytesImported;
const tokenBytes = tokenBytesImported;

/** The version; `#` stands for a digit. */
const versionShape = 'HTTP/#.#';
const anyDigit = '#'.charCodeAt(0);
const zero = 0x30;
const nine = 0x39;
const one = 0x31;

/** Longer than any method that is registered; what goes on without a blank is not HTTP (RFC 9112 section 3: 501). */
const maxMethodBytes = 64;

/** Finds the parts of a request line. Made once and used for every request; what was found is overwritten by the next scan. */
export class RequestLine {
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  minor: 0 | 1 = 1;
  /** Why a scan was refused. */
  code: ErrorCode = 'bad-request-line';
  detail = '';

  /**
   * Reads one line; what cannot be HTTP/1.x is refused at its first wrong byte.
   * @param from where the method begins
   * @param end where the bytes end
   * @param maxLineBytes bytes of the line without its CRLF
   * @returns the position behind the line, `incomplete` or `refused`
   */
  scan(buffer: Buffer, from: number, end: number, maxLineBytes: number): number {
    const lineEnd = from + maxLineBytes;
    const methodStop = Math.min(end, from + maxMethodBytes + 1, lineEnd);
    let at = from;
    while (at < methodStop && tokenBytes[buffer[at] as number] !== 0) at++;
    if (at - from > maxMethodBytes)
      return this.#refuse('method-not-supported', `the method is longer than ${maxMethodBytes} bytes`);
    if (at === end) return incomplete;
    if (at === lineEnd) return this.#refuseLong(maxLineBytes);
    if (buffer[at] !== space || at === from) return this.#refuseByte(buffer, at, 'in the method');
    this.methodEnd = at++;

    this.targetStart = at;
    const targetStop = Math.min(lineEnd, end);
    while (at < targetStop && targetBytes[buffer[at] as number] !== 0) at++;
    if (at >= targetStop) {
      if (at >= end) return incomplete;
      return this.#refuseLong(maxLineBytes);
    }
    if (buffer[at] !== space || at === this.targetStart) return this.#refuseByte(buffer, at, 'in the request target');
    this.targetEnd = at++;
    if (at + versionShape.length > lineEnd) return this.#refuseLong(maxLineBytes);
    return this.#scanVersion(buffer, at, end);
  }

  #scanVersion(buffer: Buffer, from: number, end: number): number {
    let at = from;
    for (let letter = 0; letter < versionShape.length; letter++, at++) {
      if (at === end) return incomplete;
      const byte = buffer[at] as number;
      const expected = versionShape.charCodeAt(letter);
      const right = expected === anyDigit ? byte >= zero && byte <= nine : byte === expected;
      if (!right) return this.#refuseByte(buffer, at, 'in the version');
    }
    if (at === end) return incomplete;
    if (buffer[at] !== carriageReturn) return this.#refuseByte(buffer, at, 'behind the version');
    if (at + 1 === end) return incomplete;
    if (buffer[at + 1] !== lineFeed) return this.#refuseByte(buffer, at + 1, 'after CR');
    const major = buffer[from + 5];
    const minor = buffer[from + 7] as number;
    if (major !== one || minor > one) return this.#refuse('bad-version', `the version is ${buffer.toString('latin1', from, at)}`);
    this.minor = minor === one ? 1 : 0;
    return at + 2;
  }

  #refuse(code: ErrorCode, detail: string): number {
    this.code = code;
    this.detail = detail;
    return refused;
  }

  #refuseLong(maxLineBytes: number): number {
    return this.#refuse('target-too-long', `the request line is longer than ${maxLineBytes} bytes`);
  }

  #refuseByte(buffer: Buffer, at: number, where: string): number {
    return this.#refuse('bad-request-line', `${describeByte(buffer[at] as number)} ${where}`);
  }
}
