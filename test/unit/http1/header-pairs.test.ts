// Header lists made from names and values.
import { describe, expect, it } from 'vitest';
import { ProxyError } from '../../../src/errors/proxy-error.js';
import { headerListFromPairs } from '../../../src/http1/header-pairs.js';
import { Kind, noHeaders } from '../../../src/http1/headers.js';

describe('headerListFromPairs', () => {
  it('makes the lines, with kinds and positions', () => {
    const headers = headerListFromPairs(['Content-Type', 'text/html', 'X-Empty', '', 'set-cookie', 'a=b', 'Set-Cookie', 'c=d']);
    expect(headers.text).toBe('Content-Type: text/html\r\nX-Empty: \r\nset-cookie: a=b\r\nSet-Cookie: c=d\r\n');
    expect(headers.pairs()).toEqual(['Content-Type', 'text/html', 'X-Empty', '', 'set-cookie', 'a=b', 'Set-Cookie', 'c=d']);
    expect(headers.first(Kind.contentType)).toBe('text/html');
    expect(headers.values('SET-COOKIE')).toEqual(['a=b', 'c=d']);
    expect(headers.without(1 << Kind.setCookie, null)).toBe('Content-Type: text/html\r\nX-Empty: \r\n');
  });

  it('makes an empty list from nothing', () => {
    expect(headerListFromPairs([])).toBe(noHeaders);
  });

  it('is not limited in lines or length', () => {
    const pairs = Array.from({ length: 1000 }, (_, at) => [`x-${at}`, 'v'.repeat(100)]).flat();
    expect(headerListFromPairs(pairs).count).toBe(1000);
  });

  it.each([
    ['CR and LF in a value', ['A', 'b\r\nC: d']],
    ['LF in a value', ['A', 'b\nC: d']],
    ['CR in a value', ['A', 'b\r']],
    ['NUL in a value', ['A', 'b\0']],
    ['a character that becomes LF in latin1', ['A', 'b\u010aC: d']],
    ['a character beyond latin1', ['A', '\u20ac']],
    ['a colon in a name', ['A: b\r\nC', 'd']],
    ['a blank in a name', ['A ', 'b']],
    ['an empty name', ['', 'b']],
    ['a name beyond latin1', ['\u0141', 'b']],
    ['a name without a value', ['A']],
  ])('refuses %s', (_, pairs) => {
    expect(() => headerListFromPairs(pairs)).toThrow(ProxyError);
    expect(() => headerListFromPairs(['X', 'y', ...pairs])).toThrow(expect.objectContaining({ code: 'internal' }));
  });
});
