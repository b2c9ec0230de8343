// A line of RESP that holds a count, read byte by byte, as strictly as Redis reads it: no signs but a minus, no leading zeros.
import { broken, unfinished } from './framing.js';

/** `value` of a line that says `?`: the count is not known beforehand. */
export const unknownCount = -2;

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const zero = 0x30;
const nine = 0x39;
const minus = 0x2d;
const question = 0x3f;
const mostDigits = 15;

export class CountLine {
  /** What the last complete line said; any negative number is -1. */
  value = 0;
  #number = 0;
  #digits = 0;
  #negative = false;
  #unknown = false;
  #returned = false;

  /** @returns the place behind the line feed, or `unfinished`, or `broken` */
  read(bytes: Buffer, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number;
      if (this.#returned) return byte === lineFeed && this.#complete() ? at + 1 : broken;
      if (byte === carriageReturn) this.#returned = true;
      else if (byte >= zero && byte <= nine) {
        const leadingZero = this.#digits > 0 && this.#number === 0;
        if (leadingZero || this.#unknown || this.#digits === mostDigits) return broken;
        this.#number = this.#number * 10 + byte - zero;
        this.#digits++;
      } else if (this.#digits > 0 || this.#negative || this.#unknown) return broken;
      else if (byte === minus) this.#negative = true;
      else if (byte === question) this.#unknown = true;
      else return broken;
    }
    return unfinished;
  }

  #complete(): boolean {
    const valid = this.#unknown || (this.#digits > 0 && !(this.#negative && this.#number === 0));
    this.value = this.#unknown ? unknownCount : this.#negative ? -1 : this.#number;
    this.#number = 0;
    this.#digits = 0;
    this.#negative = false;
    this.#unknown = false;
    this.#returned = false;
    return valid;
  }
}
