// Messages of HTTP/1 for the fuzz: right ones, odd ones, and ones that say two things.
import fc from 'fast-check';
import { damaged } from './texts.js';

const pick = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);

const methods = pick(
  'GET',
  'POST',
  'PUT',
  'HEAD',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'PURGE',
  'M-SEARCH',
  'get',
  'CONNECT',
  'PRI',
  'X!#',
);
const targets = pick(
  ...[
    '/',
    '/a?b=c',
    '*',
    '//',
    '/../x',
    '/%2e%2e%2fx',
    '/a b',
    '/a#b',
    'http://a/',
    'http://a:80/x?y',
    'https://b',
    'a:443',
    '',
    '/\xe9',
    '/%00',
    '/|{}^',
  ],
  'http://a@b/',
);
const versions = pick(
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/0.9',
  'HTTP/2.0',
  'http/1.1',
  'HTTP/1.12',
  'HTTP/01.1',
  '',
);

const plainLines = pick(
  ...[
    'Host: a',
    'Host: a',
    'Host: a',
    'Host: a:80',
    'Host: b',
    'Host:',
    'host: a',
    'Host: a b',
    'Host: [::1]',
    'Host: a, b',
    'Hos_t: a',
  ],
  ...['A: b', 'X: \xe9', 'X:', 'X: ', 'X:\t y \t', 'Cookie: a=1', 'Cookie: b=2', 'Accept-Encoding: gzip', 'Referer: http://a/'],
  ...[
    'X-Forwarded-For: 1.2.3.4',
    'X_Forwarded_For: 1.2.3.4',
    'Forwarded: for=1.2.3.4',
    'Content_Length: 9',
    'Transfer_Encoding: chunked',
  ],
  ...['Expect: 100-continue', 'Expect: 100-continue, x', 'Expect: y', 'Trailer: X-Sum', 'TE: trailers', 'TE: trailers, chunked'],
  ...[
    'Upgrade: websocket',
    'Upgrade: h2c',
    'Connection: upgrade',
    'Connection: close',
    'Connection: keep-alive',
    'Connection: Upgrade, HTTP2-Settings',
  ],
  ...[
    'Connection: Host',
    'Connection: Content-Length',
    'Connection: x, ,y',
    'Connection: ,',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: close',
  ],
  ...['A : b', ' A: b', 'A', ': b', 'A: b\0', 'A\0: b', '\tfolded', 'A: b\rC: d', 'A: b\nC: d', 'A(): b'],
);
const lengthLines = pick(
  ...[
    'Content-Length: 5',
    'Content-Length: 5',
    'Content-Length: 0',
    'content-length: 5',
    'Content-Length: 05',
    'Content-Length: +5',
    'Content-Length: -1',
  ],
  ...[
    'Content-Length: 5, 5',
    'Content-Length: 5;',
    'Content-Length: 0x5',
    'Content-Length: 5 5',
    'Content-Length:',
    'Content-Length: 5\t',
  ],
  ...['Content-Length: 18446744073709551621', 'Content-Length : 5', 'Content-Length\t: 5', ' Content-Length: 5'],
  ...[
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: chunked',
    'transfer-encoding: CHUNKED',
    'Transfer-Encoding: identity',
    'Transfer-Encoding: gzip, chunked',
  ],
  ...[
    'Transfer-Encoding: chunked, chunked',
    'Transfer-Encoding: chunked;q=1',
    'Transfer-Encoding: "chunked"',
    'Transfer-Encoding: xchunked',
  ],
  ...[
    'Transfer-Encoding:\x0bchunked',
    'Transfer-Encoding: chunked\x0c',
    'Transfer-Encoding: ,chunked',
    'Transfer-Encoding: chunked,',
    'Transfer-Encoding:',
  ],
  ...[
    'Transfer-Encoding : chunked',
    'Transfer-Encoding: chu\r\n nked',
    'Transfer-Encoding:\r\n chunked',
    'Transfer-encoding: cow',
  ],
);
const chunkTexts = pick(
  '5\r\nhello\r\n',
  '05\r\nhello\r\n',
  '1;a=b\r\nx\r\n',
  '1;a="b;\\""\r\nx\r\n',
  'A\r\n0123456789\r\n',
  '2\r\n\r\n\r\n',
  '3\r\n0\r\n\r\n',
);
const oddChunks = pick(
  ...[
    '5 \r\nhello\r\n',
    ' 5\r\nhello\r\n',
    '0x5\r\nhello\r\n',
    '5\nhello\r\n',
    '5\r\nhello\n',
    '5\r\nhello',
    '5\r\nhell\r\n',
    '5;\r\nhello\r\n',
    '+5\r\nhello\r\n',
  ],
  ...[
    '-1\r\n',
    '\r\n',
    'fffffffffffffffff\r\n',
    '10000000000000000\r\n',
    '5;a=\nb\r\nhello\r\n',
    '5;a\0\r\nhello\r\n',
    '5\r\r\nhello\r\n',
    '1_0\r\nx\r\n',
  ],
);
const lastChunks = pick(
  '0\r\n\r\n',
  '0\r\n\r\n',
  '0\r\nX-Sum: 1\r\n\r\n',
  '00;x\r\n\r\n',
  '0\r\nContent-Length: 5\r\n\r\n',
  '0\r\nHost: b\r\n\r\n',
  '0\n\n',
  '0\r\nA : b\r\n\r\n',
  '',
);

