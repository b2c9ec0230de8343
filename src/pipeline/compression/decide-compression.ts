// Whether an answer is compressed: by its status, its type, its size, what it says of itself, and what the client can read.
import { Kind } from '../../http1/headers.js';
import { listMembers } from '../../http1/list-members.js';
import type { RequestHead, ResponseHead } from '../../http1/message.js';
import type { Coding, Compression } from '../../model/policy/compression.js';
import { chooseCoding } from './choose-coding.js';

/**
 * What becomes of an answer. `as it is`: it would be passed on like that to any client; `varies`: other clients would get it
 * compressed, so caches have to be told; `revalidates`: it is a 304 for an answer that may have been compressed.
 */
export type CompressionDecision = Coding | 'as it is' | 'varies' | 'revalidates';

/** Statuses without content, and with a part of it, whose ranges count bytes of the content as it is (RFC 9110 section 14). */
const untouched: ReadonlySet<number> = new Set([204, 205, 206]);

/** @param extra header lines that will be added to the answer, each ended by CRLF */
export function decideCompression(
  request: RequestHead,
  head: ResponseHead,
  extra: string,
  { types, minBytes }: Compression,
  offered: readonly Coding[],
): CompressionDecision {
  const { status, headers } = head;
  if (status < 200 || untouched.has(status)) return 'as it is';
  if (status === 304) return 'revalidates';
  if (head.body === 0 && request.method !== 'HEAD') return 'as it is';
  const [type = ''] = headers.first(Kind.contentType).toLowerCase().split(';');
  if (!types.has(type.trim())) return 'as it is';
  const length =
    head.body > 0 ? head.body : headers.has(Kind.contentLength) ? Number(headers.first(Kind.contentLength)) : minBytes;
  if (length < minBytes) return 'as it is';
  if (headers.values('content-encoding').length > 0 || headers.values('content-range').length > 0) return 'as it is';
  if (forbidsTransform(headers.values('cache-control')) || forbidsTransform(request.headers.values('cache-control')))
    return 'as it is';
  if (/^content-encoding:|^cache-control:.*\bno-transform\b/im.test(extra)) return 'as it is';
  return chooseCoding(request.headers.values('accept-encoding').join(), offered) ?? 'varies';
}

/** RFC 9111 sections 5.2.1.6 and 5.2.2.6. */
function forbidsTransform(cacheControl: readonly string[]): boolean {
  return cacheControl.some((value) => listMembers(value).includes('no-transform'));
}
