// What the grammar of HTTP/1.1 has not is refused at once, since the next reader may understand it in its own way.
import { describe, expect, it } from 'vitest';
import { connectTlsClient } from '../helpers/raw-client.js';
import { type Refusal, refuses, smuggled } from './refusals.js';
import { useProxy } from './use-proxy.js';

const wire = useProxy({ server: { maxHeadBytes: 4096, maxLineBytes: 1024, maxHeaderCount: 20 } });

const get = (lines: string, start = 'GET / HTTP/1.1'): string => `${start}\r\nHost: HOST\r\n${lines}\r\n${smuggled}`;
const starting = (line: string): string => `${line}\r\nHost: HOST\r\n\r\n${smuggled}`;

const requestLines: readonly Refusal[] = [
  { what: 'HTTP/0.9', bytes: 'GET /\r\n', code: 'bad-request-line' },
  { what: 'HTTP/1.2', bytes: starting('GET / HTTP/1.2'), code: 'bad-version' },
  { what: 'HTTP/2.0 on the line', bytes: starting('GET / HTTP/2.0'), code: 'bad-version' },
  { what: 'the preface of HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', code: 'bad-version' },
  { what: 'a version in lower case', bytes: starting('GET / http/1.1'), code: 'bad-request-line' },
  { what: 'a version with two digits', bytes: starting('GET / HTTP/1.10'), code: 'bad-request-line' },
  { what: 'a blank behind the version', bytes: starting('GET / HTTP/1.1 '), code: 'bad-request-line' },
  { what: 'two blanks before the version', bytes: starting('GET /  HTTP/1.1'), code: 'bad-request-line' },
  { what: 'two blanks behind the method', bytes: starting('GET  / HTTP/1.1'), code: 'bad-request-line' },
  { what: 'a tab for a blank', bytes: starting('GET\t/ HTTP/1.1'), code: 'bad-request-line' },
  { what: 'a blank in the target', bytes: starting('GET /a b HTTP/1.1'), code: 'bad-request-line' },
  { what: 'a fragment', bytes: starting('GET /a#b HTTP/1.1'), code: 'bad-request-line' },
  { what: 'a control byte in the target', bytes: starting('GET /a\x01 HTTP/1.1'), code: 'bad-request-line' },
  { what: 'a NUL in the target', bytes: starting('GET /\x00 HTTP/1.1'), code: 'bad-request-line' },
  {
    what: 'a request line that ends with a bare LF',
    bytes: `GET / HTTP/1.1\nHost: HOST\r\n\r\n${smuggled}`,
    code: 'bad-request-line',
  },
  { what: 'a lone CR in the request line', bytes: starting('GET / HTTP/1.1\rX'), code: 'bad-request-line' },
  { what: 'a blank before the method', bytes: starting(' GET / HTTP/1.1'), code: 'bad-request-line' },
  { what: 'a method with a colon', bytes: starting('GE:T / HTTP/1.1'), code: 'bad-request-line' },
  { what: 'three empty lines before the request', bytes: `\r\n\r\n\r\n${starting('GET / HTTP/1.1')}`, code: 'bad-request-line' },
  { what: 'a bare LF before the request', bytes: `\n${starting('GET / HTTP/1.1')}`, code: 'bad-request-line' },
  { what: 'CONNECT', bytes: starting('CONNECT HOST:443 HTTP/1.1'), code: 'method-not-supported' },
  { what: 'a method that never ends', bytes: 'A'.repeat(70), code: 'method-not-supported' },
  { what: 'a target without a slash', bytes: starting('GET index.html HTTP/1.1'), code: 'bad-request-line' },
  { what: 'the asterisk for GET', bytes: starting('GET * HTTP/1.1'), code: 'bad-request-line' },
  { what: 'a URL of another scheme', bytes: starting('GET ftp://HOST/ HTTP/1.1'), code: 'bad-request-line' },
  { what: 'a TLS handshake', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', code: 'bad-request-line' },
  { what: 'a target that is too long', bytes: starting(`GET /${'a'.repeat(1100)} HTTP/1.1`), code: 'target-too-long' },
  { what: 'a target that never ends', bytes: `GET /${'a'.repeat(1100)}`, code: 'target-too-long' },
];

const headerLines: readonly Refusal[] = [
  { what: 'a header line that ends with a bare LF', bytes: get('A: b\nC: d\r\n'), code: 'bad-header' },
  { what: 'a head that ends with a bare LF', bytes: `GET / HTTP/1.1\r\nHost: HOST\r\n\n${smuggled}`, code: 'bad-header' },
  { what: 'a head that ends with two bare LFs', bytes: `GET / HTTP/1.1\r\nHost: HOST\n\n${smuggled}`, code: 'bad-header' },
  { what: 'a folded line', bytes: get('A: b\r\n c\r\n'), code: 'bad-header' },
  { what: 'a line folded by a tab', bytes: get('A: b\r\n\tc\r\n'), code: 'bad-header' },
  { what: 'a blank line of blanks', bytes: get('A: b\r\n  \r\n'), code: 'bad-header' },
  { what: 'a line without a colon', bytes: get('A b\r\n'), code: 'bad-header' },
  { what: 'a line without a name', bytes: get(': b\r\n'), code: 'bad-header' },
  { what: 'a name with a blank', bytes: get('A b: c\r\n'), code: 'bad-header' },
  { what: 'a name with a byte beyond ASCII', bytes: get('\xc3\x84: c\r\n'), code: 'bad-header' },
  { what: 'a name with a slash', bytes: get('a/b: c\r\n'), code: 'bad-header' },
  { what: 'a blank before the colon', bytes: get('A : b\r\n'), code: 'bad-header' },
  { what: 'a NUL in a value', bytes: get('A: b\x00c\r\n'), code: 'bad-header' },
  { what: 'a control byte in a value', bytes: get('A: b\x07c\r\n'), code: 'bad-header' },
  { what: 'DEL in a value', bytes: get('A: b\x7fc\r\n'), code: 'bad-header' },
  { what: 'a lone CR in a value', bytes: get('A: b\rc\r\n'), code: 'bad-header' },
  { what: 'a member of Connection that is no token', bytes: get('Connection: close, b@d\r\n'), code: 'bad-header' },
  { what: 'a line that is too long', bytes: get(`A: ${'b'.repeat(1100)}\r\n`), code: 'head-too-large' },
  { what: 'too many lines', bytes: get('A: b\r\n'.repeat(21)), code: 'head-too-large' },
  { what: 'a head that is too large', bytes: get(`A: ${'b'.repeat(900)}\r\n`.repeat(5)), code: 'head-too-large' },
  {
    what: 'a header line that never ends',
    bytes: `GET / HTTP/1.1\r\nHost: HOST\r\nA: ${'b'.repeat(1100)}`,
    code: 'head-too-large',
  },
  { what: 'an expectation that nobody knows', bytes: get('Content-Length: 1\r\nExpect: 200-ok\r\n'), code: 'bad-expectation' },
];

const hosts: readonly Refusal[] = [
  { what: 'HTTP/1.1 without Host', bytes: `GET / HTTP/1.1\r\n\r\n${smuggled}`, code: 'no-host' },
  { what: 'two Hosts', bytes: get('Host: other.example.com\r\n'), code: 'bad-host' },
  { what: 'two equal Hosts', bytes: get('Host: HOST\r\n'), code: 'bad-host' },
  { what: 'a list of Hosts', bytes: 'GET / HTTP/1.1\r\nHost: HOST, other.example.com\r\n\r\n', code: 'bad-host' },
  { what: 'a Host with user information', bytes: 'GET / HTTP/1.1\r\nHost: evil@HOST\r\n\r\n', code: 'bad-host' },
  { what: 'a Host with a path', bytes: 'GET / HTTP/1.1\r\nHost: HOST/evil\r\n\r\n', code: 'bad-host' },
  { what: 'a Host with a blank', bytes: 'GET / HTTP/1.1\r\nHost: HOST evil\r\n\r\n', code: 'bad-host' },
  { what: 'a Host with a port that is no number', bytes: 'GET / HTTP/1.1\r\nHost: HOST:8o\r\n\r\n', code: 'bad-host' },
  { what: 'a Host with a port that is none', bytes: 'GET / HTTP/1.1\r\nHost: HOST:65536\r\n\r\n', code: 'bad-host' },
  { what: 'a Host with half an IPv6 address', bytes: 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n', code: 'bad-host' },
  { what: 'a URL against another Host', bytes: starting('GET http://other.example.com/ HTTP/1.1'), code: 'bad-host' },
  { what: 'a URL against another port', bytes: starting('GET http://HOST:8080/ HTTP/1.1'), code: 'bad-host' },
  { what: 'a URL with user information', bytes: starting('GET http://user@HOST/ HTTP/1.1'), code: 'bad-request-line' },
];

describe('the request line', () => refuses(wire, requestLines));
describe('header lines', () => refuses(wire, headerLines));
describe('Host', () => refuses(wire, hosts));

it('says nothing to a TLS client on a clear-text port that it could take for TLS', async () => {
  await expect(connectTlsClient(wire.world.proxy.port, 'example.com')).rejects.toThrow();
});

it('serves the next client after all of that', async () => {
  const { world } = wire;
  const backend = await world.backend('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
  const host = await world.frontend(backend);
  expect((await world.get(host)).text).toBe('hello');
});
