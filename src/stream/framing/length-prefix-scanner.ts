// Framing by a length: each message begins with a header of fixed size that says how many bytes follow.
import type { FramingSetting } from '../../config/stream-config.js';
import { broken, type FrameScanner, unfinished } from './framing.js';

type LengthPrefix = Extract<FramingSetting, { kind: 'length-prefix' }>;

export class LengthPrefixScanner implements FrameScanner {
  readonly alone = false;
  readonly ownAnswer = '';
  readonly last = false;
  fault = '';
  readonly #setting: LengthPrefix;
  readonly #headerSize: number;
  /** Bytes of the header that are known. */
  #seen = 0;
  /** What the length is, as far as it was read. */
  #length = 0;
  /** What the next byte of a little-endian length counts. */
  #weight = 1;
  /** Bytes behind the header that are still to come. */
  #missing = 0;

  constructor(setting: LengthPrefix) {
    this.#setting = setting;
    this.#headerSize = setting.offset + setting.size;
  }

  scan(bytes: Buffer, start: number, end: number): number {
    let at = start;
    if (this.#seen < this.#headerSize) {
      while (at < end && this.#seen < this.#headerSize) this.#header(bytes[at++] as number);
      if (this.#seen < this.#headerSize) return unfinished;
      this.#missing = this.#setting.includesHeader ? this.#length - this.#headerSize : this.#length;
      if (this.#missing < 0) {
        this.fault = `a length of ${this.#length} cannot count its own header of ${this.#headerSize} bytes`;
        return broken;
      }
      // Eight bytes can say more than a number holds exactly.
      if (!Number.isSafeInteger(this.#missing)) {
        this.fault = 'a length of more than 2^53 bytes';
        return broken;
      }
    }
    if (end - at < this.#missing) {
      this.#missing -= end - at;
      return unfinished;
    }
    at += this.#missing;
    this.#seen = 0;
    this.#length = 0;
    this.#weight = 1;
    this.#missing = 0;
    return at;
  }

  #header(byte: number): void {
    if (this.#seen++ < this.#setting.offset) return;
    if (this.#setting.endianness === 'big') {
      this.#length = this.#length * 256 + byte;
      return;
    }
    this.#length += byte * this.#weight;
    this.#weight *= 256;
  }
}
