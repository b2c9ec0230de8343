// An oracle: what node:http refuses is refused here too, and what both accept they understand in the same way.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareWithNode } from '../../helpers/node-comparison.js';
import { NodeParser } from '../../helpers/node-parser.js';
import { getWith, requestWith } from '../../helpers/raw-heads.js';

const node = new NodeParser();
beforeAll(() => node.start());
afterAll(() => node.stop());

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
  `${post('Content-Length: 5\t')}hello`,
  `${post('Content-Length: 5 \t ')}hello`,
  `${post('Content-Length:')}hello`,
  `${post('Content-Length: 99999999999999999999')}hello`,
  `${post('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
  `${post('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n`,
  `${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n`,
  `${post('Transfer-Encoding: xchunked')}0\r\n\r\n`,
  `${post('Transfer-Encoding: chunked\t')}0\r\n\r\n`,
  `${post('Transfer-Encoding: chunked \t ')}0\r\n\r\n`,
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
    expect(await compareWithNode(node, text)).toBe('accepted accepted');
  });

  it.each(neither)('both refuse: %j', async (text) => {
    expect(await compareWithNode(node, text)).toBe('refused refused');
  });

  it.each([
    '',
    'G',
    'GET / HTT',
    'GET / HTTP/1.1\r\nHost: a\r\n',
    post('Content-Length: 6').concat('hello'),
    chunkedPost.slice(0, -2),
  ])('both wait for more: %j', async (text) => {
    expect(await compareWithNode(node, text)).toBe('incomplete incomplete');
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
        await compareWithNode(node, changed);
      }),
      { numRuns: 400 },
    );
  });
});
