// Heads that arrive in pieces: the same result however they are cut, in linear time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProxyError } from '../../../src/errors/proxy-error.js';
import { HeadBuffer } from '../../../src/http1/head-buffer.js';
import { type ParsedRequestHead, parseRequestHead } from '../../../src/http1/request-head.js';
import { type ParsedResponseHead, parseResponseHead } from '../../../src/http1/response-head.js';
import { getWith, headLimits, requestWith } from '../../helpers/raw-heads.js';

type Parsed = ParsedRequestHead | ParsedResponseHead | ProxyError | null;
type Parse = (bytes: Buffer) => Parsed;

const asRequest: Parse = (bytes) => parseRequestHead(bytes, 0, bytes.length, headLimits);
const asResponse: Parse = (bytes) => parseResponseHead(bytes, 0, bytes.length, headLimits, 'GET');

/** Parses pieces as a connection would: only when it is worth it. Counts bytes that were looked at. */
function parsePieces(pieces: readonly Buffer[], parse: Parse): { parsed: Parsed; looked: number } {
  const collected = new HeadBuffer(headLimits.maxHeadBytes);
  let looked = 0;
  for (const piece of pieces) {
    collected.append(piece);
    if (!collected.mayBeComplete) continue;
    looked += collected.length;
    const parsed = parse(collected.bytes);
    if (parsed !== null) return { parsed, looked };
  }
  return { parsed: null, looked };
}

/** What matters of a result, to compare. */
const essence = (parsed: Parsed): unknown =>
  parsed instanceof ProxyError ? [parsed.code, parsed.message] : parsed === null ? null : { ...parsed };

const singly = (bytes: Buffer): Buffer[] => [...bytes.keys()].map((at) => bytes.subarray(at, at + 1));

const requests = [
  getWith('A: b', 'Cookie: c=d'),
  `\r\n\r\n${getWith()}`,
  requestWith('GET / HTTP/1.0'),
  requestWith('POST http://example.com:80/x?y HTTP/1.1', 'Host: EXAMPLE.com', 'Content-Length: 10', 'Connection: close, X-Foo'),
  requestWith('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', 'Expect: 100-continue'),
  `${getWith('A: b')}GET /next HTTP/1.1\r\n`,
  requestWith('GET / HTTP/2.0', 'Host: a'),
  getWith('A : b', 'C: d'),
  getWith('A: b\0'),
  getWith('A: b\nC: d'),
  getWith('A: b', ' folded'),
  getWith('Host: twice'),
  getWith('Content-Length: 5', 'Transfer-Encoding: chunked'),
  'GET /\r\n\r\n',
  'GET / HTTP/1.1\nHost: a\n\n',
  '\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n',
];
const responses = [
  requestWith('HTTP/1.1 200 OK', 'Content-Length: 5', 'A: b'),
  requestWith('HTTP/1.0 404', 'Connection: keep-alive', 'Content-Length: 0'),
  requestWith('HTTP/1.1 101 Switching Protocols', 'Connection: upgrade', 'Upgrade: websocket'),
  requestWith('HTTP/1.1 200 OK', 'Content-Length: 5', 'Content-Length: 6'),
  'HTTP/1.1 200 OK\n\n',
];
const cases: (readonly [string, string, Parse])[] = [
  ...requests.map((text) => [JSON.stringify(text), text, asRequest] as const),
  ...responses.map((text) => [JSON.stringify(text), text, asResponse] as const),
];

