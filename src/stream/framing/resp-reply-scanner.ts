// Framing of the answers of Redis: a value of RESP2 or RESP3, however deeply values lie in it.
// https://redis.io/docs/latest/develop/reference/protocol-spec/
import { CountLine, unknownCount } from './count-line.js';
import { broken, type FrameScanner, unfinished } from './framing.js';

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
/** Values of unknown length that may lie in one another. */
const deepest = 64;

/** What stands behind a first byte. */
type Shape = 'line' | 'blob' | 'list' | 'pairs' | 'attributes' | 'chunk' | 'close';

const firstBytes: readonly (readonly [string, Shape])[] = [
  ['+-:_#,(', 'line'],
  ['$=!', 'blob'],
  ['*~>', 'list'],
  ['%', 'pairs'],
  ['|', 'attributes'],
  [';', 'chunk'],
  ['.', 'close'],
];
const shapes: (Shape | undefined)[] = new Array(256).fill(undefined);
for (const [characters, shape] of firstBytes) for (const first of characters) shapes[first.charCodeAt(0)] = shape;
const push = '>'.charCodeAt(0);

export class RespReplyScanner implements FrameScanner {
  /** A push: Redis says it of its own accord. */
  alone = false;
  readonly ownAnswer = '';
  readonly last = false;
  fault = '';
  readonly #count = new CountLine();
  /** Values that the message still needs; 0: it has not begun. */
  #values = 0;
  /** For each value of unknown length that is open: what was needed where it began. */
  readonly #around: number[] = [];
  /** Of the value whose line is being read; null: a value begins here. */
  #shape: Shape | null = null;
  /** The last byte of a simple value was a carriage return. */
  #returned = false;
  /** Bytes of a blob, and of the line end behind it, that are still to come. */
  #blob = 0;

  scan(bytes: Buffer, start: number, end: number): number {
    let at = start;
    if (this.#values === 0) {
      this.#values = 1;
      this.alone = bytes[at] === push;
    }
    while (at < end) {
      if (this.#blob > 0) at = this.#skipBlob(bytes, at, end);
      else if (this.#shape === null) at = this.#begin(bytes, at);
      else if (this.#shape === 'line') at = this.#skipLine(bytes, at, end);
      else if (this.#shape === 'close') at = this.#skipClose(bytes, at);
      else at = this.#readCount(bytes, at, end);
      if (at < 0 || this.#values === 0) return at;
    }
    return unfinished;
  }

  #begin(bytes: Buffer, at: number): number {
    const shape = shapes[bytes[at] as number];
    if (shape === undefined) return this.#refuse(`an answer of Redis does not begin with the byte ${bytes[at]}`);
    this.#shape = shape;
    return at + 1;
  }

  /** The text of a simple value may be long: it is not gathered. */
  #skipLine(bytes: Buffer, start: number, end: number): number {
    const found = bytes.indexOf(lineFeed, start);
    if (found === -1 || found >= end) {
      this.#returned = bytes[end - 1] === carriageReturn;
      return end;
    }
    const returned = found === start ? this.#returned : bytes[found - 1] === carriageReturn;
    if (!returned) return this.#refuse('a line feed stands in a simple value of Redis');
    return this.#valueEnded(found + 1);
  }

  #valueEnded(at: number): number {
    this.#shape = null;
    this.#returned = false;
    this.#values--;
    return at;
  }

  #skipBlob(bytes: Buffer, start: number, end: number): number {
    const text = this.#blob - 2;
    const here = Math.min(end - start, this.#blob);
    const returnAt = start + text;
    const wrong =
      (text >= 0 && here > text && bytes[returnAt] !== carriageReturn) || (here > text + 1 && bytes[returnAt + 1] !== lineFeed);
    if (wrong) return this.#refuse('a text of Redis is longer than its length says');
    this.#blob -= here;
    return this.#blob > 0 ? end : this.#valueEnded(start + here);
  }

  #readCount(bytes: Buffer, start: number, end: number): number {
    const at = this.#count.read(bytes, start, end);
    if (at === unfinished) return end;
    if (at === broken) return this.#refuse('a length of Redis is no number');
    const shape = this.#shape as Shape;
    const { value } = this.#count;
    this.#shape = null;
    if (value === unknownCount) return this.#open(shape) ? at : broken;
    if (shape === 'chunk') return this.#chunk(value) ? at : broken;
    if (shape === 'blob') {
      if (value < 0) return this.#valueEnded(at);
      this.#blob = value + 2;
      return at;
    }
    const more = value < 0 ? 0 : shape === 'list' ? value : 2 * value;
    // Attributes stand before the value that they belong to and are none themselves.
    this.#values += shape === 'attributes' ? more : more - 1;
    return Number.isSafeInteger(this.#values) ? at : this.#refuse('an answer of Redis has too many values');
  }

  /** A value whose length nobody knows yet: what lies in it counts for itself until it is closed. */
  #open(shape: Shape): boolean {
    if (shape === 'chunk' || shape === 'attributes' || this.#around.length === deepest) {
      this.#refuse('an answer of Redis has a value of unknown length where none can be');
      return false;
    }
    this.#around.push(this.#values);
    this.#values = 2 ** 52;
    return true;
  }

  /** A piece of a text of unknown length; the empty one is its end. */
  #chunk(size: number): boolean {
    if (size < 0 || this.#around.length === 0) {
      this.#refuse('an answer of Redis has a piece of a text that was not begun');
      return false;
    }
    if (size > 0) this.#blob = size + 2;
    else this.#values = (this.#around.pop() as number) - 1;
    return true;
  }

  /** The `.` and the line end which close an aggregate of unknown length. */
  #skipClose(bytes: Buffer, at: number): number {
    if (bytes[at] === carriageReturn && !this.#returned) {
      this.#returned = true;
      return at + 1;
    }
    const around = this.#around.pop();
    if (bytes[at] !== lineFeed || !this.#returned || around === undefined) {
      return this.#refuse('an answer of Redis closes a value that was not begun');
    }
    this.#values = around;
    return this.#valueEnded(at + 1);
  }

  #refuse(fault: string): number {
    this.fault = fault;
    return broken;
  }
}
