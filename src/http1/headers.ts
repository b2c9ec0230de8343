// The header lines of one message: the text as it came, and where each name and value lies in it.
//
// Lines that need no change are forwarded as slices of the text, so a message with twelve headers costs one or two
// string slices, not twenty-four. Names that the proxy cares about carry a kind, so that sets of them are one bit mask.

import { lengthsOf } from './header-names.js';

/** Header names that the proxy itself reads or removes. At most 31 kinds, since a set of them is a 32-bit mask. */
export const Kind = {
  other: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  upgrade: 5,
  expect: 6,
  keepAlive: 7,
  te: 8,
  trailer: 9,
  proxyConnection: 10,
  xForwardedFor: 11,
  xForwardedProto: 12,
  xForwardedPort: 13,
  xForwardedHost: 14,
  xForwardedProtocol: 15,
  xRealIp: 16,
  xRequestId: 17,
  forwarded: 18,
  userAgent: 19,
  referer: 20,
  xDebug: 21,
  date: 22,
  retryAfter: 23,
  setCookie: 24,
  cookie: 25,
  authorization: 26,
  accept: 27,
  proxyAuthorization: 28,
  /** Of no interest by itself: as `setCookie`, it must not come in a trailer. */
  location: 24,
  /** `traceparent` and `tracestate`. */
  trace: 29,
  contentType: 30,
  /** A name that equals one of the above but for `_` in place of `-`; CGI-like backends cannot tell them apart, so it is never forwarded. Neither are names by which only this proxy may speak. */
  underscored: 31,
} as const;

/** One of the values of `Kind`. */
export type Kind = (typeof Kind)[keyof typeof Kind];

/** The bit of a kind in a mask. */
export const bit = (kind: Kind): number => 1 << kind;

/** Numbers kept a header line in `spans`: kind, start of the name (and of the line), end of the name, start and end of the value. */
export const spanSize = 5;

/** Header lines with their positions. Names keep their case and order; look-up ignores case. */
export class HeaderList {
  /** All lines, each ended by CRLF; without the start line and without the empty line. */
  readonly text: string;
  /** `spanSize` numbers a line. */
  readonly spans: readonly number[];
  /** Which kinds occur, as a mask. */
  readonly present: number;

  constructor(text: string, spans: readonly number[], present: number) {
    this.text = text;
    this.spans = spans;
    this.present = present;
  }

  /** Number of header lines. */
  get count(): number {
    return this.spans.length / spanSize;
  }

  kindAt(line: number): Kind {
    return this.spans[line * spanSize] as Kind;
  }

  /** Name of a line, in the case it was sent in. */
  nameAt(line: number): string {
    return this.text.slice(this.spans[line * spanSize + 1], this.spans[line * spanSize + 2]);
  }

  nameLengthAt(line: number): number {
    return (this.spans[line * spanSize + 2] as number) - (this.spans[line * spanSize + 1] as number);
  }

  /** Value of a line, without surrounding blanks. */
  valueAt(line: number): string {
    return this.text.slice(this.spans[line * spanSize + 3], this.spans[line * spanSize + 4]);
  }

  has(kind: Kind): boolean {
    return (this.present & (1 << kind)) !== 0;
  }

  /** Value of the first line of a kind, or an empty string. */
  first(kind: Kind): string {
    if ((this.present & (1 << kind)) === 0) return '';
    const spans = this.spans;
    for (let at = 0; at < spans.length; at += spanSize) {
      if (spans[at] === kind) return this.text.slice(spans[at + 3], spans[at + 4]);
    }
    return '';
  }

  /** All values of a kind joined with `, ` (RFC 9110 section 5.3), or an empty string. Not for Set-Cookie. */
  joined(kind: Kind): string {
    if ((this.present & (1 << kind)) === 0) return '';
    const spans = this.spans;
    let all = '';
    for (let at = 0; at < spans.length; at += spanSize) {
      if (spans[at] !== kind) continue;
      const value = this.text.slice(spans[at + 3], spans[at + 4]);
      all = all === '' ? value : `${all}, ${value}`;
    }
    return all;
  }

  /** Whether there is a line of a name, in any case. */
  hasName(name: string): boolean {
    const { spans, text } = this;
    for (let at = 0; at < spans.length; at += spanSize) {
      const start = spans[at + 1] as number;
      const end = spans[at + 2] as number;
      if (end - start === name.length && text.slice(start, end).toLowerCase() === name.toLowerCase()) return true;
    }
    return false;
  }

  /** All values of a name (in any case), in order. */
  values(name: string): string[] {
    const wanted = name.toLowerCase();
    const found: string[] = [];
    const { spans, text } = this;
    for (let at = 0; at < spans.length; at += spanSize) {
      const start = spans[at + 1] as number;
      const end = spans[at + 2] as number;
      // Most names are told apart by their length, without a text being made of them.
      if (end - start !== wanted.length || text.slice(start, end).toLowerCase() !== wanted) continue;
      found.push(text.slice(spans[at + 3], spans[at + 4]));
    }
    return found;
  }

  /** Names and values in turn, as they were sent. */
  pairs(): string[] {
    const pairs: string[] = [];
    for (let line = 0; line < this.count; line++) pairs.push(this.nameAt(line), this.valueAt(line));
    return pairs;
  }

  /**
   * The lines that remain when some are dropped, ready to be sent.
   * @param mask kinds to drop
   * @param names further names to drop, in lower case (the tokens of Connection), or null
   */
  without(mask: number, names: ReadonlySet<string> | null): string {
    if ((this.present & mask) === 0 && names === null) return this.text;
    const { spans, text } = this;
    const lengths = names === null ? 0 : lengthsOf(names);
    let kept = '';
    let from = 0;
    for (let at = 0; at < spans.length; at += spanSize) {
      const kind = spans[at] as number;
      const start = spans[at + 1] as number;
      const end = spans[at + 2] as number;
      let dropped = (mask & (1 << kind)) !== 0;
      if (!dropped && (lengths & (1 << (end - start))) !== 0) dropped = names!.has(text.slice(start, end).toLowerCase());
      if (!dropped) continue;
      if (start > from) kept += text.slice(from, start);
      from = at + spanSize < spans.length ? (spans[at + spanSize + 1] as number) : text.length;
    }
    return from === 0 ? text : kept + text.slice(from);
  }
}

/** A list without lines. */
export const noHeaders = new HeaderList('', [], 0);
