// The head of an answer that is compressed on its way, and of those that stand beside it: what must be said otherwise then.
import { headerListFromPairs } from '../../http1/header-pairs.js';
import { listMembers } from '../../http1/list-members.js';
import { type BodyLength, type RequestHead, type ResponseHead, untilClose } from '../../http1/message.js';
import type { Coding } from '../../model/policy/compression.js';

/**
 * Lines that are true of the content as it was: its length, its framing, parts that may be asked for (RFC 9110 section
 * 14.3), digests of its bytes (RFC 9530).
 */
const ofPlainContent: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'accept-ranges',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
]);

/**
 * The head of the compressed answer.
 * @param length of the compressed content, or `untilClose` while it is unknown
 */
export function encodedHead(head: ResponseHead, coding: Coding, length: BodyLength = untilClose): ResponseHead {
  const pairs: string[] = [];
  for (let line = 0; line < head.headers.count; line++) {
    const name = head.headers.nameAt(line);
    const lower = name.toLowerCase();
    if (!ofPlainContent.has(lower))
      pairs.push(name, lower === 'etag' ? weak(head.headers.valueAt(line)) : head.headers.valueAt(line));
  }
  pairs.push('Content-Encoding', coding);
  return withPairs(head, varying(pairs, head), length);
}

/** The head of an answer that is passed on as it is to this client. */
export function variedHead(head: ResponseHead): ResponseHead {
  return withPairs(head, varying(head.headers.pairs(), head), head.body);
}

/**
 * The head of a 304. A client that has the compressed answer knows it by the weak form of its tag, and would not recognise it
 * by the strong one (RFC 9111 section 4.3.4).
 */
export function revalidatingHead(request: RequestHead, head: ResponseHead): ResponseHead {
  const [tag = ''] = head.headers.values('etag');
  const asked = request.headers.values('if-none-match').join();
  if (!isStrong(tag) || !asked.includes(`W/${tag}`)) return head;
  const pairs = head.headers.pairs();
  for (let at = 0; at < pairs.length; at += 2) {
    if ((pairs[at] as string).toLowerCase() === 'etag') pairs[at + 1] = weak(tag);
  }
  return withPairs(head, varying(pairs, head), head.body);
}

/** Tells caches that the answer hangs on Accept-Encoding (RFC 9110 section 12.5.5). */
function varying(pairs: string[], head: ResponseHead): string[] {
  const named = head.headers.values('vary').flatMap(listMembers);
  if (!named.includes('*') && !named.includes('accept-encoding')) pairs.push('Vary', 'Accept-Encoding');
  return pairs;
}

/** Two encodings of one content are not equal byte by byte (RFC 9110 section 8.8.3.3). */
function weak(tag: string): string {
  return isStrong(tag) ? `W/${tag}` : tag;
}

function isStrong(tag: string): boolean {
  return tag.startsWith('"');
}

function withPairs(head: ResponseHead, pairs: readonly string[], body: BodyLength): ResponseHead {
  const { status, line, reason, minor, keepAlive, upgrade, connectionNames } = head;
  return { status, line, reason, minor, headers: headerListFromPairs(pairs), body, keepAlive, upgrade, connectionNames };
}
