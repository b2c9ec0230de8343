import { describe, expect, it } from 'vitest';
import { type AccessRecord, accessLineFormats, emptyAccessRecord } from '../../../src/observe/access-line.js';

const { hipache, combined, json } = accessLineFormats;

/** The example of Hipache's documentation, as a record. */
function record(changes: Partial<AccessRecord> = {}): AccessRecord {
  return {
    ...emptyAccessRecord(),
    clientAddress: '127.0.0.1',
    time: Date.UTC(2026, 10, 20, 13, 28, 16, 700),
    method: 'GET',
    target: '/a/b?x=1&y=2',
    status: 200,
    bytesSent: 767,
    bodyBytesSent: 500,
    userAgent: 'curl/7.88.1',
    identifier: 'vh1',
    host: 'example.com',
    totalMs: 4.2,
    backendMs: 1.9,
    backend: 'http://10.0.0.1:80',
    requestId: 'id-1',
    outcome: 'forwarded',
    ...changes,
  };
}

describe('the line of Hipache', () => {
  it('is as Hipache writes it', () => {
    expect(hipache(record())).toBe(
      '::ffff:127.0.0.1 - - [20/Nov/2026:13:28:16 +0000] "GET /a/b?x=1&y=2 HTTP/1.1" 200 767 "" "curl/7.88.1" "vh1" 0.004 0.002\n',
    );
  });

  it('leaves IPv6 addresses as they are', () => {
    expect(hipache(record({ clientAddress: '2001:db8::1' }))).toMatch(/^2001:db8::1 - - /);
    expect(hipache(record({ clientAddress: 'unix' }))).toMatch(/^unix - - /);
  });

  it.each([
    [0, '0'],
    [0.4, '0'],
    [10, '0.01'],
    [999.6, '1'],
    [4019.2, '4.019'],
    [61000, '61'],
    [-1, '0'],
    [Number.NaN, '0'],
  ])('writes %d milliseconds as %s seconds', (totalMs, seconds) => {
    expect(hipache(record({ totalMs }))).toContain(`"vh1" ${seconds} 0.002\n`);
  });

  it('has the date of each record, whatever came before', () => {
    hipache(record());
    expect(hipache(record({ time: Date.UTC(2027, 0, 1, 0, 0, 0) }))).toContain('[01/Jan/2027:00:00:00 +0000]');
    expect(hipache(record())).toContain('[20/Nov/2026:13:28:16 +0000]');
  });
});

describe('the combined line', () => {
  it('is as nginx writes it', () => {
    expect(combined(record({ referer: 'http://r/', protocol: 'HTTP/1.0' }))).toBe(
      '127.0.0.1 - - [20/Nov/2026:13:28:16 +0000] "GET /a/b?x=1&y=2 HTTP/1.0" 200 500 "http://r/" "curl/7.88.1"\n',
    );
    expect(combined(record({ userAgent: '' }))).toMatch(/"-" "-"\n$/);
  });
});

describe('the JSON line', () => {
  it('is one object with everything in it', () => {
    const line = json(record({ error: 'backend-timeout', backendMs: -1 }));
    expect(line.endsWith('}\n')).toBe(true);
    expect(JSON.parse(line)).toEqual({
      time: '2026-11-20T13:28:16.700Z',
      client: '127.0.0.1',
      scheme: 'http',
      host: 'example.com',
      method: 'GET',
      target: '/a/b?x=1&y=2',
      protocol: 'HTTP/1.1',
      status: 200,
      bytes: 767,
      bodyBytes: 500,
      referer: '',
      userAgent: 'curl/7.88.1',
      identifier: 'vh1',
      backend: 'http://10.0.0.1:80',
      totalMs: 4.2,
      backendMs: null,
      requestId: 'id-1',
      outcome: 'forwarded',
      error: 'backend-timeout',
    });
  });

  it('keeps every character readable for a parser', () => {
    const target = '/"\\\n\u007f\u00e9\u2028Ā😀';
    expect(JSON.parse(json(record({ target }))).target).toBe(target);
  });
});

describe.each(['hipache', 'combined', 'json'] as const)('a line in the format %s', (format) => {
  const nasty = '" 200 1 "\n1.2.3.4 \\ \r\t\u0000\u007f\u0085é Ċ😀';
  const line = accessLineFormats[format](
    record({
      clientAddress: nasty,
      method: nasty,
      target: nasty,
      referer: nasty,
      userAgent: nasty,
      identifier: nasty,
      host: nasty,
    }),
  );

  it('cannot be forged: it is one line of printable ASCII', () => {
    expect(line).toMatch(/^[\x20-\x7e]+\n$/);
  });

  it('cannot be told apart wrongly: no quote of a client ends a field', () => {
    if (format === 'json') expect(JSON.parse(line).userAgent).toBe(nasty);
    else expect(line.split('"')).toHaveLength(format === 'hipache' ? 9 : 7);
  });
});

it('what is escaped shows its bytes', () => {
  expect(hipache(record({ referer: '"\\\né', identifier: 'Ċ' }))).toContain('"\\x22\\x5C\\x0A\\xE9" "curl/7.88.1" "\\xC4\\x8A"');
});
