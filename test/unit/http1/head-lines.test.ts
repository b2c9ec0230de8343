// The header-line loop: what lies where, and what is refused.
import { describe, expect, it } from 'vitest';
import { HeadLines, incomplete, refused } from '../../../src/http1/head-lines.js';
import { HeaderList, Kind } from '../../../src/http1/headers.js';
import { headLimits } from '../../helpers/raw-heads.js';

const scanned = (text: string, limits = headLimits): { lines: HeadLines; stop: number } => {
  const bytes = Buffer.from(text, 'latin1');
  const lines = new HeadLines();
  return { lines, stop: lines.scan(bytes, 0, bytes.length, limits) };
};

describe('HeadLines', () => {
  it('finds names and values without the blanks around them', () => {
    const text = 'Host: example.com\r\nX-Empty:\r\nX-Blanks: \t  a \t b\t \r\nX-None:value\r\n\r\n';
    const { lines, stop } = scanned(text);
    expect(stop).toBe(text.length);
    const headers = new HeaderList(text.slice(0, -2), lines.spans(), lines.present);
    expect(headers.pairs()).toEqual(['Host', 'example.com', 'X-Empty', '', 'X-Blanks', 'a \t b', 'X-None', 'value']);
    expect(headers.has(Kind.host)).toBe(true);
    expect(headers.has(Kind.cookie)).toBe(false);
  });

  it('accepts a head without lines', () => {
    const { lines, stop } = scanned('\r\n');
    expect(stop).toBe(2);
    expect(lines.spans()).toEqual([]);
  });

  it('stops behind the empty line', () => {
    expect(scanned('A: b\r\n\r\nC: d\r\n\r\n').stop).toBe(8);
  });

  it('gives positions that count from where the scan began, and of values in the buffer', () => {
    const bytes = Buffer.from('GET / HTTP/1.1\r\nA: b\r\nHost: h\r\n\r\n');
    const lines = new HeadLines();
    lines.scan(bytes, 16, bytes.length, headLimits);
    expect(lines.spans()).toEqual([Kind.other, 0, 1, 3, 4, Kind.host, 6, 10, 12, 13]);
    expect(bytes.toString('latin1', lines.valueStart(Kind.host), lines.valueEnd(Kind.host))).toBe('h');
  });

  it('tells kinds that occur more than once, and the place of the first', () => {
    const bytes = Buffer.from('Cookie: 1\r\nHost: a\r\ncookie: 2\r\n\r\n');
    const lines = new HeadLines();
    lines.scan(bytes, 0, bytes.length, headLimits);
    expect(lines.isRepeated(Kind.cookie)).toBe(true);
    expect(lines.isRepeated(Kind.host)).toBe(false);
    expect(bytes.toString('latin1', lines.valueStart(Kind.cookie), lines.valueEnd(Kind.cookie))).toBe('1');
  });

  it('forgets the message before', () => {
    const lines = new HeadLines();
    const first = Buffer.from('Host: a\r\nHost: b\r\nX: y\r\n\r\n');
    lines.scan(first, 0, first.length, headLimits);
    const second = Buffer.from('Cookie: c\r\n\r\n');
    lines.scan(second, 0, second.length, headLimits);
    expect(lines.has(Kind.host)).toBe(false);
    expect(lines.isRepeated(Kind.host)).toBe(false);
    expect(lines.spans()).toEqual([Kind.cookie, 0, 6, 8, 9]);
  });

  it.each([
    ['a bare LF (RFC 9112 section 2.2)', 'A: b\n\r\n'],
    ['a bare LF as the empty line', 'A: b\r\n\n'],
    ['a bare CR in a value', 'A: b\rc\r\n\r\n'],
    ['a CR before CRLF', 'A: b\r\r\n\r\n'],
    ['a bare CR where a line begins', '\rA: b\r\n\r\n'],
    ['a folded line (RFC 9112 section 5.2)', 'A: b\r\n c\r\n\r\n'],
    ['a line folded by a tab', 'A: b\r\n\tc\r\n\r\n'],
    ['a blank before the first line', ' A: b\r\n\r\n'],
    ['a blank before the colon (RFC 9112 section 5.1)', 'A : b\r\n\r\n'],
    ['a tab before the colon', 'A\t: b\r\n\r\n'],
    ['an empty name', ': b\r\n\r\n'],
    ['a line without a colon', 'A b\r\n\r\n'],
    ['a name alone', 'Host\r\n\r\n'],
    ['a quoted name', '"A": b\r\n\r\n'],
    ['a name with a slash', 'A/B: c\r\n\r\n'],
    ['a name with obs-text', 'A\xe9: b\r\n\r\n'],
    ['a NUL in a name', 'A\0: b\r\n\r\n'],
    ['a NUL in a value (RFC 9110 section 5.5)', 'A: b\0c\r\n\r\n'],
    ['a vertical tab before a value', 'Transfer-Encoding:\x0bchunked\r\n\r\n'],
    ['a form feed behind a value', 'Transfer-Encoding: chunked\x0c\r\n\r\n'],
    ['a DEL in a value', 'A: \x7f\r\n\r\n'],
    ['an escape in a value', 'A: \x1b[31m\r\n\r\n'],
  ])('refuses %s', (_, text) => {
    const { lines, stop } = scanned(text);
    expect(stop).toBe(refused);
    expect(lines.code).toBe('bad-header');
    expect(lines.detail).toMatch(/^byte 0x[0-9a-f]{2} .*\(header line \d+\)$/);
  });

  it('refuses each control byte in a value and in a name, but tab in a value', () => {
    for (let byte = 0; byte < 256; byte++) {
      const isControl = byte < 0x20 || byte === 0x7f;
      const value = scanned(`A: b${String.fromCharCode(byte)}c\r\n\r\n`).stop;
      expect(value === refused, `value byte ${byte}`).toBe(isControl && byte !== 0x09);
      if (isControl) expect(scanned(`A${String.fromCharCode(byte)}: b\r\n\r\n`).stop, `name byte ${byte}`).toBe(refused);
    }
  });

  it('accepts obs-text in values', () => {
    expect(scanned('A: \xe9\xff\x80\r\n\r\n').stop).toBe(10);
  });

  it.each(['', 'A', 'A:', 'A: ', 'A: b', 'A: b\r', 'A: b\r\n', 'A: b\r\n\r'])('waits for more after %j', (text) => {
    expect(scanned(text).stop).toBe(incomplete);
  });

  it('counts lines', () => {
    const limits = { ...headLimits, maxHeaderCount: 3 };
    expect(scanned('A: b\r\n'.repeat(3).concat('\r\n'), limits).stop).toBe(20);
    const { lines, stop } = scanned('A: b\r\n'.repeat(4), limits);
    expect(stop).toBe(refused);
    expect(lines.code).toBe('head-too-large');
    expect(scanned(`${'A: b\r\n'.repeat(3)}C`, limits).stop).toBe(refused);
  });

  it('measures lines without their CRLF', () => {
    const limits = { ...headLimits, maxLineBytes: 10 };
    expect(scanned('A: 3456789\r\n\r\n', limits).stop).toBe(14);
    expect(scanned('A: 3456789', limits).stop).toBe(incomplete);
    for (const text of ['A: 34567890', 'ABCDEFGHIJK', 'A:          ', 'A:         \r\n\r\n', 'ABCDEFGHIJ:\r\n\r\n']) {
      const { lines, stop } = scanned(text, limits);
      expect(stop, text).toBe(refused);
      expect(lines.code, text).toBe('head-too-large');
    }
  });
});
