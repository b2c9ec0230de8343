// The value of Host (RFC 9112 section 3.2, RFC 3986 section 3.2).
import { describe, expect, it } from 'vitest';
import { sameAuthority } from '../../../src/http1/authority.js';
import { acceptedRequest, requestVerdict, requestWith } from '../../helpers/raw-heads.js';

const withHost = (value: string): string => requestWith('GET / HTTP/1.1', `Host: ${value}`);

describe('Host', () => {
  it.each([
    'example.com',
    'EXAMPLE.com',
    'example.com:80',
    'example.com:65535',
    'example.com:',
    'example.com.',
    'localhost',
    'under_score.example.com',
    '*.example.com',
    '__ping__',
    '192.0.2.1',
    '192.0.2.1:8080',
    '[::1]',
    '[2001:db8::1]:8443',
    '[::ffff:192.0.2.1]',
    'xn--bcher-kva.example',
    "sub-delims!$&'()*+;=",
    'p%C3%A9ct.example',
    '-',
    '..',
  ])('accepts %s as it is', (value) => {
    expect(acceptedRequest(withHost(value)).authority).toBe(value);
  });

  it('does not count blanks around the value', () => {
    expect(acceptedRequest(requestWith('GET / HTTP/1.1', 'Host: \t example.com \t')).authority).toBe('example.com');
  });

  it.each([
    'user@example.com',
    'user:pass@example.com',
    'example.com/path',
    '/example.com',
    'http://example.com',
    'example.com?a',
    'example.com#a',
    'a b',
    'a\tb',
    'a,b',
    'a, b',
    'example.com,',
    'example.com\\x',
    'example.com:80:80',
    'example.com:http',
    'example.com:-1',
    'example.com:+80',
    'example.com: 80',
    'example.com :80',
    'example.com:65536',
    'example.com:000080',
    ':80',
    ':',
    '::1',
    '[::1',
    '::1]',
    '[]',
    '[::1]x',
    '[::1]]',
    '[[::1]]',
    '[::g]',
    '[example.com]',
    '[192.0.2.1]',
    '[fe80::1%25eth0]',
    '[fe80::1%eth0]',
    '[v1.x]',
    'a%',
    'a%2',
    'a%zz',
    'a%2g',
    '"example.com"',
    '<example.com>',
    'example.com|x',
    'example.com^',
    '{example}',
    'caf\xe9.example',
    'a[b]',
  ])('refuses %s', (value) => {
    expect(requestVerdict(withHost(value))).toBe('bad-host');
  });

  it('looks for the end of an IPv6 address within the value only', () => {
    expect(requestVerdict(requestWith('GET / HTTP/1.1', 'Host: [::1', 'X: ]'))).toBe('bad-host');
    expect(requestVerdict(requestWith('GET / HTTP/1.1', 'Host: a%2', 'X: ]'))).toBe('bad-host');
  });

  it('may be empty (RFC 9112 section 3.2)', () => {
    expect(acceptedRequest(withHost('')).authority).toBe('');
    expect(acceptedRequest(requestWith('GET / HTTP/1.0', 'Host:   ')).authority).toBe('');
  });

  it('must be there in HTTP/1.1 and may be missing in HTTP/1.0', () => {
    expect(requestVerdict(requestWith('GET / HTTP/1.1'))).toBe('no-host');
    expect(requestVerdict(requestWith('GET / HTTP/1.1', 'X_Host: a', 'Hosts: b'))).toBe('no-host');
    expect(acceptedRequest(requestWith('GET / HTTP/1.0')).authority).toBe('');
  });

  it.each(['1.1', '1.0'])('must not come twice in HTTP/%s, equal or not', (version) => {
    expect(requestVerdict(requestWith(`GET / HTTP/${version}`, 'Host: a', 'Host: a'))).toBe('bad-host');
    expect(requestVerdict(requestWith(`GET / HTTP/${version}`, 'Host: a', 'X: y', 'hOST: b'))).toBe('bad-host');
    expect(requestVerdict(requestWith(`GET / HTTP/${version}`, 'Host:', 'Host: b'))).toBe('bad-host');
  });
});

describe('sameAuthority', () => {
  it('ignores case and the default port', () => {
    expect(sameAuthority('A.b', 'a.B:80', 'http')).toBe(true);
    expect(sameAuthority('a:443', 'a', 'https')).toBe(true);
    expect(sameAuthority('a:443', 'a', 'http')).toBe(false);
    expect(sameAuthority('a:8080', 'a:80', 'http')).toBe(false);
    expect(sameAuthority('a', 'b', 'http')).toBe(false);
  });
});
