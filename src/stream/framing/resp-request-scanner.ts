// Framing of the requests of Redis: arrays of texts, and the lines of whoever types. As strict as Redis, which would
// close the connection that all clients share because one of them sent nonsense.
import { CountLine } from './count-line.js';
import { broken, type FrameScanner, unfinished } from './framing.js';
import { inlineWords } from './inline-words.js';
import { longestName, ownAnswer } from './resp-shared-commands.js';

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const star = '*'.charCodeAt(0);
const dollar = '$'.charCodeAt(0);
/** Redis's own limits: bytes of a line (PROTO_INLINE_MAX_SIZE) and of a text (proto-max-bulk-len). */
const longestLine = 64 * 1024;
const longestText = 512 * 1024 * 1024;
const mostTexts = 2 ** 31 - 1;

type Part = 'begin' | 'count' | 'text-begin' | 'text-length' | 'text' | 'line';

export class RespRequestScanner implements FrameScanner {
  /** An empty command: Redis gives no answer to it. */
  alone = false;
  ownAnswer = '';
  last = false;
  fault = '';
  readonly #count = new CountLine();
  #part: Part = 'begin';
  /** The end of a request was found. */
  #done = false;
  /** Texts of the array that are still to come, and the number of those that came. */
  #texts = 0;
  #seen = 0;
  /** Bytes of a text, and of the line end behind it, that are still to come. */
  #missing = 0;
  /** The first two texts, or their beginnings. */
  #name = '';
  #second = '';
  /** A line that somebody types, as far as it has come. */
  #line = '';

  scan(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      switch (this.#part) {
        case 'begin':
          this.#name = '';
          this.#second = '';
          this.#seen = 0;
          this.#part = bytes[at] === star ? 'count' : 'line';
          if (this.#part === 'count') at++;
          break;
        case 'count':
          at = this.#readCount(bytes, at, end);
          break;
        case 'text-begin':
          if (bytes[at] !== dollar) return this.#refuse(`a text of Redis does not begin with the byte ${bytes[at]}`);
          this.#part = 'text-length';
          at++;
          break;
        case 'text-length':
          at = this.#readLength(bytes, at, end);
          break;
        case 'text':
          at = this.#readText(bytes, at, end);
          break;
        case 'line':
          at = this.#readLine(bytes, at, end);
          break;
      }
      if (at < 0 || this.#done) {
        this.#done = false;
        return at;
      }
    }
    return unfinished;
  }

  #readCount(bytes: Buffer, start: number, end: number): number {
    const at = this.#count.read(bytes, start, end);
    if (at === unfinished) return end;
    const { value } = this.#count;
    if (at === broken || value < -1 || value > mostTexts) return this.#refuse('the number of texts is none');
    this.#texts = value;
    if (value > 0) this.#part = 'text-begin';
    else this.#complete(true);
    return at;
  }

  #readLength(bytes: Buffer, start: number, end: number): number {
    const at = this.#count.read(bytes, start, end);
    if (at === unfinished) return end;
    const { value } = this.#count;
    if (at === broken || value < 0 || value > longestText) return this.#refuse('the length of a text is none');
    this.#missing = value + 2;
    this.#part = 'text';
    return at;
  }

  #readText(bytes: Buffer, start: number, end: number): number {
    const text = this.#missing - 2;
    const here = Math.min(end - start, this.#missing);
    // Only the words that a decision hangs on are made into strings: this is done for every request.
    if (this.#seen < 2 && text > 0) this.#gather(bytes, start, Math.min(text, here));
    const returnAt = start + text;
    const wrong =
      (text >= 0 && here > text && bytes[returnAt] !== carriageReturn) || (here > text + 1 && bytes[returnAt + 1] !== lineFeed);
    if (wrong) return this.#refuse('a text is longer than its length says');
    this.#missing -= here;
    if (this.#missing > 0) return end;
    this.#seen++;
    this.#texts--;
    if (this.#texts > 0) this.#part = 'text-begin';
    else this.#complete(false);
    return start + here;
  }

  /** GET and SET, and all others of three letters, are let through unread. */
  #gather(bytes: Buffer, start: number, size: number): void {
    if (this.#seen === 0) {
      if (this.#name === '' && this.#missing === 5) return;
      this.#name += bytes.toString('latin1', start, start + Math.min(size, longestName + 1 - this.#name.length));
    } else if (this.#name !== '') {
      this.#second += bytes.toString('latin1', start, start + Math.min(size, longestName + 1 - this.#second.length));
    }
  }

  #readLine(bytes: Buffer, start: number, end: number): number {
    const found = bytes.indexOf(lineFeed, start);
    const whole = found !== -1 && found < end;
    this.#line += bytes.toString('latin1', start, whole ? found : end);
    if (this.#line.length > longestLine) return this.#refuse('a line is longer than 64 KiB');
    if (!whole) return end;
    const words = inlineWords(this.#line);
    this.#line = '';
    if (words === null) return this.#refuse('a line has a zero byte, or quotation marks that are not closed');
    this.#name = (words[0] ?? '').slice(0, longestName + 1);
    this.#second = (words[1] ?? '').slice(0, longestName + 1);
    this.#complete(words.length === 0);
    return found + 1;
  }

  #complete(empty: boolean): void {
    this.#part = 'begin';
    this.#done = true;
    this.alone = empty;
    const own = this.#name === '' ? null : ownAnswer(this.#name, this.#second);
    this.ownAnswer = own?.text ?? '';
    this.last = own?.last ?? false;
  }

  #refuse(fault: string): number {
    this.fault = `Redis would not understand the request: ${fault}`;
    return broken;
  }
}
