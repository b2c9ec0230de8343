// How long a body is, by Content-Length and Transfer-Encoding (RFC 9112 section 6). What can be read in two ways is refused.
import type { ErrorCode } from '../errors/catalog.js';
import { isWord } from './characters.js';
import type { HeadLines } from './head-lines.js';
import { type HeaderList, Kind } from './headers.js';
import { listMembers } from './list-members.js';
import { type BodyLength, chunked } from './message.js';

/** The head says nothing about the length of its body. */
export const unstated: BodyLength = -3;

/** Why the length cannot be told; `code` is meant for requests. */
export interface FramingFault {
  readonly code: ErrorCode;
  readonly detail: string;
}

const zero = 0x30;
const space = 0x20;
const tab = 0x09;

/**
 * The length that a head states: a number of bytes, `chunked` or `unstated`; or why that is not one answer.
 * @param lines the scan of the head, in `buffer`
 * @param headers the same lines
 */
export function decideLength(buffer: Buffer, lines: HeadLines, headers: HeaderList, minor: 0 | 1): BodyLength | FramingFault {
  const hasLength = lines.has(Kind.contentLength);
  if (lines.has(Kind.transferEncoding)) {
    // RFC 9112 section 6.1: ought to be handled as an error, an attempt at smuggling.
    if (hasLength) return { code: 'ambiguous-length', detail: 'Content-Length beside Transfer-Encoding' };
    // RFC 9112 section 6.1: HTTP/1.0 has no transfer codings, so its framing is faulty.
    if (minor === 0) return { code: 'ambiguous-length', detail: 'Transfer-Encoding in HTTP/1.0' };
    const single = !lines.isRepeated(Kind.transferEncoding);
    const end = lines.valueEnd(Kind.transferEncoding);
    if (single && isWord(buffer, lines.valueStart(Kind.transferEncoding), end, 'chunked')) {
      return isTabBehind(buffer, end) ? { code: 'ambiguous-length', detail: 'a tab behind Transfer-Encoding' } : chunked;
    }
    return judgeCodings(headers.joined(Kind.transferEncoding));
  }
  if (!hasLength) return unstated;
  // Also equal values: whoever sends two has a reader in mind that takes only one of them (RFC 9112 section 6.3).
  if (lines.isRepeated(Kind.contentLength)) return { code: 'ambiguous-length', detail: 'several Content-Length lines' };
  const end = lines.valueEnd(Kind.contentLength);
  if (isTabBehind(buffer, end)) return { code: 'ambiguous-length', detail: 'a tab behind Content-Length' };
  const length = decimal(buffer, lines.valueStart(Kind.contentLength), end);
  return length >= 0 ? length : { code: 'ambiguous-length', detail: 'Content-Length is not a decimal number' };
}

/**
 * A tab is a blank by RFC 9110 section 5.6.3, and yet fields about framing with one are refused by some readers behind us, as
 * node:http is one.
 * @param at the end of a value: blanks may follow, and then the end of the line
 */
function isTabBehind(buffer: Buffer, at: number): boolean {
  let end = at;
  while (buffer[end] === space) end++;
  return buffer[end] === tab;
}

/** The number that the bytes are (digits only), or -1 where they are none or it cannot be counted to. */
function decimal(buffer: Buffer, from: number, to: number): number {
  if (from === to) return -1;
  let number = 0;
  for (let at = from; at < to; at++) {
    const digit = (buffer[at] as number) - zero;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
    if (number > Number.MAX_SAFE_INTEGER) return -1;
  }
  return number;
}

const tokenPattern = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const codingPattern = new RegExp(`^(${tokenPattern})([ \\t]*;[ \\t]*${tokenPattern}=${tokenPattern})*$`);

/** What is wrong with transfer codings other than a plain `chunked` (RFC 9112 sections 6.1, 6.3 and 7). */
function judgeCodings(value: string): FramingFault {
  const codings = listMembers(value);
  for (const coding of codings) {
    const match = codingPattern.exec(coding);
    // `chunked` has no parameters (RFC 9112 section 7.1).
    if (match === null || (match[1] === 'chunked' && match[2] !== undefined)) {
      return { code: 'bad-header', detail: 'Transfer-Encoding is malformed' };
    }
  }
  const first = codings.indexOf('chunked');
  if (first >= 0 && first < codings.length - 1)
    return { code: 'ambiguous-length', detail: 'chunked is not the last transfer coding, or applied twice' };
  return { code: 'unknown-transfer-coding', detail: 'a transfer coding other than chunked' };
}
