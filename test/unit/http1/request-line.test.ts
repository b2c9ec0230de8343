// Request lines that are HTTP/1.x, and the many that are not (RFC 9112 section 3).
import { describe, expect, it } from 'vitest';
import { acceptedRequest, headLimits, requestHead, requestVerdict } from '../../helpers/raw-heads.js';

const line = (text: string): string => `${text}\r\nHost: example.com\r\n\r\n`;

describe('the request line', () => {
  it('gives method, target and version', () => {
    const head = acceptedRequest(line('GET /a/b?c=d HTTP/1.1'));
    expect(head).toMatchObject({
      method: 'GET',
      target: '/a/b?c=d',
      minor: 1,
      authority: 'example.com',
      body: 0,
      keepAlive: true,
    });
    expect(acceptedRequest(line('POST / HTTP/1.0')).minor).toBe(0);
  });

  it.each(['GET', 'get', 'M-SEARCH', "!#$%&'*+-.^_`|~", 'X'.repeat(64)])('accepts the method %s', (method) => {
    expect(acceptedRequest(line(`${method} / HTTP/1.1`)).method).toBe(method);
  });

  it.each(['/', '//', '/%00', '/a b'.replace(' ', '%20'), '/?', '/|{}^"<>[]`\\', '/;p=1', '/\xc3\xa9', '/a@b:c'])(
    'passes the target %s on as it is',
    (target) => {
      expect(acceptedRequest(line(`GET ${target} HTTP/1.1`)).target).toBe(target);
    },
  );

  it.each([
    ['no method', ' / HTTP/1.1'],
    ['a method that is no token', 'GE(T / HTTP/1.1'],
    ['a colon in the method', 'Host: example.com'],
    ['two blanks before the target', 'GET  / HTTP/1.1'],
    ['a tab instead of a blank', 'GET\t/ HTTP/1.1'],
    ['two blanks before the version', 'GET /  HTTP/1.1'],
    ['a tab before the version', 'GET /\tHTTP/1.1'],
    ['a blank behind the version', 'GET / HTTP/1.1 '],
    ['a blank in the target', 'GET /a b HTTP/1.1'],
    ['a fragment', 'GET /a#b HTTP/1.1'],
    ['a NUL in the target', 'GET /\0 HTTP/1.1'],
    ['a DEL in the target', 'GET /\x7f HTTP/1.1'],
    ['a bare CR in the target', 'GET /\r HTTP/1.1'],
    ['no target', 'GET HTTP/1.1'],
    ['an empty target', 'GET  HTTP/1.1'],
    ['a simple request of HTTP/0.9', 'GET /'],
    ['a version in lower case', 'GET / http/1.1'],
    ['a version without a minor number', 'GET / HTTP/1'],
    ['a version with a comma', 'GET / HTTP/1,1'],
    ['a version with two digits', 'GET / HTTP/1.10'],
    ['a version with two leading digits', 'GET / HTTP/11.1'],
    ['another protocol', 'GET / ICAP/1.0'],
    ['RTSP', 'OPTIONS * RTSP/1.0'],
    ['a relative target', 'GET a/b HTTP/1.1'],
    ['an authority as target of GET', 'GET example.com:443 HTTP/1.1'],
    ['an asterisk for another method than OPTIONS', 'GET * HTTP/1.1'],
    ['two asterisks', 'OPTIONS ** HTTP/1.1'],
    ['a query alone', 'GET ?a=b HTTP/1.1'],
    ['an SSH greeting', 'SSH-2.0-OpenSSH_9.2p1 Debian-2'],
    ['an SMTP greeting', 'EHLO example.com'],
    ['a PROXY preamble', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2'],
  ])('refuses %s', (_, text) => {
    expect(requestVerdict(line(text))).toBe('bad-request-line');
  });

  it.each(['HTTP/2.0', 'HTTP/1.2', 'HTTP/1.9', 'HTTP/0.9', 'HTTP/3.0', 'HTTP/0.1', 'HTTP/9.9'])(
    'answers 505 to %s',
    (version) => {
      expect(requestVerdict(line(`GET / ${version}`))).toBe('bad-version');
    },
  );

  it('answers 505 to the preface of HTTP/2 (RFC 9113 section 3.4)', () => {
    expect(requestVerdict('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).toBe('bad-version');
    expect(requestVerdict('PRI * HTTP/2.0\r\n')).toBe('bad-version');
  });

  it('answers 501 to CONNECT, whatever its target (RFC 9110 section 9.3.6)', () => {
    expect(requestVerdict(line('CONNECT example.com:443 HTTP/1.1'))).toBe('method-not-supported');
    expect(requestVerdict('CONNECT example.com:443 HTTP/1.1\r\n')).toBe('method-not-supported');
    expect(requestVerdict(line('CONNECT / HTTP/1.1'))).toBe('method-not-supported');
  });

  it('skips one or two empty lines before the request line and counts them (RFC 9112 section 2.2)', () => {
    const text = line('GET / HTTP/1.1');
    for (const before of ['', '\r\n', '\r\n\r\n']) {
      const head = acceptedRequest(before + text);
      expect(head.byteLength).toBe(before.length + text.length);
      expect(head.headers.pairs()).toEqual(['Host', 'example.com']);
    }
    expect(requestVerdict(`\r\n\r\n\r\n${text}`)).toBe('bad-request-line');
    expect(requestVerdict(`\n${text}`)).toBe('bad-request-line');
    expect(requestVerdict(`\r${text}`)).toBe('bad-request-line');
    expect(requestVerdict(` \r\n${text}`)).toBe('bad-request-line');
  });

  it.each([
    '',
    '\r',
    '\r\n',
    '\r\n\r\n',
    'G',
    'GET',
    'GET ',
    'GET /',
    'GET / ',
    'GET / HTTP/1.',
    'GET / HTTP/1.1\r',
    'GET / HTTP/1.1\r\n',
  ])('waits for more after %j', (text) => {
    expect(requestHead(text)).toBeNull();
  });

  it.each([
    ['a TLS ClientHello', '\x16\x03\x01\x02\x00\x01'],
    ['the first byte of a ClientHello', '\x16'],
    ['an SSLv2 hello', '\x80\x2e\x01'],
    ['NUL', '\0'],
    ['a binary PROXY preamble', '\r\n\r\n\0\r\nQUIT\n'],
    ['HTTP/0.9 without its end', 'GET /\r'],
    ['a line that ends with LF', 'GET / HTTP/1.1\n'],
    ['a wrong version', 'GET / HTTQ'],
    ['a target of nothing', 'GET  '],
    ['JSON', '{"jsonrpc":"2.0"}'],
    ['a Redis command', '*1\r\n'],
  ])('refuses %s before the line is complete', (_, text) => {
    expect(requestVerdict(text)).toBe('bad-request-line');
  });

  it('answers 414 to a line that is too long, also before its end (RFC 9112 section 3)', () => {
    const limits = { ...headLimits, maxLineBytes: 40 };
    const exactly = `GET /${'a'.repeat(26)} HTTP/1.1`;
    expect(exactly).toHaveLength(40);
    expect(requestVerdict(line(exactly), limits)).toBe('accepted');
    expect(requestVerdict(line(exactly.replace('/', '/a')), limits)).toBe('target-too-long');
    expect(requestVerdict(`GET /${'a'.repeat(35)}`, limits)).toBe('incomplete');
    expect(requestVerdict(`GET /${'a'.repeat(36)}`, limits)).toBe('target-too-long');
    expect(requestVerdict(`GET /${'a'.repeat(27)} `, limits)).toBe('target-too-long');
  });

  it('answers 414 where the request line alone fills the head', () => {
    expect(requestVerdict(`GET /${'a'.repeat(100)}`, { ...headLimits, maxHeadBytes: 100 })).toBe('target-too-long');
  });

  it('answers 501 to a method that never ends (RFC 9112 section 3)', () => {
    expect(requestVerdict('A'.repeat(65))).toBe('method-not-supported');
    expect(requestVerdict('A'.repeat(64))).toBe('incomplete');
    expect(requestVerdict(line(`${'A'.repeat(65)} / HTTP/1.1`))).toBe('method-not-supported');
  });
});
