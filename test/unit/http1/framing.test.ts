// The length of a request body, and every known way to state it twice (RFC 9112 sections 6 and 11.2).
import { describe, expect, it } from 'vitest';
import { chunked } from '../../../src/http1/message.js';
import { acceptedRequest, requestVerdict, requestWith } from '../../helpers/raw-heads.js';

const post = (...lines: string[]): string => requestWith('POST / HTTP/1.1', 'Host: example.com', ...lines);
const post10 = (...lines: string[]): string => requestWith('POST / HTTP/1.0', 'Host: example.com', ...lines);

describe('the length of a request body', () => {
  it('is none where nothing is said (RFC 9112 section 6.3)', () => {
    expect(acceptedRequest(post()).body).toBe(0);
    expect(acceptedRequest(requestWith('GET / HTTP/1.0')).body).toBe(0);
  });

  it.each([
    ['0', 0],
    ['5', 5],
    ['007', 7],
    ['1234567890', 1_234_567_890],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('is Content-Length %s', (value, length) => {
    expect(acceptedRequest(post(`Content-Length: ${value}`)).body).toBe(length);
    expect(acceptedRequest(post10(`content-length:\t${value} `)).body).toBe(length);
  });

  it.each(['chunked', 'Chunked', 'CHUNKED', '\t chunked  '])('is chunked for Transfer-Encoding %j', (value) => {
    expect(acceptedRequest(post(`Transfer-Encoding: ${value}`)).body).toBe(chunked);
  });

  it.each(['Content-Length: 5', 'Transfer-Encoding: chunked'])(
    'is refused for a tab behind %s, at which readers differ',
    (line) => {
      for (const blanks of ['\t', ' \t', '\t ']) expect(requestVerdict(post(line + blanks))).toBe('ambiguous-length');
    },
  );

  it.each([
    '',
    '+5',
    '-5',
    '-0',
    '5.0',
    '5e1',
    '0x5',
    '5 5',
    '5, 5',
    '5,5',
    '5,',
    ',5',
    '5;',
    '5, 6',
    '"5"',
    'five',
    '\xb2',
    '\xa05',
    '5\xa0',
    '5_000',
    '9007199254740992',
    '18446744073709551616',
    '18446744073709551621',
    '99999999999999999999999999999999',
    `${'9'.repeat(400)}`,
  ])('is refused for Content-Length %j', (value) => {
    expect(requestVerdict(post(`Content-Length: ${value}`))).toBe('ambiguous-length');
  });

  it.each([
    ['equal lines', ['Content-Length: 5', 'Content-Length: 5']],
    ['different lines', ['Content-Length: 5', 'Content-Length: 6']],
    ['lines in different case', ['Content-Length: 5', 'content-length: 5']],
    ['lines apart', ['Content-Length: 0', 'X: y', 'Content-Length: 10']],
    ['an empty one first', ['Content-Length:', 'Content-Length: 10']],
  ])('is refused for several Content-Length: %s (RFC 9112 section 6.3)', (_, lines) => {
    expect(requestVerdict(post(...lines))).toBe('ambiguous-length');
  });

  it.each([
    ['CL.TE', ['Content-Length: 6', 'Transfer-Encoding: chunked']],
    ['TE.CL', ['Transfer-Encoding: chunked', 'Content-Length: 4']],
    ['CL.0', ['Content-Length: 0', 'Transfer-Encoding: chunked']],
    ['with another coding', ['Content-Length: 6', 'Transfer-Encoding: identity']],
    ['with a malformed coding', ['Content-Length: 6', 'Transfer-Encoding: ;']],
    ['with a malformed length', ['Content-Length: x', 'Transfer-Encoding: chunked']],
    ['hidden by Connection', ['Content-Length: 6', 'Transfer-Encoding: chunked', 'Connection: content-length']],
  ])('is refused for Content-Length beside Transfer-Encoding: %s (RFC 9112 section 6.1)', (_, lines) => {
    expect(requestVerdict(post(...lines))).toBe('ambiguous-length');
  });

  it('is refused for Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1)', () => {
    expect(requestVerdict(post10('Transfer-Encoding: chunked'))).toBe('ambiguous-length');
    expect(requestVerdict(post10('Transfer-Encoding: gzip'))).toBe('ambiguous-length');
  });

  it.each([
    'gzip',
    'identity',
    'xchunked',
    'chunkedx',
    'chunked1',
    'gzip, chunked',
    'gzip;q=1, chunked',
    'x-custom',
    'trailers',
    'chun-ked',
  ])('is refused with 501 for the coding %s (RFC 9112 section 6.1)', (value) => {
    expect(requestVerdict(post(`Transfer-Encoding: ${value}`))).toBe('unknown-transfer-coding');
  });

  it.each(['chunked, gzip', 'chunked, identity', 'chunked, chunked', 'CHUNKED,chunked', 'gzip, chunked, gzip'])(
    'is refused with 400 for %s, where chunked is not the last or applied twice (RFC 9112 section 6.3)',
    (value) => {
      expect(requestVerdict(post(`Transfer-Encoding: ${value}`))).toBe('ambiguous-length');
    },
  );

  it.each([
    '',
    ',',
    ', chunked',
    'chunked,',
    'chunked chunked',
    'chunked;',
    'chunked;a=b',
    'chunked ; a=b',
    '"chunked"',
    "'chunked' x",
    'chunked\xa0',
    '\xa0chunked',
    'chunked\xff',
    'chunked; ',
    'chu nked',
    '[chunked]',
    'chunked=x',
    'chunked/1',
    'gzip;a',
    'chunked: x',
  ])('is refused with 400 for the malformed coding %j', (value) => {
    expect(requestVerdict(post(`Transfer-Encoding: ${value}`))).toBe('bad-header');
  });

  it.each([
    ['chunked twice', ['chunked', 'chunked'], 'ambiguous-length'],
    ['chunked, then another', ['chunked', 'identity'], 'ambiguous-length'],
    ['another, then chunked', ['identity', 'chunked'], 'unknown-transfer-coding'],
    ['an empty one', ['chunked', ''], 'bad-header'],
  ])('is refused for several Transfer-Encoding lines: %s', (_, values, code) => {
    expect(requestVerdict(post(...values.map((value) => `Transfer-Encoding: ${value}`)))).toBe(code);
  });

  it.each([
    'Transfer-Encoding : chunked',
    'Transfer-Encoding\t: chunked',
    ' Transfer-Encoding: chunked',
    'Transfer-Encoding:\x0bchunked',
    'Transfer-Encoding: \x00chunked',
    'Transfer\x00-Encoding: chunked',
    'X: y\rTransfer-Encoding: chunked',
    'X: y\nTransfer-Encoding: chunked',
    'X: y\n\rTransfer-Encoding: chunked',
    'Transfer-Encoding\r\n : chunked',
    'Transfer-Encoding:\r\n chunked',
    'Transfer-Encoding: chunked\r\n\tgzip',
    'Content-Length : 5',
    'Content-Length\x0b: 5',
    'Content Length: 5',
    '\x00Content-Length: 5',
  ])('is refused when hidden as %j', (line) => {
    expect(requestVerdict(post(line))).toBe('bad-header');
  });

  it.each(['Content_Length: 5', 'Transfer_Encoding: chunked', 'CONTENT_LENGTH: 5', 'Content-Lengths: 5', 'X-Content-Length: 5'])(
    'does not come from %s',
    (line) => {
      expect(acceptedRequest(post(line)).body).toBe(0);
      expect(acceptedRequest(post(line, 'Content-Length: 3')).body).toBe(3);
      expect(acceptedRequest(post(line, 'Transfer-Encoding: chunked')).body).toBe(chunked);
    },
  );
});
