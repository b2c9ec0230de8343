// An oracle: what node:http refuses is refused here too, and what both accept they understand in the same way.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProxyError } from '../../../src/errors/proxy-error.js';
import { ChunkedReader } from '../../../src/http1/chunked-reader.js';
import { chunked } from '../../../src/http1/message.js';
import { parseRequestHead } from '../../../src/http1/request-head.js';
import { NodeParser, type NodeVerdict } from '../../helpers/node-parser.js';
import { getWith, headLimits, requestWith } from '../../helpers/raw-heads.js';

const node = new NodeParser();
beforeAll(() => node.start());
afterAll(() => node.stop());

interface Ours {
  readonly kind: 'accepted' | 'refused' | 'incomplete';
  /** As `NodeVerdict`, for accepted messages; else why not. */
  readonly understood: object;
  readonly target: string;
  /** What follows the message. */
  readonly rest: string;
}

const waiting: Ours = { kind: 'incomplete', understood: {}, target: '', rest: '' };
const refusal = (why: string): Ours => ({ kind: 'refused', understood: { why }, target: '', rest: '' });

function ours(text: string): Ours {
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
    applies: (text, why) =>
      ['HPE_INVALID_CONTENT_LENGTH', 'HPE_INVALID_TRANSFER_ENCODING'].includes(why) &&
      /\r\n0[^\r\n]*\r\n([^\r\n]+\r\n)*(content-length|transfer-encoding):/i.test(text),
  },
  {
    reason: 'a tab behind a length is blank (RFC 9110 section 5.6.3), as before it, where node:http takes it too',
    applies: (text, why) => why === 'HPE_INVALID_CONTENT_LENGTH' && /\r\ncontent-length:[ \t]*\d+ *\t[ \t]*\r\n/i.test(text),
  },
];

/** Checks one text; gives the kinds of both verdicts. */
async function compare(text: string): Promise<string> {
  const theirs: NodeVerdict = await node.judge(text);
  const own = ours(text);
  const shown = `${JSON.stringify(text)}\nnode: ${JSON.stringify(theirs)}\nours: ${JSON.stringify(own)}`;
  if (theirs.kind === 'refused' && own.kind === 'accepted') {
    expect(
      reasons.some(({ applies }) => applies(text, theirs.why, own.rest)),
      shown,
    ).toBe(true);
  } else if (theirs.kind === 'accepted' && own.kind === 'accepted') {
    expect({ ...own.understood, target: '' }, shown).toEqual({ ...theirs, target: '' });
    // The absolute form is reduced here and left alone there.
    if (theirs.target.startsWith('/')) expect(own.target, shown).toBe(theirs.target);
  } else if (own.kind !== 'refused') {
    // Whoever waits while the other goes on is out of step: that is how requests are smuggled.
    if (theirs.kind !== 'refused') expect(own.kind, shown).toBe(theirs.kind);
  }
  return `${own.kind} ${theirs.kind}`;
}

const post = (...lines: string[]): string => requestWith('POST /path?q=1 HTTP/1.1', 'Host: example.com', ...lines);
const chunkedPost = `${post('Transfer-Encoding: chunked', 'A: b')}5;x="y"\r\nhello\r\n0\r\nT: v\r\n\r\n`;
const plainPost = `${post('Content-Length: 5', 'Connection: close, x', 'X-Y: \t z ')}hello`;

const both: readonly string[] = [
  getWith(),
  `\r\n${getWith('A: b')}`,
  requestWith('GET / HTTP/1.0'),
  requestWith('GET / HTTP/1.1', 'Host:'),
  requestWith('OPTIONS * HTTP/1.1', 'Host: a'),
  requestWith('GET http://a/b HTTP/1.1', 'Host: a'),
  requestWith('GET /|{}^"<>[]`\\ HTTP/1.1', 'Host: a'),
  getWith('X: \xe9'),
  getWith('Upgrade: x', 'Connection: upgrade'),
  plainPost,
  chunkedPost,
];

