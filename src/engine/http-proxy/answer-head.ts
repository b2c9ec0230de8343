// The head of a backend's answer as node:http tells it, held to the same rules as one that the wire engine reads.
import { ProxyError } from '../../errors/proxy-error.js';
import type { HeadLimits } from '../../http1/head-lines.js';
import { headerListFromPairs } from '../../http1/header-pairs.js';
import type { ResponseHead } from '../../http1/message.js';
import { parseResponseHead } from '../../http1/response-head.js';
import { trailerLines } from '../../http1/trailer-fields.js';

/** What an IncomingMessage and the event `information` of node:http have in common. */
interface MessageStart {
  readonly statusCode?: number | undefined;
  readonly statusMessage?: string | undefined;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
}

/** node:http drops header lines beyond this number without a word; an answer that reaches it may be incomplete. */
const keptByNode = 2000;

/**
 * Writes the head out again and reads it with the product's own parser, so that both engines agree on what is a valid
 * answer, how its body is delimited and what Connection names.
 * @param method of the request that is answered
 */
export function answerHead(start: MessageStart, limits: HeadLimits, method: string): ResponseHead | ProxyError {
  const { rawHeaders } = start;
  if (rawHeaders.length >= keptByNode * 2)
    return new ProxyError('backend-bad-response', `more than ${keptByNode - 1} header lines`);
  let text = `HTTP/${start.httpVersion} ${start.statusCode ?? 0} ${start.statusMessage ?? ''}\r\n`;
  for (let at = 0; at < rawHeaders.length; at += 2) text += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
  const bytes = Buffer.from(`${text}\r\n`, 'latin1');
  return (
    parseResponseHead(bytes, 0, bytes.length, limits, method) ?? new ProxyError('backend-bad-response', 'the head is incomplete')
  );
}

/** Trailer lines that may be passed on, each ended by CRLF. What is malformed is left out: the body before it is complete. */
export function answerTrailers(rawTrailers: readonly string[]): string {
  if (rawTrailers.length === 0) return '';
  try {
    return trailerLines(headerListFromPairs(rawTrailers));
  } catch {
    return '';
  }
}
