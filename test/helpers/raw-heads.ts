// Heads written as text, parsed, and what came of it in one word: for tests of the parsers.
import { ProxyError } from '../../src/errors/proxy-error.js';
import type { HeadLimits } from '../../src/http1/head-lines.js';
import { type ParsedRequestHead, parseRequestHead } from '../../src/http1/request-head.js';
import { type ParsedResponseHead, parseResponseHead } from '../../src/http1/response-head.js';

export const headLimits: HeadLimits = { maxHeadBytes: 16_384, maxHeaderCount: 100, maxLineBytes: 8_192 };

/** A GET of `/` for example.com with further header lines. */
export const getWith = (...lines: string[]): string => requestWith('GET / HTTP/1.1', 'Host: example.com', ...lines);

/** A head of a request (or response) line and header lines. */
export const requestWith = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`;

/** Parses a text, one byte a character. */
export function requestHead(text: string, limits: HeadLimits = headLimits): ParsedRequestHead | ProxyError | null {
  const bytes = Buffer.from(text, 'latin1');
  return parseRequestHead(bytes, 0, bytes.length, limits);
}

/** As `requestHead`, for heads that must be accepted. */
export function acceptedRequest(text: string, limits: HeadLimits = headLimits): ParsedRequestHead {
  const head = requestHead(text, limits);
  if (head === null || head instanceof ProxyError) throw new Error(`not accepted: ${head?.message ?? 'incomplete'}`);
  return head;
}

/** `accepted`, `incomplete`, or the code of the error. */
export function requestVerdict(text: string, limits: HeadLimits = headLimits): string {
  return verdict(requestHead(text, limits));
}

export function responseHead(
  text: string,
  method = 'GET',
  limits: HeadLimits = headLimits,
): ParsedResponseHead | ProxyError | null {
  const bytes = Buffer.from(text, 'latin1');
  return parseResponseHead(bytes, 0, bytes.length, limits, method);
}

/** As `responseHead`, for heads that must be accepted. */
export function acceptedResponse(text: string, method = 'GET'): ParsedResponseHead {
  const head = responseHead(text, method);
  if (head === null || head instanceof ProxyError) throw new Error(`not accepted: ${head?.message ?? 'incomplete'}`);
  return head;
}

/** `accepted`, `incomplete`, or the code of the error. */
export function responseVerdict(text: string, method = 'GET', limits: HeadLimits = headLimits): string {
  return verdict(responseHead(text, method, limits));
}

function verdict(head: ParsedRequestHead | ParsedResponseHead | ProxyError | null): string {
  if (head === null) return 'incomplete';
  return head instanceof ProxyError ? head.code : 'accepted';
}