/** What node:http refuses: all of it is refused here as well. */
const neither: readonly string[] = [
  requestWith('GET / HTTP/1.1'),
  requestWith('GET /a b HTTP/1.1', 'Host: a'),
  'GET / HTTP/1.1\nHost: a\n\n',
  '\x16\x03\x01\x02\x00\x01\x00',
  getWith('A : b'),
  getWith(' A: b'),
  getWith(': b'),
  getWith('A'),
  getWith('A: \0'),
  getWith('A: b\rC: d'),
  getWith('A: b', ' folded'),
  getWith('Expect: something'),
  `${post('Content-Length: 5', 'Content-Length: 5')}hello`,
  `${post('Content-Length: 5', 'Content-Length: 6')}hello`,
  `${post('Content-Length: 5, 5')}hello`,
  `${post('Content-Length: +5')}hello`,
  `${post('Content-Length: 5 5')}hello`,
  `${post('Content-Length:')}hello`,
  `${post('Content-Length: 99999999999999999999')}hello`,
  `${post('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
  `${post('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n`,
  `${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n`,
  `${post('Transfer-Encoding: xchunked')}0\r\n\r\n`,
  `${post('Transfer-Encoding:\x0bchunked')}0\r\n\r\n`,
  `${post('Transfer-Encoding: chunked')} 5\r\nhello\r\n0\r\n\r\n`,
  `${post('Transfer-Encoding: chunked')}0x5\r\nhello\r\n0\r\n\r\n`,
  `${post('Transfer-Encoding: chunked')}5\nhello\r\n0\r\n\r\n`,
  `${post('Transfer-Encoding: chunked')}5\r\nhello0\r\n\r\n`,
  `${post('Transfer-Encoding: chunked')}5\r\nhello\n0\r\n\r\n`,
  `${post('Transfer-Encoding: chunked')}5;\x00\r\nhello\r\n0\r\n\r\n`,
  `${post('Transfer-Encoding: chunked')}fffffffffffffffff\r\nhello`,
  `${post('Transfer-Encoding: chunked')}0\r\nA : b\r\n\r\n`,
];

describe('node:http and these parsers', () => {
  it.each(both)('both accept and understand alike: %j', async (text) => {
    expect(await compare(text)).toBe('accepted accepted');
  });

  it.each(neither)('both refuse: %j', async (text) => {
    expect(await compare(text)).toBe('refused refused');
  });

  it.each([
    '',
    'G',
    'GET / HTT',
    'GET / HTTP/1.1\r\nHost: a\r\n',
    post('Content-Length: 6').concat('hello'),
    chunkedPost.slice(0, -2),
  ])('both wait for more: %j', async (text) => {
    expect(await compare(text)).toBe('incomplete incomplete');
  });

  it('differ about a tab behind a length, and know it', async () => {
    expect(await compare('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\t\r\n\r\nhello')).toBe('accepted refused');
  });

  it('agree about messages with random changes', async () => {
    const original = fc.constantFrom(...both);
    const inserted = fc.oneof(
      fc.constantFrom('\r', '\n', '\r\n', ' ', '\t', ':', ',', ';', '\0', '\x0b', '\x7f', '\xa0', '0', '5', '-', '_', '/', '#'),
      fc.constantFrom('Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n', 'Host: b\r\n', 'Connection: close\r\n'),
      fc.nat({ max: 255 }).map((byte) => String.fromCharCode(byte)),
    );
    const change = fc.record({ at: fc.nat(), removed: fc.nat({ max: 2 }), inserted });
    await fc.assert(
      fc.asyncProperty(original, fc.array(change, { minLength: 1, maxLength: 2 }), async (text, changes) => {
        let changed = text;
        for (const { at, removed, inserted: piece } of changes) {
          const place = at % (changed.length + 1);
          changed = changed.slice(0, place) + piece + changed.slice(place + removed);
        }
        await compare(changed);
      }),
      { numRuns: 400 },
    );
  });
});
