// A response head from the bytes of a backend: the status line, the header lines, and how the body is delimited (RFC 9112).
import { ProxyError } from '../errors/proxy-error.js';
import {
  carriageReturn as carriageReturnImported,
  fieldValueBytes as fieldValueBytesImported,
  lineFeed as lineFeedImported,
  space as spaceImported,
} from './characters.js';
import { connectionOptions } from './connection-options.js';
import { decideLength, unstated } from './framing.js';
import { describeByte, type HeadLimits, HeadLines, incomplete, refused } from './head-lines.js';
import { HeaderList, Kind } from './headers.js';
import { type BodyLength, type ResponseHead, untilClose } from './message.js';

// Copies of imports: V8 loads and checks an imported binding at each use, and folds a constant of the module into the code.
const carriageReturn = carriageReturnImported;
const fieldValueBytes = fieldValueBytesImported;
const lineFeed = lineFeedImported;
const space = spaceImported;

/** A response head that was read from a connection. */
export class ParsedResponseHead implements ResponseHead {
  readonly status: number;
  readonly line: string;
  readonly reason: string;
  readonly minor: 0 | 1;
  readonly headers: HeaderList;
  readonly body: BodyLength;
  readonly keepAlive: boolean;
  readonly upgrade: string;
  readonly connectionNames: ReadonlySet<string> | null;
  /** Bytes from `start` to the end of the empty line. */
  readonly byteLength: number;

  constructor(
    status: number,
    line: string,
    reason: string,
    minor: 0 | 1,
    headers: HeaderList,
    body: BodyLength,
    keepAlive: boolean,
    upgrade: string,
    connectionNames: ReadonlySet<string> | null,
    byteLength: number,
  ) {
    this.status = status;
    this.line = line;
    this.reason = reason;
    this.minor = minor;
    this.headers = headers;
    this.body = body;
    this.keepAlive = keepAlive;
    this.upgrade = upgrade;
    this.connectionNames = connectionNames;
    this.byteLength = byteLength;
  }
}

const lines = new HeadLines();

const versionPrefix = 'HTTP/1.';
const zero = 0x30;
/** Where things begin in `HTTP/1.1 200 OK`. */
const minorAt = 7;
const statusAt = 9;
const statusEnd = 12;
const reasonAt = 13;

/** Why the status line was refused; set when `scanStatusLine` returns `refused`. */
let statusLineDetail = '';

/**
 * Reads one response head, interim or final.
 * @param start where the head begins
 * @param end where the bytes end
 * @param method of the request that is answered: there is no body after HEAD
 * @returns the head; the error `backend-bad-response`; or null when the head is incomplete and nothing is wrong so far
 */
export function parseResponseHead(
  buffer: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
  method: string,
): ParsedResponseHead | ProxyError | null {
  const { maxHeadBytes } = limits;
  const full = end - start >= maxHeadBytes;
  const stop = full ? start + maxHeadBytes : end;
  const headersStart = scanStatusLine(buffer, start, stop, limits.maxLineBytes);
  if (headersStart === refused) return badResponse(statusLineDetail);
  const headEnd = headersStart === incomplete ? incomplete : lines.scan(buffer, headersStart, stop, limits);
  if (headEnd === refused) return badResponse(lines.detail);
  if (headEnd === incomplete) return full ? badResponse(`the head is longer than ${maxHeadBytes} bytes`) : null;

  const status =
    (digit(buffer, start + statusAt) * 10 + digit(buffer, start + statusAt + 1)) * 10 + digit(buffer, start + statusAt + 2);
  const minor = buffer[start + minorAt] === zero ? 0 : 1;
  const text = buffer.toString('latin1', start, headEnd - 2);
  const headers = new HeaderList(text.slice(headersStart - start), lines.spans(), lines.present);

  // Checked for every status: a backend whose lengths are wrong is not one to keep a connection to.
  const length = decideLength(buffer, lines, headers, minor);
  if (typeof length !== 'number') return badResponse(length.detail);
  const options = connectionOptions(buffer, lines, headers);
  if (options === null) return badResponse('a member of Connection is not a token');

  const body = hasNoBody(status, method) ? 0 : length === unstated ? untilClose : length;
  // A 204 that announces a body may well send it: what follows on such a connection cannot be trusted.
  const announcesWrongly = status === 204 && length !== unstated && length !== 0;
  const keepAlive = body !== untilClose && !announcesWrongly && !options.close && (minor === 1 || options.keepAlive);
  const reason = headersStart - start > reasonAt + 2 ? text.slice(reasonAt, headersStart - start - 2) : '';
  return new ParsedResponseHead(
    status,
    // As it came wherever it can be: a slice costs less than a string put together.
    minor === 1 && reason !== '' ? text.slice(0, headersStart - start) : `HTTP/1.1 ${status} ${reason}\r\n`,
    reason,
    minor,
    headers,
    body,
    keepAlive,
    status === 101 ? headers.joined(Kind.upgrade) : '',
    options.names,
    headEnd - start,
  );
}

