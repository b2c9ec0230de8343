// Absolute and asterisk form, and their agreement with Host (RFC 9112 section 3.2).
import { describe, expect, it } from 'vitest';
import { acceptedRequest, requestVerdict, requestWith } from '../../helpers/raw-heads.js';

describe('the absolute form (RFC 9112 section 3.2.2)', () => {
  it.each([
    ['http://example.com/a?b', '/a?b', 'example.com'],
    ['http://example.com', '/', 'example.com'],
    ['http://example.com?a=b', '/?a=b', 'example.com'],
    ['HTTP://example.com/', '/', 'example.com'],
    ['https://example.com/x', '/x', 'example.com'],
    ['http://Example.com:80/', '/', 'Example.com:80'],
    ['https://example.com:443/', '/', 'example.com:443'],
    ['http://example.com/http://other/', '/http://other/', 'example.com'],
    ['http://example.com/a@b', '/a@b', 'example.com'],
  ])('reduces %s to %s', (url, target, authority) => {
    expect(acceptedRequest(requestWith(`GET ${url} HTTP/1.1`, 'Host: example.com'))).toMatchObject({ target, authority });
  });

  it.each([
    ['another host', 'http://other.com/', 'example.com'],
    ['another port', 'http://example.com:8080/', 'example.com'],
    ['the default port of the other scheme', 'https://example.com:80/', 'example.com'],
    ['an empty Host', 'http://example.com/', ''],
    ['a suffix', 'http://a.example.com/', 'example.com'],
  ])('refuses a target that disagrees with Host: %s', (_, url, host) => {
    expect(requestVerdict(requestWith(`GET ${url} HTTP/1.1`, `Host: ${host}`))).toBe('bad-host');
  });

  it.each([
    ['http://example.com:8080/', 'EXAMPLE.com:8080'],
    ['http://example.com/', 'example.com:80'],
    ['http://example.com:/', 'example.com'],
    ['https://[::1]:443/', '[::1]'],
  ])('takes %s and Host %s for the same', (url, host) => {
    expect(requestVerdict(requestWith(`GET ${url} HTTP/1.1`, `Host: ${host}`))).toBe('accepted');
  });

  it('asks for Host all the same in HTTP/1.1, and for none in HTTP/1.0', () => {
    expect(requestVerdict(requestWith('GET http://example.com/ HTTP/1.1'))).toBe('no-host');
    expect(acceptedRequest(requestWith('GET http://example.com/ HTTP/1.0')).authority).toBe('example.com');
  });

  it.each([
    'http:///a',
    'http://',
    'http:/example.com/',
    'http:example.com',
    'http://user@example.com/',
    'http://user:pass@example.com/',
    'http://example.com:port/',
    'http://example.com:99999/',
    'http://exa%zzmple.com/',
    'http://[::1/',
    'http://a,b/',
    'http://example.com\\@other/',
    'ftp://example.com/',
    'ws://example.com/',
    'httpss://example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'urn:a:b',
  ])('refuses the target %s', (url) => {
    expect(requestVerdict(requestWith(`GET ${url} HTTP/1.1`, 'Host: example.com'))).toBe('bad-request-line');
  });
});

describe('the asterisk form (RFC 9112 section 3.2.4)', () => {
  it('is for OPTIONS alone', () => {
    expect(acceptedRequest(requestWith('OPTIONS * HTTP/1.1', 'Host: example.com')).target).toBe('*');
    expect(requestVerdict(requestWith('HEAD * HTTP/1.1', 'Host: example.com'))).toBe('bad-request-line');
  });

  it('is what OPTIONS for a URL without a path becomes', () => {
    expect(acceptedRequest(requestWith('OPTIONS http://example.com HTTP/1.1', 'Host: example.com')).target).toBe('*');
    expect(acceptedRequest(requestWith('OPTIONS http://example.com/ HTTP/1.1', 'Host: example.com')).target).toBe('/');
    expect(acceptedRequest(requestWith('OPTIONS http://example.com?a HTTP/1.1', 'Host: example.com')).target).toBe('/?a');
  });
});
