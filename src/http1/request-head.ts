// A request head from bytes: the request line, the header lines, and what they mean together (RFC 9112).
import { ProxyError } from '../errors/proxy-error.js';
import { isAuthority, sameAuthority } from './authority.js';
import { carriageReturn, isWord, lineFeed } from './characters.js';
import { connectionOptions } from './connection-options.js';
import { decideLength, unstated } from './framing.js';
import { type HeadLimits, HeadLines, refused } from './head-lines.js';
import { HeaderList, Kind } from './headers.js';
import type { BodyLength, RequestHead } from './message.js';
import { methodAt } from './method.js';
import { RequestLine } from './request-line.js';
import { isServedTarget, splitAbsolute } from './request-target.js';

/** A request head that was read from a connection. */
export class ParsedRequestHead implements RequestHead {
  readonly method: string;
  readonly line: string;
  readonly target: string;
  readonly minor: 0 | 1;
  readonly authority: string;
  readonly headers: HeaderList;
  readonly body: BodyLength;
  readonly keepAlive: boolean;
  readonly upgrade: string;
  readonly expectsContinue: boolean;
  readonly connectionNames: ReadonlySet<string> | null;
  /** Bytes from `start` to the end of the empty line, skipped empty lines included. */
  readonly byteLength: number;

  constructor(
    method: string,
    line: string,
    target: string,
    minor: 0 | 1,
    authority: string,
    headers: HeaderList,
    body: BodyLength,
    keepAlive: boolean,
    upgrade: string,
    expectsContinue: boolean,
    connectionNames: ReadonlySet<string> | null,
    byteLength: number,
  ) {
    this.method = method;
    this.line = line;
    this.target = target;
    this.minor = minor;
    this.authority = authority;
    this.headers = headers;
    this.body = body;
    this.keepAlive = keepAlive;
    this.upgrade = upgrade;
    this.expectsContinue = expectsContinue;
    this.connectionNames = connectionNames;
    this.byteLength = byteLength;
  }
}

const requestLine = new RequestLine();
const lines = new HeadLines();

/** CRLFs before a request line that are skipped (RFC 9112 section 2.2 asks for one; old clients end a POST with two). */
const maxEmptyLines = 2;
const slash = 0x2f;

/**
 * Reads one request head.
 * @param start where the head begins, perhaps with empty lines
 * @param end where the bytes end
 * @returns the head; an error of the client; or null when the head is incomplete and nothing is wrong so far
 */
export function parseRequestHead(
  buffer: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
): ParsedRequestHead | ProxyError | null {
  const { maxHeadBytes } = limits;
  const full = end - start >= maxHeadBytes;
  const stop = full ? start + maxHeadBytes : end;
  let lineStart = start;
  for (let skipped = 0; skipped < maxEmptyLines && lineStart < stop && buffer[lineStart] === carriageReturn; skipped++) {
    if (lineStart + 1 === stop) return null;
    if (buffer[lineStart + 1] !== lineFeed) return new ProxyError('bad-request-line', 'a CR without LF before the request line');
    lineStart += 2;
  }
  const headersStart = requestLine.scan(buffer, lineStart, stop, limits.maxLineBytes);
  if (headersStart < 0) {
    if (headersStart === refused) return new ProxyError(requestLine.code, requestLine.detail);
    return full ? new ProxyError('target-too-long', `the request line is longer than ${maxHeadBytes} bytes`) : null;
  }
  const method = methodAt(buffer, lineStart, requestLine.methodEnd);
  // A proxy for known sites is no forward proxy; nothing behind it could be meant (RFC 9110 section 9.3.6).
  if (method === 'CONNECT') return new ProxyError('method-not-supported', 'CONNECT');
  const { targetStart, targetEnd, minor } = requestLine;
  if (buffer[targetStart] !== slash && !isServedTarget(buffer, targetStart, targetEnd, method)) {
    return new ProxyError('bad-request-line', 'the request target is neither a path nor an http or https URL');
  }
  const headEnd = lines.scan(buffer, headersStart, stop, limits);
  if (headEnd < 0) {
    if (headEnd === refused) return new ProxyError(lines.code, lines.detail);
    return full ? new ProxyError('head-too-large', `the request head is longer than ${maxHeadBytes} bytes`) : null;
  }

  // One string for everything: slices of it cost a tenth of strings made from bytes.
  const text = buffer.toString('latin1', lineStart, headEnd - 2);
  const headers = new HeaderList(text.slice(headersStart - lineStart), lines.spans(), lines.present);
  let target = text.slice(targetStart - lineStart, targetEnd - lineStart);

  let authority = '';
  if (lines.has(Kind.host)) {
    // RFC 9112 section 3.2: more than one, or one that is malformed, is answered with 400.
    if (lines.isRepeated(Kind.host)) return new ProxyError('bad-host', 'several Host lines');
    const from = lines.valueStart(Kind.host);
    const to = lines.valueEnd(Kind.host);
    if (from < to && !isAuthority(buffer, from, to))
      return new ProxyError('bad-host', 'the value of Host is not a host and port');
    authority = text.slice(from - lineStart, to - lineStart);
  } else if (minor === 1) {
    return new ProxyError('no-host');
  }
  if (buffer[targetStart] !== slash && target !== '*') {
    const url = splitAbsolute(target, method);
    // RFC 9112 section 3.2.2 lets the target win; a client that says two things is not one we want to understand.
    if (lines.has(Kind.host) && !sameAuthority(url.authority, authority, url.scheme)) {
      return new ProxyError('bad-host', 'Host and the request target name different authorities');
    }
    target = url.target;
    authority = url.authority;
  }
  // As it came wherever it can be: a slice costs less than a string put together.
  const asItCame = minor === 1 && buffer[targetStart] === slash;
  const line = asItCame ? text.slice(0, headersStart - lineStart) : `${method} ${target} HTTP/1.1\r\n`;

  const length = decideLength(buffer, lines, headers, minor);
  if (typeof length !== 'number') return new ProxyError(length.code, length.detail);
  const body = length === unstated ? 0 : length;

  const options = connectionOptions(buffer, lines, headers);
  if (options === null) return new ProxyError('bad-header', 'a member of Connection is not a token');
  const keepAlive = !options.close && (minor === 1 || options.keepAlive);
  const upgrade = minor === 1 && options.upgrade ? headers.joined(Kind.upgrade) : '';

  // An HTTP/1.0 client cannot wait for an interim response (RFC 9110 section 10.1.1).
  const expects = minor === 1 && lines.has(Kind.expect);
  if (
    expects &&
    (lines.isRepeated(Kind.expect) || !isWord(buffer, lines.valueStart(Kind.expect), lines.valueEnd(Kind.expect), '100-continue'))
  ) {
    return new ProxyError('bad-expectation');
  }
  return new ParsedRequestHead(
    method,
    line,
    target,
    minor,
    authority,
    headers,
    body,
    keepAlive,
    upgrade,
    expects && body !== 0,
    options.names,
    headEnd - start,
  );
}