/** Responses that end with their head whatever it says (RFC 9112 section 6.3). */
const hasNoBody = (status: number, method: string): boolean =>
  method === 'HEAD' || status < 200 || status === 204 || status === 304;

const digit = (buffer: Buffer, at: number): number => (buffer[at] as number) - zero;

const badResponse = (detail: string): ProxyError => new ProxyError('backend-bad-response', detail);

/**
 * Reads `HTTP/1.x 123 reason` and CRLF; the reason, and the blank before it, may be missing (RFC 9112 section 4 asks for
 * the blank, but it has no meaning and servers leave it out).
 */
function scanStatusLine(buffer: Buffer, from: number, end: number, maxLineBytes: number): number {
  if (end - from < statusEnd || !isUsualStart(buffer, from)) {
    for (let letter = 0; letter < statusEnd; letter++) {
      const at = from + letter;
      if (at === end) return incomplete;
      if (!isRightInStatusLine(buffer[at] as number, letter)) return refuseByte(buffer, at, 'in the status line');
    }
  }
  let at = from + statusEnd;
  if (at === end) return incomplete;
  if (buffer[at] === space) {
    const lineEnd = from + maxLineBytes;
    const stop = Math.min(lineEnd, end);
    at++;
    while (at < stop && fieldValueBytes[buffer[at] as number] !== 0) at++;
    if (at >= end) return incomplete;
    if (fieldValueBytes[buffer[at] as number] !== 0) {
      statusLineDetail = `the status line is longer than ${maxLineBytes} bytes`;
      return refused;
    }
  }
  if (buffer[at] !== carriageReturn) return refuseByte(buffer, at, 'in the status line');
  if (at + 1 === end) return incomplete;
  if (buffer[at + 1] !== lineFeed) return refuseByte(buffer, at + 1, 'after CR');
  return at + 2;
}

/** Whether the line begins with `HTTP/1.1 2dd`, as nearly all do: told in one go instead of letter by letter. */
function isUsualStart(buffer: Buffer, at: number): boolean {
  return (
    buffer[at] === 0x48 &&
    buffer[at + 1] === 0x54 &&
    buffer[at + 2] === 0x54 &&
    buffer[at + 3] === 0x50 &&
    buffer[at + 4] === 0x2f &&
    buffer[at + 5] === 0x31 &&
    buffer[at + 6] === 0x2e &&
    buffer[at + 7] === 0x31 &&
    buffer[at + 8] === space &&
    buffer[at + 9] === 0x32 &&
    ((buffer[at + 10] as number) - zero) >>> 0 <= 9 &&
    ((buffer[at + 11] as number) - zero) >>> 0 <= 9
  );
}

/** Whether a byte may stand at a place of `HTTP/1.x 123`. Status codes begin at 100; those from 600 on are left to the client. */
function isRightInStatusLine(byte: number, letter: number): boolean {
  if (letter < versionPrefix.length) return byte === versionPrefix.charCodeAt(letter);
  if (letter === minorAt) return byte === zero || byte === zero + 1;
  if (letter === statusAt - 1) return byte === space;
  return byte >= (letter === statusAt ? zero + 1 : zero) && byte <= zero + 9;
}

function refuseByte(buffer: Buffer, at: number, where: string): number {
  statusLineDetail = `${describeByte(buffer[at] as number)} ${where}`;
  return refused;
}
