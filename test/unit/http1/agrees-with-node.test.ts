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
  readonly understood: unknown;
  /** What follows the message. */
  readonly rest: string;
}

function ours(text: string): Ours {
  const bytes = Buffer.from(text, 'latin1');
  const head = parseRequestHead(bytes, 0, bytes.length, headLimits);
  if (head === null) return { kind: 'incomplete', understood: null, rest: '' };
  if (head instanceof ProxyError) return { kind: 'refused', understood: head.code, rest: '' };
  let at = head.byteLength;
  let body = '';
  if (head.body === chunked) {
    const reader = new ChunkedReader(headLimits);
    while (at < bytes.length && !reader.done && reader.error === '') {
      at = reader.read(bytes, at, bytes.length);
      body += bytes.toString('latin1', reader.dataStart, reader.dataEnd);
    }
    if (reader.error !== '') return { kind: 'refused', understood: reader.error, rest: '' };
    if (!reader.done) return { kind: 'incomplete', understood: null, rest: '' };
  } else {
    if (at + head.body > bytes.length) return { kind: 'incomplete', understood: null, rest: '' };
    body = bytes.toString('latin1', at, at + head.body);
    at += head.body;
  }
  const { method, target, minor, headers } = head;
  const understood = { kind: 'accepted', method, target, version: `1.${minor}`, headers: headers.pairs(), body };
  return { kind: 'accepted', understood, rest: bytes.toString('latin1', at) };
}

/** Why something that node:http refuses may be accepted here; anything not on this list is a defect. */
const reasons: readonly (readonly [string, (text: string, verdict: NodeVerdict) => boolean])[] = [
  ['DEBUG', () => false],
];

async function compare(text: string): Promise<void> {
  const verdict = await node.judge(text);
  const own = ours(text);
  if (own.kind === 'refused') return;
  const shown = `${JSON.stringify(text)}: node ${JSON.stringify(verdict)}, ours ${JSON.stringify(own)}`;
  console.log(own.kind, verdict.kind, own.rest, shown)
}
describe('x', () => {
  const list = [
  getWith('A: b'), requestWith('FOO / HTTP/1.1','Host: a'), requestWith('GET /\xe9|{}^"<>[]`\\ HTTP/1.1','Host: a'),
  requestWith('GET / HTTP/1.0'), requestWith('GET / HTTP/1.1'), getWith('Expect: x'), getWith('Upgrade: x','Connection: upgrade'),
  requestWith('POST / HTTP/1.1','Host: a','Content-Length: 3')+'abc', requestWith('POST / HTTP/1.1','Host: a','Content-Length: 3')+'ab',requestWith('POST / HTTP/1.1','Host: a','Content-Length: 3')+'abcX',
  requestWith('POST / HTTP/1.1','Host: a','Transfer-Encoding: chunked')+'3;a="b";c\r\nabc\r\n0\r\nT: b\r\n\r\n',
  requestWith('PRI / HTTP/1.1','Host: a'), requestWith('SOURCE / HTTP/1.1','Host: a'), requestWith('DESCRIBE / HTTP/1.1','Host: a'),
  requestWith('GET /a#b HTTP/1.1','Host: a'),requestWith('GET http://a HTTP/1.1','Host: a'),requestWith('OPTIONS * HTTP/1.1','Host: a'), requestWith('PROPFIND * HTTP/1.1','Host: a'),
  'GET / HTT', '\r\n\r\n', 'X'
  ];
  it.each(list)('%j', async (t) => { await compare(t); });
});