/** A body in chunks, nearly always right. */
export const chunkedBodies: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(fc.oneof({ arbitrary: chunkTexts, weight: 12 }, { arbitrary: oddChunks, weight: 1 }), { maxLength: 4 }),
    lastChunks,
  )
  .map(([chunks, last]) => chunks.join('') + last);

const bodies = fc.oneof(fc.constant(''), pick('hello', 'hell', 'hello!', 'GET /evil HTTP/1.1\r\nHost: b\r\n\r\n'), chunkedBodies);

function message(lines: readonly string[], end: string, body: string): string {
  return `${[...lines, ''].join(end)}${end}${body}`;
}

const lineEnds = pick('\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r');

/** Lines of a head with at most some about framing, in any order. */
const fieldLines = fc
  .tuple(fc.array(plainLines, { maxLength: 4 }), fc.array(lengthLines, { maxLength: 2 }), fc.boolean())
  .map(([plain, lengths, first]) => ['Host: a', ...(first ? [...lengths, ...plain] : [...plain, ...lengths])]);

const startLines = fc.oneof(
  { arbitrary: pick('POST / HTTP/1.1', 'GET /a?b HTTP/1.1', 'PUT /x HTTP/1.1'), weight: 3 },
  { arbitrary: fc.tuple(methods, targets, versions).map((words) => words.join(' ')), weight: 1 },
);

const freeRequests = fc
  .tuple(startLines, fieldLines, lineEnds, bodies)
  .map(([start, lines, end, body]) => message([start, ...lines], end, body));
/** Requests that are right, with the body that they announce. */
const rightRequests = fc
  .tuple(
    pick('POST /1 HTTP/1.1', 'PUT /2 HTTP/1.1', 'POST /3 HTTP/1.0'),
    fc.array(plainLines, { maxLength: 2 }),
    fc.boolean(),
    chunkedBodies,
  )
  .map(([start, lines, inChunks, body]) => {
    const framing = inChunks ? 'Transfer-Encoding: chunked' : 'Content-Length: 5';
    return message([start, 'Host: a', ...lines, framing], '\r\n', inChunks ? body : 'hello');
  });

const smuggled = [
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: b\r\n',
  'Connection: close\r\n',
  '\r\nGET /evil HTTP/1.1\r\n',
];

/** Requests of all kinds. */
export const requestTexts: fc.Arbitrary<string> = damaged(fc.oneof(freeRequests, rightRequests), ...smuggled);

const statusLines = pick(
  ...[
    'HTTP/1.1 200 OK',
    'HTTP/1.1 200 OK',
    'HTTP/1.0 200 OK',
    'HTTP/1.1 204 No Content',
    'HTTP/1.1 304 Not Modified',
    'HTTP/1.1 101 Switching Protocols',
  ],
  ...[
    'HTTP/1.1 100 Continue',
    'HTTP/1.1 103 Early Hints',
    'HTTP/1.1 999 x',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 200',
    'HTTP/1.1  200 OK',
    'HTTP/2 200 OK',
  ],
  ...['ICY 200 OK', 'HTTP/1.1 200 O\xe9', 'HTTP/1.1 200 O\rK', 'HTTP/1.1 -20 OK', 'HTTP/1.1 099 OK'],
);

/** Answers of all kinds. */
export const responseTexts: fc.Arbitrary<string> = damaged(
  fc.tuple(statusLines, fieldLines, lineEnds, bodies).map(([start, lines, end, body]) => message([start, ...lines], end, body)),
  ...smuggled,
);