describe('a head in pieces', () => {
  it.each(cases)('cut at every byte gives the same result: %s', (_, text, parse) => {
    const bytes = Buffer.from(text, 'latin1');
    const whole = essence(parse(bytes));
    expect(whole).not.toBeNull();
    for (let cut = 1; cut < bytes.length; cut++) {
      const { parsed } = parsePieces([bytes.subarray(0, cut), bytes.subarray(cut)], parse);
      expect(essence(parsed), `cut at ${cut}`).toEqual(whole);
    }
    expect(essence(parsePieces(singly(bytes), parse).parsed)).toEqual(whole);
  });

  it.each(cases)('is never judged early by the parser alone: %s', (_, text, parse) => {
    const bytes = Buffer.from(text, 'latin1');
    const whole = essence(parse(bytes));
    for (let end = 0; end < bytes.length; end++) {
      const early = essence(parse(bytes.subarray(0, end)));
      if (early !== null) expect(early, `after ${end} bytes`).toEqual(whole);
    }
  });

  it('gives the same result for any bytes and any cuts', () => {
    const noise = fc.array(
      fc.constantFrom(
        'GET / HTTP/1.1\r\n',
        'Host: a\r\n',
        'A: b\r\n',
        '\r\n',
        '\r',
        '\n',
        ' ',
        'GET',
        ':',
        'x',
        '\0',
        '\xff',
        '/',
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(noise, fc.array(fc.nat(), { maxLength: 6 }), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(''), 'latin1');
        if (bytes.length === 0) return;
        const whole = asRequest(bytes);
        const edges = [...new Set([0, ...cuts.map((cut) => cut % bytes.length), bytes.length])].sort((a, b) => a - b);
        const pieces = edges.slice(1).map((edge, at) => bytes.subarray(edges[at], edge));
        const { parsed } = parsePieces(pieces, asRequest);
        // What is wrong in the middle of a header line may be told a little later, never differently.
        if (parsed !== null) expect(essence(parsed)).toEqual(essence(whole));
        else expect(whole === null || whole instanceof ProxyError).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('costs linear time, one byte at a time', () => {
    const text = getWith(...Array.from({ length: 90 }, (_, at) => `X-${at}: ${'v'.repeat(100)}`));
    const bytes = Buffer.from(text);
    const { parsed, looked } = parsePieces(singly(bytes), asRequest);
    expect(parsed).toMatchObject({ byteLength: bytes.length });
    expect(looked).toBeLessThan(5 * bytes.length);
  });
});

describe('HeadBuffer', () => {
  it('keeps what it was given, also beyond the limit', () => {
    const collected = new HeadBuffer(100);
    const piece = Buffer.from('0123456789'.repeat(7));
    for (let round = 0; round < 50; round++) collected.append(piece);
    expect(collected.length).toBe(3500);
    expect(collected.bytes.toString()).toBe(piece.toString().repeat(50));
  });

  it('takes little more memory than a head may have', () => {
    const collected = new HeadBuffer(16_384);
    for (let at = 0; at < 16_384; at++) collected.append(Buffer.from('a'));
    expect(collected.bytes.buffer.byteLength).toBeLessThanOrEqual(16_384 + 1024);
  });

  it('copies what it is given', () => {
    const collected = new HeadBuffer(100);
    const piece = Buffer.from('abc');
    collected.append(piece);
    piece.fill('x');
    expect(collected.bytes.toString()).toBe('abc');
  });

  it('forgets, and leaves alone what it gave out', () => {
    const collected = new HeadBuffer(100);
    collected.append(Buffer.from('GET / HTTP/1.1\r\n'));
    const given = collected.bytes;
    collected.clear();
    expect(collected.length).toBe(0);
    expect(collected.mayBeComplete).toBe(false);
    collected.append(Buffer.from('POST'));
    expect(given.toString()).toBe('GET / HTTP/1.1\r\n');
    expect(collected.bytes.toString()).toBe('POST');
  });

  it('finds an empty line that is cut anywhere', () => {
    const text = Buffer.from(`GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(10)}`);
    const tail = Buffer.from('C: d\r\n\r\n');
    for (let cut = 1; cut < tail.length; cut++) {
      const collected = new HeadBuffer(1000);
      collected.append(text);
      collected.append(tail.subarray(0, cut));
      collected.append(tail.subarray(cut));
      expect(collected.mayBeComplete, `cut at ${cut}`).toBe(true);
    }
  });

  it('does not ask for a parse while header lines go on', () => {
    const collected = new HeadBuffer(1000);
    collected.append(Buffer.from(`GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(10)}`));
    for (const piece of ['C: ', 'd', '\r', '\n', 'E: f\r\n']) {
      collected.append(Buffer.from(piece));
      expect(collected.mayBeComplete).toBe(false);
    }
    collected.append(Buffer.from('\n'));
    expect(collected.mayBeComplete).toBe(true);
  });
});
