// What a request head means as a whole: limits, expectations, and how it is given on.
import { describe, expect, it } from 'vitest';
import { HeaderList, Kind, spanSize } from '../../../src/http1/headers.js';
import { parseRequestHead } from '../../../src/http1/request-head.js';
import { acceptedRequest, getWith, headLimits, requestVerdict, requestWith } from '../../helpers/raw-heads.js';

describe('parseRequestHead', () => {
  it('gives the header lines as they came', () => {
    const head = acceptedRequest(getWith('x-LOWER: 1', 'Cookie: a=b', 'X-Forwarded_For: 6.6.6.6'));
    expect(head.headers).toBeInstanceOf(HeaderList);
    expect(head.headers.text).toBe('Host: example.com\r\nx-LOWER: 1\r\nCookie: a=b\r\nX-Forwarded_For: 6.6.6.6\r\n');
    expect(head.headers.spans).toHaveLength(4 * spanSize);
    expect(head.headers.first(Kind.cookie)).toBe('a=b');
    expect(head.headers.kindAt(3)).toBe(Kind.underscored);
    expect(head.headers.nameAt(3)).toBe('X-Forwarded_For');
  });

  it('reads only the bytes from start to end, and only one head', () => {
    const one = getWith('A: 1');
    const bytes = Buffer.from(`..${one}GET /second HTTP/1.1\r\nHost: b\r\n\r\n`);
    const first = parseRequestHead(bytes, 2, bytes.length, headLimits);
    expect(first).toMatchObject({ target: '/', byteLength: one.length });
    const second = parseRequestHead(bytes, 2 + one.length, bytes.length, headLimits);
    expect(second).toMatchObject({ target: '/second', authority: 'b' });
    expect(parseRequestHead(bytes, 2, 2 + one.length - 1, headLimits)).toBeNull();
  });

  it('keeps what it gave when the next head is parsed', () => {
    const first = acceptedRequest(getWith('A: 1', 'Cookie: c'));
    const spans = [...first.headers.spans];
    acceptedRequest(requestWith('POST /x HTTP/1.1', 'Host: other', 'Content-Length: 3', 'B: 2'));
    expect(first.headers.spans).toEqual(spans);
    expect(first.headers.pairs()).toEqual(['Host', 'example.com', 'A', '1', 'Cookie', 'c']);
  });

  it('answers 431 to a head that is too large, also before its end (RFC 6585 section 5)', () => {
    const text = getWith(`A: ${'a'.repeat(100)}`);
    expect(requestVerdict(text, { ...headLimits, maxHeadBytes: text.length })).toBe('accepted');
    expect(requestVerdict(text, { ...headLimits, maxHeadBytes: text.length - 1 })).toBe('head-too-large');
    expect(requestVerdict(text.slice(0, 100), { ...headLimits, maxHeadBytes: 100 })).toBe('head-too-large');
    expect(requestVerdict(text.slice(0, 99), { ...headLimits, maxHeadBytes: 100 })).toBe('incomplete');
  });

  it('does not count what follows the head against the limit', () => {
    const text = getWith();
    expect(requestVerdict(text + 'x'.repeat(1000), { ...headLimits, maxHeadBytes: text.length })).toBe('accepted');
  });

  it('answers 431 to too many lines and to a line that is too long', () => {
    expect(requestVerdict(getWith('A: 1', 'B: 2'), { ...headLimits, maxHeaderCount: 3 })).toBe('accepted');
    expect(requestVerdict(getWith('A: 1', 'B: 2', 'C: 3'), { ...headLimits, maxHeaderCount: 3 })).toBe('head-too-large');
    expect(requestVerdict(getWith(`A: ${'a'.repeat(50)}`), { ...headLimits, maxLineBytes: 52 })).toBe('head-too-large');
  });

  it('refuses a malformed header line before the head is complete', () => {
    expect(requestVerdict('GET / HTTP/1.1\r\nHost: a\r\n b')).toBe('bad-header');
    expect(requestVerdict('GET / HTTP/1.1\r\nHost : ')).toBe('bad-header');
    expect(requestVerdict('GET / HTTP/1.1\r\nHost: a\n')).toBe('bad-header');
  });

  it.each(['100-continue', '100-Continue', '100-CONTINUE'])('sees the expectation %s (RFC 9110 section 10.1.1)', (value) => {
    const post = (version: string): string =>
      requestWith(`POST / HTTP/${version}`, 'Host: a', 'Content-Length: 5', `Expect: ${value}`);
    expect(acceptedRequest(post('1.1')).expectsContinue).toBe(true);
    expect(acceptedRequest(post('1.0')).expectsContinue).toBe(false);
  });

  it('expects nothing where there is no body to wait with', () => {
    expect(acceptedRequest(getWith('Expect: 100-continue')).expectsContinue).toBe(false);
    expect(acceptedRequest(getWith('Expect: 100-continue', 'Content-Length: 0')).expectsContinue).toBe(false);
    expect(acceptedRequest(getWith('Expect: 100-continue', 'Transfer-Encoding: chunked')).expectsContinue).toBe(true);
  });

  it.each(['', 'x', '100-continue, x', '100-continue;a=b', '100', '100-continues'])(
    'answers 417 to the expectation %j',
    (value) => {
      expect(requestVerdict(getWith(`Expect: ${value}`))).toBe('bad-expectation');
      expect(requestVerdict(requestWith('GET / HTTP/1.0', `Expect: ${value}`))).toBe('accepted');
    },
  );

  it('answers 417 to several expectations', () => {
    expect(requestVerdict(getWith('Expect: 100-continue', 'Expect: 100-continue'))).toBe('bad-expectation');
  });
});
