// node:http as an oracle for our parsers: what it refuses we refuse, or the list below says why not; what both accept they understand alike.
import { ProxyError } from '../../src/errors/proxy-error.js';
import { ChunkedReader } from '../../src/http1/chunked-reader.js';
import { chunked } from '../../src/http1/message.js';
import { parseRequestHead } from '../../src/http1/request-head.js';
import type { NodeParser, NodeVerdict } from './node-parser.js';
import { headLimits } from './raw-heads.js';

/** What our parsers make of the first message. */
export interface Ours {
  readonly kind: 'accepted' | 'refused' | 'incomplete';
  /** As `NodeVerdict`, for accepted messages; else why not. */
  readonly understood: object;
  readonly target: string;
  /** What follows the message. */
  readonly rest: string;
}

const waiting: Ours = { kind: 'incomplete', understood: {}, target: '', rest: '' };
const refusal = (why: string): Ours => ({ kind: 'refused', understood: { why }, target: '', rest: '' });

/** Reads one message, one byte a character. */
export function readMessage(text: string): Ours {
  const bytes = Buffer.from(text, 'latin1');
  const head = parseRequestHead(bytes, 0, bytes.length, headLimits);
  if (head === null) return waiting;
  if (head instanceof ProxyError) return refusal(head.code);
  let at = head.byteLength;
  let body = '';
  if (head.body === chunked) {
    const reader = new ChunkedReader(headLimits);
    while (at < bytes.length && !reader.done && reader.error === '') {
      at = reader.read(bytes, at, bytes.length);
      body += bytes.toString('latin1', reader.dataStart, reader.dataEnd);
    }
    if (reader.error !== '') return refusal(reader.error);
    if (!reader.done) return waiting;
  } else {
    if (at + head.body > bytes.length) return waiting;
    body = bytes.toString('latin1', at, at + head.body);
    at += head.body;
  }
  const { method, minor, headers } = head;
  const understood = { kind: 'accepted', method, version: `1.${minor}`, headers: headers.pairs(), body };
  return { kind: 'accepted', understood, target: head.target, rest: bytes.toString('latin1', at) };
}

/** Why a message that node:http refuses may be accepted here. A difference that is not on this list is a defect. */
const reasons: readonly { readonly reason: string; readonly applies: (text: string, why: string, rest: string) => boolean }[] = [
  {
    reason: 'any token is a method (RFC 9110 section 9.1); node:http has a fixed list, and ties some of it to other protocols',
    applies: (_, why) => why === 'HPE_INVALID_METHOD' || why === 'HPE_INVALID_CONSTANT' || why === 'HPE_INVALID_VERSION',
  },
  {
    reason: 'raw UTF-8 in a target is passed on, as other proxies do',
    applies: (text, why) => why === 'HPE_INVALID_URL' && /^[^\r\n]*[\x80-\xff]/.test(text.replace(/^(\r\n)+/, '')),
  },
  {
    reason: 'what follows the message is the business of the next one',
    applies: (_, __, rest) => rest !== '',
  },
  {
    reason: 'fields about framing in trailers are dropped (RFC 9110 section 6.5.1)',
    // Beside an upgrade node:http has answered by then, and ends the connection without an error.
    applies: (text, why) =>
      (['HPE_INVALID_CONTENT_LENGTH', 'HPE_INVALID_TRANSFER_ENCODING'].includes(why) ||
        (why === '200' && /\r\nupgrade:/i.test(text))) &&
      /\r\n0[^\r\n]*\r\n([^\r\n]+\r\n)*(content-length|transfer-encoding):/i.test(text),
  },
];

/**
 * Whether the list says why we accept a message that node:http refuses.
 * @param why the code of its error
 * @param rest what follows the message
 */
export function isKnownDifference(text: string, why: string, rest: string): boolean {
  return reasons.some(({ applies }) => applies(text, why, rest));
}

/**
 * Checks one text.
 * @returns the kinds of both verdicts, ours first
 * @throws Error where the two disagree and the list does not say why
 */
export async function compareWithNode(node: NodeParser, text: string): Promise<string> {
  const theirs: NodeVerdict = await node.judge(text);
  const own = readMessage(text);
  const check = (what: string, holds: boolean): void => {
    if (holds) return;
    throw new Error(`${what}\n${JSON.stringify(text)}\nnode: ${JSON.stringify(theirs)}\nours: ${JSON.stringify(own)}`);
  };
  if (theirs.kind === 'refused' && own.kind === 'accepted') {
    check('refused by node:http and accepted here, for no reason that is known', isKnownDifference(text, theirs.why, own.rest));
  } else if (theirs.kind === 'accepted' && own.kind === 'accepted') {
    const { target, ...rest } = theirs;
    check('both accept it and understand it differently', JSON.stringify(own.understood) === JSON.stringify(inOrder(rest)));
    // The absolute form is reduced here and left alone there.
    if (target.startsWith('/')) check('the targets differ', own.target === target);
  } else if (own.kind !== 'refused' && theirs.kind !== 'refused') {
    // Whoever waits while the other goes on is out of step: that is how requests are smuggled.
    check('one waits while the other goes on', own.kind === theirs.kind);
  }
  return `${own.kind} ${theirs.kind}`;
}

function inOrder({ kind, method, version, headers, body }: Omit<Extract<NodeVerdict, { kind: 'accepted' }>, 'target'>): object {
  return { kind, method, version, headers, body };
}
