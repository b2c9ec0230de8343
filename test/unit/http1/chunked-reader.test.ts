// Chunked bodies: what they hold, what is refused, and that it does not matter how they are cut (RFC 9112 section 7.1).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkedReader } from '../../../src/http1/chunked-reader.js';
import { headLimits } from '../../helpers/raw-heads.js';

interface Read {
  readonly data: string;
  readonly done: boolean;
  readonly failed: boolean;
  readonly trailers: string;
  /** Bytes up to the end of the body; -1 where it has none. */
  readonly length: number;
}

/** Reads pieces as a connection would. */
function readPieces(pieces: readonly Buffer[], reader = new ChunkedReader(headLimits)): Read {
  let data = '';
  let length = 0;
  for (const piece of pieces) {
    let at = 0;
    while (at < piece.length && !reader.done && reader.error === '') {
      const next = reader.read(piece, at, piece.length);
      expect(next).toBeGreaterThan(at);
      expect(reader.dataStart).toBeGreaterThanOrEqual(at);
      expect(reader.dataEnd).toBeLessThanOrEqual(next);
      data += piece.toString('latin1', reader.dataStart, reader.dataEnd);
      at = next;
    }
    length += at;
  }
  const failed = reader.error !== '';
  return { data, done: reader.done, failed, trailers: reader.trailers, length: reader.done ? length : -1 };
}

const readText = (text: string): Read => readPieces([Buffer.from(text, 'latin1')]);

/** Cuts at increasing positions; equal ones and the ends give no empty pieces. */
function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [...new Set([0, ...cuts.map((cut) => cut % bytes.length), bytes.length])].sort((a, b) => a - b);
  return edges.slice(1).map((edge, at) => bytes.subarray(edges[at], edge));
}

const singly = (bytes: Buffer): Buffer[] => [...bytes.keys()].map((at) => bytes.subarray(at, at + 1));

