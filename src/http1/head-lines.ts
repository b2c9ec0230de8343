// The header lines of a head or of a trailer section, byte by byte: the hottest loop of the product.
//
// Strict, since what two programs read in two ways is how requests are smuggled: lines end with CRLF and nothing else,
// no folded lines, no blank before the colon (RFC 9112 sections 2.2, 5.1 and 5.2), no byte that the grammar has not.
import type { ErrorCode } from '../errors/catalog.js';
import {
  carriageReturn as carriageReturnImported,
  colon as colonImported,
  del as delImported,
  fieldValueBytes as fieldValueBytesImported,
  lineFeed as lineFeedImported,
  space as spaceImported,
  tab as tabImported,
  tokenBytes as tokenBytesImported,
} from './characters.js';
import { bit, type Kind, spanSize } from './headers.js';
import { kindOfName } from './known-headers.js';

// Copies of imports: V8 loads and checks an imported binding at each use, and folds a constant of the module into the code.
const carriageReturn = carriageReturnImported;
const colon = colonImported;
const del = delImported;
const fieldValueBytes = fieldValueBytesImported;
const lineFeed = lineFeedImported;
const space = spaceImported;
const tab = tabImported;
const tokenBytes = tokenBytesImported;
const hyphen = 0x2d;
const sizeOfSpan = spanSize;

/** How large a head may be. Named as in `ServerConfig`, which can be given as it is. */
export interface HeadLimits {
  /** Bytes of a whole head with its empty line; also of a trailer section. */
  readonly maxHeadBytes: number;
  /** Header lines. */
  readonly maxHeaderCount: number;
  /** Bytes of one line without its CRLF; also of the line that begins a chunk. */
  readonly maxLineBytes: number;
}

/** A scan ended before the empty line and nothing is wrong so far. */
export const incomplete = -1;
/** A scan met something that is refused: see `code` and `detail`. */
export const refused = -2;

/**
 * Reads header lines and remembers where things lie. Made once and used for every message: what a scan found is
 * overwritten by the next one. Scanning is synchronous, so parsers of one process can share an instance each.
 */
export class HeadLines {
  /** Kinds that occur, and kinds that occur on more than one line, as masks. */
  present = 0;
  repeated = 0;
  /** Why a scan was refused. */
  code: ErrorCode = 'bad-header';
  detail = '';

  /** Grows to the largest head seen and is copied with one `slice`, cheaper than pushing into a new array. */
  readonly #spans: number[] = [];
  #used = 0;
  #from = 0;
  /** Where the first line of each kind begins in `#spans`; valid only for kinds in `present`. */
  readonly #firstOf = new Int32Array(32);

  /**
   * Reads lines up to and including the empty line.
   * @param from where the first line begins
   * @param end where the bytes end
   * @returns the position behind the empty line, `incomplete` or `refused`
   */
  scan(buffer: Buffer, from: number, end: number, limits: HeadLimits): number {
    const { maxLineBytes, maxHeaderCount } = limits;
    const maxUsed = maxHeaderCount * sizeOfSpan;
    const spans = this.#spans;
    const firstOf = this.#firstOf;
    let present = 0;
    let repeated = 0;
    let used = 0;
    let at = from;
    this.#from = from;
    for (;;) {
      if (at >= end) return incomplete;
      const lineStart = at;
      if (buffer[at] === carriageReturn) {
        if (at + 1 === end) return incomplete;
        if (buffer[at + 1] !== lineFeed) return this.#refuseByte(buffer, at + 1, used, 'after CR');
        this.present = present;
        this.repeated = repeated;
        this.#used = used;
        return at + 2;
      }
      if (used === maxUsed) return this.#refuse('head-too-large', `more than ${maxHeaderCount} header lines`);
      const lineEnd = lineStart + maxLineBytes;
      const stop = Math.min(lineEnd, end);

      // Letters and hyphens are told by comparison, other bytes of a token by the table; `| 0` spares a check for overflow.
      while (at < stop) {
        const byte = buffer[at] as number;
        if (((byte | 0x20) - 0x61) >>> 0 > 25 && byte !== hyphen && tokenBytes[byte] === 0) break;
        at = (at + 1) | 0;
      }
      if (at === stop) {
        if (at === end) return incomplete;
        return this.#refuseLong(used, maxLineBytes);
      }
      if (buffer[at] !== colon || at === lineStart) return this.#refuseByte(buffer, at, used, 'in a header name');
      const nameEnd = at++;

      while (at < stop && (buffer[at] === space || buffer[at] === tab)) at++;
      const valueStart = at;
      // Comparisons instead of the table: this loop sees most bytes of a head, and a table would double its loads.
      while (at < stop) {
        const byte = buffer[at] as number;
        if ((byte < space && byte !== tab) || byte === del) break;
        at = (at + 1) | 0;
      }
      if (at >= end) return incomplete;
      if (buffer[at] !== carriageReturn) {
        if (fieldValueBytes[buffer[at] as number] !== 0) return this.#refuseLong(used, maxLineBytes);
        return this.#refuseByte(buffer, at, used, 'in a header value');
      }
      if (at + 1 === end) return incomplete;
      if (buffer[at + 1] !== lineFeed) return this.#refuseByte(buffer, at + 1, used, 'after CR');
      let valueEnd = at;
      while (valueEnd > valueStart && (buffer[valueEnd - 1] === space || buffer[valueEnd - 1] === tab)) valueEnd--;
      at += 2;

      const kind = kindOfName(buffer, lineStart, nameEnd);
      if (kind !== 0) {
        const kindBit = 1 << kind;
        if ((present & kindBit) === 0) firstOf[kind] = used;
        else repeated |= kindBit;
        present |= kindBit;
      }
      spans[used] = kind;
      spans[used + 1] = lineStart - from;
      spans[used + 2] = nameEnd - from;
      spans[used + 3] = valueStart - from;
      spans[used + 4] = valueEnd - from;
      used += sizeOfSpan;
    }
  }

  /** Spans of the last complete scan, for a `HeaderList`; positions count from where that scan began. */
  spans(): number[] {
    return this.#spans.slice(0, this.#used);
  }

  has(kind: Kind): boolean {
    return (this.present & bit(kind)) !== 0;
  }

  isRepeated(kind: Kind): boolean {
    return (this.repeated & bit(kind)) !== 0;
  }

  /** Where the value of the first line of a kind begins in the buffer. Only for kinds that are `present`. */
  valueStart(kind: Kind): number {
    return (this.#spans[(this.#firstOf[kind] as number) + 3] as number) + this.#from;
  }

  /** Where the value of the first line of a kind ends in the buffer. Only for kinds that are `present`. */
  valueEnd(kind: Kind): number {
    return (this.#spans[(this.#firstOf[kind] as number) + 4] as number) + this.#from;
  }

  #refuse(code: ErrorCode, detail: string): number {
    this.code = code;
    this.detail = detail;
    return refused;
  }

  #refuseLong(used: number, maxLineBytes: number): number {
    return this.#refuse('head-too-large', `header line ${used / sizeOfSpan + 1} is longer than ${maxLineBytes} bytes`);
  }

  // The byte is told as a number: what a stranger sent does not belong into a log as it is.
  #refuseByte(buffer: Buffer, at: number, used: number, where: string): number {
    return this.#refuse('bad-header', `${describeByte(buffer[at] as number)} ${where} (header line ${used / sizeOfSpan + 1})`);
  }
}

/** A byte for a log line, e.g. `byte 0x0a`. */
export const describeByte = (byte: number): string => `byte 0x${byte.toString(16).padStart(2, '0')}`;
