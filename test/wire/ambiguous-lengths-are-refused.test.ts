// A request whose length two readers could tell differently hides a second request for one of them (RFC 9112 section 6.3).
import { describe } from 'vitest';
import { type Refusal, refuses, smuggled } from './refusals.js';
import { useProxy } from './use-proxy.js';

const wire = useProxy();

/** A POST with the given lines, then bytes that are a body to one reader and a request to another. */
function post(lines: string, behind = `0\r\n\r\n${smuggled}`): string {
  return `POST / HTTP/1.1\r\nHost: HOST\r\n${lines}\r\n\r\n${behind}`;
}

const lengths: readonly Refusal[] = [
  { what: 'two different lengths', bytes: post('Content-Length: 5\r\nContent-Length: 48'), code: 'ambiguous-length' },
  { what: 'two equal lengths', bytes: post('Content-Length: 5\r\nContent-Length: 5', '12345'), code: 'ambiguous-length' },
  { what: 'a list of lengths', bytes: post('Content-Length: 5, 5', '12345'), code: 'ambiguous-length' },
  { what: 'a length beside chunked', bytes: post('Content-Length: 5\r\nTransfer-Encoding: chunked'), code: 'ambiguous-length' },
  { what: 'chunked beside a length', bytes: post('Transfer-Encoding: chunked\r\nContent-Length: 5'), code: 'ambiguous-length' },
  {
    what: 'a length of zero beside chunked',
    bytes: post('Content-Length: 0\r\nTransfer-Encoding: chunked'),
    code: 'ambiguous-length',
  },
  { what: 'an empty length', bytes: post('Content-Length:', smuggled), code: 'ambiguous-length' },
  { what: 'a negative length', bytes: post('Content-Length: -1', smuggled), code: 'ambiguous-length' },
  { what: 'a length with a plus sign', bytes: post('Content-Length: +5', '12345'), code: 'ambiguous-length' },
  { what: 'a hexadecimal length', bytes: post('Content-Length: 0x5', '12345'), code: 'ambiguous-length' },
  { what: 'a length with a fraction', bytes: post('Content-Length: 5.0', '12345'), code: 'ambiguous-length' },
  { what: 'a length with an exponent', bytes: post('Content-Length: 1e1', '1234567890'), code: 'ambiguous-length' },
  { what: 'a length in quotes', bytes: post('Content-Length: "5"', '12345'), code: 'ambiguous-length' },
  { what: 'a length with inner blanks', bytes: post('Content-Length: 4 8', '1234'), code: 'ambiguous-length' },
  {
    what: 'a length beyond what can be counted',
    bytes: post('Content-Length: 18446744073709551621', '12345'),
    code: 'ambiguous-length',
  },
  {
    what: 'chunked in HTTP/1.0',
    bytes: `POST / HTTP/1.0\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    code: 'ambiguous-length',
  },
];

const codings: readonly Refusal[] = [
  { what: 'chunked twice', bytes: post('Transfer-Encoding: chunked, chunked'), code: 'ambiguous-length' },
  {
    what: 'chunked on two lines',
    bytes: post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
    code: 'ambiguous-length',
  },
  { what: 'chunked before another coding', bytes: post('Transfer-Encoding: chunked, identity'), code: 'ambiguous-length' },
  { what: 'identity', bytes: post('Transfer-Encoding: identity'), code: 'unknown-transfer-coding' },
  { what: 'identity before chunked', bytes: post('Transfer-Encoding: identity, chunked'), code: 'unknown-transfer-coding' },
  { what: 'gzip before chunked', bytes: post('Transfer-Encoding: gzip, chunked'), code: 'unknown-transfer-coding' },
  {
    what: 'gzip and chunked on two lines',
    bytes: post('Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked'),
    code: 'unknown-transfer-coding',
  },
  { what: 'a coding whose name begins with an x', bytes: post('Transfer-Encoding: xchunked'), code: 'unknown-transfer-coding' },
  { what: 'chunked with a parameter', bytes: post('Transfer-Encoding: chunked;a=b'), code: 'bad-header' },
  { what: 'chunked in quotes', bytes: post('Transfer-Encoding: "chunked"'), code: 'bad-header' },
  { what: 'chunked behind a vertical tab', bytes: post('Transfer-Encoding: \x0bchunked'), code: 'bad-header' },
  { what: 'chunked before a tab', bytes: post('Transfer-Encoding: chunked\t'), code: 'ambiguous-length' },
  { what: 'chunked before a NUL', bytes: post('Transfer-Encoding: chunked\x00'), code: 'bad-header' },
  { what: 'chunked before a lone CR', bytes: post('Transfer-Encoding: chunked\rX: y'), code: 'bad-header' },
  { what: 'an empty coding', bytes: post('Transfer-Encoding:'), code: 'bad-header' },
  { what: 'a comma for a coding', bytes: post('Transfer-Encoding: ,'), code: 'bad-header' },
  { what: 'a blank between name and colon', bytes: post('Transfer-Encoding : chunked'), code: 'bad-header' },
  { what: 'a tab between name and colon', bytes: post('Content-Length: 5\r\nTransfer-Encoding\t: chunked'), code: 'bad-header' },
  { what: 'a blank before the name', bytes: post('X: y\r\n Transfer-Encoding: chunked'), code: 'bad-header' },
  { what: 'a coding on a folded line', bytes: post('Transfer-Encoding:\r\n chunked'), code: 'bad-header' },
  { what: 'a coding behind a bare LF', bytes: post('X: y\nTransfer-Encoding: chunked'), code: 'bad-header' },
  { what: 'a coding behind a lone CR', bytes: post('X: y\rTransfer-Encoding: chunked'), code: 'bad-header' },
];

describe('a length that can be told in two ways', () => refuses(wire, lengths));
describe('a transfer coding in disguise', () => refuses(wire, codings));
