// A response head from the fields of an HTTP/2 stream (RFC 9113 section 8.3.2), in the form that all listeners know.
import { STATUS_CODES } from 'node:http';
import { ProxyError } from '../errors/proxy-error.js';
import { decideLength, unstated } from '../http1/framing.js';
import type { HeadLimits } from '../http1/head-lines.js';
import { noHeaders } from '../http1/headers.js';
import { type ResponseHead, untilClose } from '../http1/message.js';
import { FieldSection } from './field-section.js';

const section = new FieldSection();

/**
 * Reads the fields of a response, interim or final.
 * @param raw names and values in turn
 * @param ended the stream has no body
 * @param method of the request that is answered
 * @returns the head, or the error `backend-bad-response`
 */
export function readStreamResponse(
  raw: readonly string[],
  ended: boolean,
  limits: HeadLimits,
  method: string,
): ResponseHead | ProxyError {
  section.read(raw);
  const { status } = section;
  if (!/^[1-9]\d\d$/.test(status) || status === '101') return badResponse(':status is no status of HTTP/2');
  const headers = section.text === '' ? noHeaders : section.scan(limits);
  if (headers === null) return badResponse(section.detail);
  const number = Number(status);
  const length = headers === noHeaders ? unstated : decideLength(section.bytes, section.lines, headers, 1);
  if (typeof length !== 'number') return badResponse(length.detail);
  const bodyless = ended || method === 'HEAD' || number < 200 || number === 204 || number === 304;
  const reason = STATUS_CODES[number] ?? '';
  return {
    status: number,
    line: `HTTP/1.1 ${status} ${reason}\r\n`,
    reason,
    minor: 1,
    headers,
    body: bodyless ? 0 : length === unstated ? untilClose : length,
    keepAlive: true,
    upgrade: '',
    connectionNames: null,
  };
}

const badResponse = (detail: string): ProxyError => new ProxyError('backend-bad-response', detail);