describe('ChunkedReader', () => {
  it.each([
    ['an empty body', '0\r\n\r\n', '', ''],
    ['one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello', ''],
    ['several chunks', '5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n', 'hello world', ''],
    ['sizes in both cases', 'A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n', '01234567890123456789', ''],
    ['leading zeros', '0005\r\nhello\r\n000\r\n\r\n', 'hello', ''],
    ['data that looks like chunks', '7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n\r\n', ''],
    ['extensions, which are dropped', '5;a;b=c;d="e;\r\t\\"f"\r\nhello\r\n0;x\r\n\r\n'.replace('\r\t', '\t'), 'hello', ''],
    ['trailers', '0\r\nX-Sum: 1\r\nx-more:  2 \r\n\r\n', '', 'X-Sum: 1\r\nx-more:  2 \r\n'],
  ])('reads %s', (_, text, data, trailers) => {
    const expected = { data, done: true, failed: false, trailers, length: text.length };
    expect(readText(text)).toEqual(expected);
    expect(readText(`${text}GET / HTTP/1.1\r\n`)).toEqual(expected);
    expect(readPieces(singly(Buffer.from(text)))).toEqual(expected);
  });

  it('gives one slice of data a call, and tells the end in the call of the last slice', () => {
    const bytes = Buffer.from('5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\nrest');
    const reader = new ChunkedReader(headLimits);
    const first = reader.read(bytes, 0, bytes.length);
    expect(bytes.toString('latin1', reader.dataStart, reader.dataEnd)).toBe('hello');
    expect(reader.done).toBe(false);
    const second = reader.read(bytes, first, bytes.length);
    expect(bytes.toString('latin1', reader.dataStart, reader.dataEnd)).toBe('world');
    expect(reader.done).toBe(true);
    expect(bytes.toString('latin1', second)).toBe('rest');
    expect(reader.read(bytes, second, bytes.length)).toBe(second);
    expect(reader.dataStart).toBe(reader.dataEnd);
  });

  it('can be used again', () => {
    const reader = new ChunkedReader(headLimits);
    readPieces([Buffer.from('3\r\nabc\r\n0\r\nA: b\r\n\r\n')], reader);
    reader.reset();
    expect(readPieces([Buffer.from('1\r\nx\r\n0\r\n\r\n')], reader)).toMatchObject({ data: 'x', done: true, trailers: '' });
    reader.reset();
    readPieces([Buffer.from('zz')], reader);
    expect(reader.error).not.toBe('');
    reader.reset();
    readPieces([Buffer.from('5;a="')], reader);
    reader.reset();
    expect(readPieces([Buffer.from('0\r\n\r\n')], reader)).toMatchObject({ data: '', done: true });
  });

  it.each([
    ['no size', '\r\nhello'],
    ['a sign', '+5\r\nhello'],
    ['a negative size', '-5\r\nhello'],
    ['0x', '0x5\r\nhello'],
    ['a blank before the size', ' 5\r\nhello'],
    ['a blank behind the size', '5 \r\nhello'],
    ['a tab behind the size', '5\t\r\nhello'],
    ['a blank before an extension', '5 ;a=b\r\nhello'],
    ['a blank in an extension', '5; a=b\r\nhello'],
    ['blanks around the equals sign', '5;a = b\r\nhello'],
    ['a letter that is no digit', '5g\r\nhello'],
    ['an underscore', '5_0\r\nhello'],
    ['a comma', '5,5\r\nhello'],
    ['a point', '5.0\r\nhello'],
    ['a bare LF behind the size', '5\nhello'],
    ['a bare CR behind the size', '5\rhello'],
    ['two CR behind the size', '5\r\r\nhello'],
    ['NUL behind the size', '5\0\r\nhello'],
    ['obs-text behind the size', '5\xa0\r\nhello'],
    ['data without CRLF behind it', '5\r\nhello0\r\n\r\n'],
    ['data with a bare LF behind it', '5\r\nhello\n0\r\n\r\n'],
    ['data with a bare CR behind it', '5\r\nhello\r0\r\n\r\n'],
    ['more data than the size', '5\r\nhello!\r\n0\r\n\r\n'],
    ['a bare LF after the last chunk', '0\n\r\n'],
    ['a bare LF as the last line', '0\r\n\n'],
    ['a bare CR as the last line', '0\r\n\rX'],
    ['a size of 14 digits', '10000000000000\r\n'],
    ['a size of 16 digits', 'ffffffffffffffff\r\n'],
    ['a size of 17 digits, which others count as 5', '10000000000000005\r\nhello'],
    ['too many leading zeros', '00000000000000005\r\nhello'],
    ['an extension without a name', '5;\r\nhello'],
    ['an extension name that is no token', '5;a/b\r\nhello'],
    ['two semicolons', '5;;a\r\nhello'],
    ['an extension value of nothing', '5;a=\r\nhello'],
    ['an extension with two equals signs', '5;a=b=c\r\nhello'],
    ['an extension value that is no token', '5;a=b/c\r\nhello'],
    ['a bare LF in an extension', '5;a=b\nhello'],
    ['a bare LF in a quoted extension', '5;a="b\n"\r\nhello'],
    ['a CR in a quoted extension', '5;a="b\r\n"\r\nhello'],
    ['an escaped CR in a quoted extension', '5;a="b\\\r"\r\nhello'],
    ['something behind a quoted extension', '5;a="b"c\r\nhello'],
    ['a bare LF in trailers', '0\r\nA: b\n\r\n'],
    ['a bare CR in trailers', '0\r\nA: b\rc\r\n\r\n'],
    ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n'],
    ['a blank before the colon of a trailer', '0\r\nA : b\r\n\r\n'],
    ['a trailer without a colon', '0\r\nGET / HTTP/1.1\r\n\r\n'],
    ['a trailer without a name', '0\r\n: b\r\n\r\n'],
    ['NUL in a trailer', '0\r\nA: \0\r\n\r\n'],
  ])('refuses %s', (_, text) => {
    expect(readText(text)).toMatchObject({ done: false, failed: true });
    expect(readPieces(singly(Buffer.from(text, 'latin1')))).toMatchObject({ done: false, failed: true });
  });

  it('gives the data that came before a fault', () => {
    expect(readText('5\r\nhello\r\nx')).toMatchObject({ data: 'hello', failed: true });
    expect(readText('5\r\nhelloX')).toMatchObject({ data: 'hello', failed: true });
  });

  it('counts sizes of 13 digits', () => {
    const reader = new ChunkedReader(headLimits);
    const bytes = Buffer.from('fffffffffffff\r\nabc');
    expect(reader.read(bytes, 0, bytes.length)).toBe(bytes.length);
    expect(reader.error).toBe('');
    expect(bytes.toString('latin1', reader.dataStart, reader.dataEnd)).toBe('abc');
  });

  it('measures the line of a chunk', () => {
    const reader = (): ChunkedReader => new ChunkedReader({ ...headLimits, maxLineBytes: 10 });
    expect(readPieces([Buffer.from('5;23456789\r\nhello')], reader()).failed).toBe(false);
    expect(readPieces([Buffer.from('5;234567890\r\nhello')], reader()).failed).toBe(true);
    expect(readPieces([Buffer.from('5;a="56789')], reader()).failed).toBe(false);
    expect(readPieces([Buffer.from('5;a="567890')], reader()).failed).toBe(true);
  });

  it('refuses extensions that are out of proportion to the data', () => {
    const reader = (): ChunkedReader => new ChunkedReader({ ...headLimits, maxHeadBytes: 1000 });
    const wasteful = `1;${'a'.repeat(50)}\r\nx\r\n`;
    expect(readPieces([Buffer.from(wasteful.repeat(19))], reader()).failed).toBe(false);
    expect(readPieces([Buffer.from(wasteful.repeat(21))], reader()).failed).toBe(true);
    const signed = `400;chunk-signature=${'a'.repeat(64)}\r\n${'x'.repeat(1024)}\r\n`;
    expect(readPieces([Buffer.from(`${signed.repeat(200)}0\r\n\r\n`)], reader()).done).toBe(true);
  });

  it('limits trailers in bytes, lines and line length', () => {
    const limits = { maxHeadBytes: 100, maxHeaderCount: 3, maxLineBytes: 50 };
    const read = (trailers: string): Read => readPieces([Buffer.from(`0\r\n${trailers}`)], new ChunkedReader(limits));
    expect(read('A: b\r\nA: b\r\nA: b\r\n\r\n').done).toBe(true);
    expect(read('A: b\r\nA: b\r\nA: b\r\nA: b\r\n\r\n').failed).toBe(true);
    expect(read(`A: ${'b'.repeat(47)}\r\n\r\n`).done).toBe(true);
    expect(read(`A: ${'b'.repeat(48)}\r\n\r\n`).failed).toBe(true);
    const fits = `${`A: ${'b'.repeat(44)}\r\n`.repeat(2)}\r\n`;
    expect(fits).toHaveLength(100);
    expect(read(fits).done).toBe(true);
    expect(read(fits.replace('b', 'bb')).failed).toBe(true);
    expect(readPieces(singly(Buffer.from(`0\r\n${fits.replace('b', 'bb')}`)), new ChunkedReader(limits)).failed).toBe(true);
  });

  it.each([
    'Transfer-Encoding: chunked',
    'Content-Length: 5',
    'Content_Length: 5',
    'Host: evil',
    'Connection: close',
    'Keep-Alive: x',
    'Proxy-Connection: x',
    'Upgrade: x',
    'TE: x',
    'Trailer: x',
    'Expect: 100-continue',
    'Max-Forwards: 1',
    'Cache-Control: no-store',
    'Pragma: x',
    'Range: bytes=0-',
    'If-Match: x',
    'Authorization: Basic eA==',
    'Proxy-Authorization: x',
    'WWW-Authenticate: x',
    'Cookie: a=b',
    'Set-Cookie: a=b',
    'Content-Type: text/html',
    'Content-Encoding: gzip',
    'Content-Range: x',
    'content-disposition: x',
    'X-Forwarded-For: 6.6.6.6',
    'X-Forwarded-Whatever: x',
    'X_Forwarded_For: 6.6.6.6',
    'X-Real-IP: 6.6.6.6',
    'X-Request-Id: x',
    'Forwarded: for=6.6.6.6',
    'Location: /',
    'Vary: *',
  ])('does not pass the trailer %s on (RFC 9110 section 6.5.1)', (line) => {
    expect(readText(`0\r\nA: 1\r\n${line}\r\nB: 2\r\n\r\n`)).toMatchObject({ done: true, trailers: 'A: 1\r\nB: 2\r\n' });
    expect(readText(`0\r\n${line}\r\n\r\n`)).toMatchObject({ done: true, trailers: '' });
  });

  it('reads every body in the same way however it is cut', () => {
    const size = fc.nat({ max: 40 });
    const extension = fc.constantFrom('', ';a', ';a=b;c', ';a="b\\"; c"');
    const trailers = fc.constantFrom('', 'A: b\r\n', 'A: b\r\nHost: x\r\nC: \r\n');
    const body = fc.record({
      sizes: fc.array(size, { maxLength: 6 }),
      extension,
      trailers,
      rest: fc.constantFrom('', 'rest', '\r\n0'),
    });
    fc.assert(
      fc.property(body, fc.array(fc.nat()), ({ sizes, extension: ext, trailers: lines, rest }, cuts) => {
        const data = sizes.map((length) => 'x'.repeat(length));
        const chunks = data.filter((piece) => piece !== '').map((piece) => `${piece.length.toString(16)}${ext}\r\n${piece}\r\n`);
        const text = `${chunks.join('')}0${ext}\r\n${lines}\r\n`;
        const bytes = Buffer.from(text + rest);
        const expected = {
          data: data.join(''),
          done: true,
          failed: false,
          trailers: lines.replace('Host: x\r\n', ''),
          length: text.length,
        };
        expect(readPieces([bytes])).toEqual(expected);
        expect(readPieces(cutAt(bytes, cuts))).toEqual(expected);
      }),
    );
  });

  it('comes to the same verdict on any bytes however they are cut', () => {
    const noise = fc.array(fc.constantFrom('0', '1', '2', 'a', '\r\n', '\r', '\n', ';', '=', '"', '\\', ' ', ':', 'x', '\0'), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(noise, fc.array(fc.nat(), { maxLength: 5 }), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(''), 'latin1');
        if (bytes.length === 0) return;
        const whole = readPieces([bytes]);
        expect(readPieces(cutAt(bytes, cuts))).toMatchObject({ data: whole.data, done: whole.done, length: whole.length });
      }),
      { numRuns: 500 },
    );
  });
});
