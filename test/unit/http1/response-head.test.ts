// Status lines and the framing of responses (RFC 9112 sections 4 and 6.3).
import { describe, expect, it } from 'vitest';
import { ProxyError } from '../../../src/errors/proxy-error.js';
import { Kind } from '../../../src/http1/headers.js';
import { chunked, untilClose } from '../../../src/http1/message.js';
import { parseResponseHead } from '../../../src/http1/response-head.js';
import { acceptedResponse, headLimits, requestWith, responseHead, responseVerdict } from '../../helpers/raw-heads.js';

const ok = (...lines: string[]): string => requestWith('HTTP/1.1 200 OK', ...lines);

describe('the status line (RFC 9112 section 4)', () => {
  it.each([
    ['HTTP/1.1 200 OK', 200, 'OK', 1],
    ['HTTP/1.0 404 Not Found', 404, 'Not Found', 0],
    ['HTTP/1.1 200 ', 200, '', 1],
    ['HTTP/1.1 200', 200, '', 1],
    ['HTTP/1.1 100 Continue', 100, 'Continue', 1],
    ['HTTP/1.1 999 \tTr\xe8s bien', 999, '\tTr\xe8s bien', 1],
    ['HTTP/1.1 600  Odd', 600, ' Odd', 1],
  ])('%j is understood', (line, status, reason, minor) => {
    const head = acceptedResponse(requestWith(line, 'Content-Length: 0'));
    expect(head).toMatchObject({ status, reason, minor });
    expect(head.headers.text).toBe('Content-Length: 0\r\n');
  });

  it.each([
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 000 OK',
    'HTTP/1.1 2x0 OK',
    'HTTP/1.1 -20 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1 OK',
    'HTTP/1.1',
    'HTTP/1.2 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/0.9 200 OK',
    'HTTP/1,1 200 OK',
    'HTTP/11.1 200 OK',
    'http/1.1 200 OK',
    'HTTPS/1.1 200 OK',
    'ICY 200 OK',
    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 OK\r',
    'HTTP/1.1 200\r',
    'HTTP/1.1 200 O\x7fK',
    '<html>',
    '+PONG',
    '220 smtp.example.com',
  ])('%j is refused', (line) => {
    expect(responseVerdict(requestWith(line, 'Content-Length: 0'))).toBe('backend-bad-response');
  });

  it.each([
    '',
    'H',
    'HTTP/1.1 ',
    'HTTP/1.1 20',
    'HTTP/1.1 200',
    'HTTP/1.1 200 ',
    'HTTP/1.1 200 OK\r',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 200\r\nA: b\r\n',
  ])('waits for more after %j', (text) => {
    expect(responseHead(text)).toBeNull();
  });

  it.each(['X', 'HTTP/2', 'HTTP/1.1 2xx', '\x15\x03\x03', 'HTTP/1.1 200 OK\n', 'HTTP/1.1 200\n', 'HTTP/1.1 200 OK\r\nA b'])(
    'refuses %j before it is complete, and says why',
    (text) => {
      const head = responseHead(text);
      expect(head).toBeInstanceOf(ProxyError);
      expect((head as ProxyError).code).toBe('backend-bad-response');
      expect((head as ProxyError).message).toMatch(/byte 0x[0-9a-f]{2}/);
    },
  );

  it('keeps to the limits', () => {
    expect(responseVerdict(ok(), 'GET', { ...headLimits, maxLineBytes: 15 })).toBe('accepted');
    expect(responseVerdict(ok(), 'GET', { ...headLimits, maxLineBytes: 14 })).toBe('backend-bad-response');
    expect(responseVerdict(ok(), 'GET', { ...headLimits, maxHeadBytes: 18 })).toBe('backend-bad-response');
    expect(responseVerdict(ok(), 'GET', { ...headLimits, maxHeadBytes: 19 })).toBe('accepted');
    expect(responseVerdict(ok('A: b'), 'GET', { ...headLimits, maxHeaderCount: 0 })).toBe('backend-bad-response');
  });

  it('counts its bytes from where it starts', () => {
    const text = requestWith('HTTP/1.1 100 Continue', 'A: b');
    const bytes = Buffer.from(`..${text}${ok('Content-Length: 0')}`);
    const interim = parseResponseHead(bytes, 2, bytes.length, headLimits, 'POST');
    expect(interim).toMatchObject({ status: 100, byteLength: text.length });
    expect(parseResponseHead(bytes, 2 + text.length, bytes.length, headLimits, 'POST')).toMatchObject({
      status: 200,
      reason: 'OK',
      body: 0,
    });
  });
});

describe('the length of a response body (RFC 9112 section 6.3)', () => {
  it('is what Content-Length says', () => {
    expect(acceptedResponse(ok('Content-Length: 12'))).toMatchObject({ body: 12, keepAlive: true });
  });

  it('is chunked where Transfer-Encoding says so', () => {
    expect(acceptedResponse(ok('Transfer-Encoding: Chunked'))).toMatchObject({ body: chunked, keepAlive: true });
  });

  it('is all until the connection closes where nothing is said', () => {
    expect(acceptedResponse(ok('Connection: keep-alive'))).toMatchObject({ body: untilClose, keepAlive: false });
    expect(acceptedResponse(requestWith('HTTP/1.0 200 OK'))).toMatchObject({ body: untilClose, keepAlive: false });
  });

  it.each([
    ['HEAD', 200],
    ['HEAD', 404],
    ['GET', 100],
    ['GET', 103],
    ['GET', 101],
    ['GET', 204],
    ['GET', 304],
  ])('is none for %s answered with %d, whatever the lines say', (method, status) => {
    for (const lines of [[], ['Content-Length: 10'], ['Transfer-Encoding: chunked']]) {
      const head = acceptedResponse(requestWith(`HTTP/1.1 ${status} X`, ...lines), method);
      expect(head.body).toBe(0);
      expect(head.headers.text).toBe(lines.map((line) => `${line}\r\n`).join(''));
    }
  });

  it('keeps the Content-Length of an answer to HEAD and of a 304 among its lines', () => {
    expect(acceptedResponse(ok('Content-Length: 10'), 'HEAD').headers.first(Kind.contentLength)).toBe('10');
    expect(
      acceptedResponse(requestWith('HTTP/1.1 304 Not Modified', 'Content-Length: 10')).headers.first(Kind.contentLength),
    ).toBe('10');
  });

  it('ends the connection after a 204 that announces a body, which may follow', () => {
    expect(acceptedResponse(requestWith('HTTP/1.1 204 No Content')).keepAlive).toBe(true);
    expect(acceptedResponse(requestWith('HTTP/1.1 204 No Content', 'Content-Length: 0')).keepAlive).toBe(true);
    expect(acceptedResponse(requestWith('HTTP/1.1 204 No Content', 'Content-Length: 5')).keepAlive).toBe(false);
    expect(acceptedResponse(requestWith('HTTP/1.1 204 No Content', 'Transfer-Encoding: chunked')).keepAlive).toBe(false);
  });

  it.each([
    ['both ways', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['different lengths', ['Content-Length: 5', 'Content-Length: 6']],
    ['equal lengths', ['Content-Length: 5', 'Content-Length: 5']],
    ['a list of lengths', ['Content-Length: 5, 5']],
    ['a length that is no number', ['Content-Length: x']],
    ['a negative length', ['Content-Length: -1']],
    ['an empty length', ['Content-Length:']],
    ['a length beyond what can be counted', ['Content-Length: 9007199254740992']],
    ['another coding', ['Transfer-Encoding: gzip, chunked']],
    ['an unknown coding', ['Transfer-Encoding: identity']],
    ['a coding applied twice', ['Transfer-Encoding: chunked, chunked']],
    ['a hidden coding', ['Transfer-Encoding: "chunked"']],
    ['a folded line', ['X: a', ' b']],
    ['a blank before the colon', ['Content-Length : 5']],
  ])('is refused for %s, also where there is no body', (_, lines) => {
    expect(responseVerdict(ok(...lines))).toBe('backend-bad-response');
    expect(responseVerdict(ok(...lines), 'HEAD')).toBe('backend-bad-response');
    expect(responseVerdict(requestWith('HTTP/1.1 304 Not Modified', ...lines))).toBe('backend-bad-response');
  });

  it('is refused for Transfer-Encoding in HTTP/1.0', () => {
    expect(responseVerdict(requestWith('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked'))).toBe('backend-bad-response');
  });
});

describe('a switch of protocols (RFC 9110 section 15.2.2)', () => {
  it('names the new protocol', () => {
    const lines = ['Connection: Upgrade', 'Upgrade: websocket'];
    expect(acceptedResponse(requestWith('HTTP/1.1 101 Switching Protocols', ...lines))).toMatchObject({
      upgrade: 'websocket',
      body: 0,
    });
    expect(acceptedResponse(ok(...lines, 'Content-Length: 0')).upgrade).toBe('');
  });
});

describe('names in Connection of a response', () => {
  it('are told', () => {
    expect(acceptedResponse(ok('Connection: close, X-Hop', 'Content-Length: 0')).connectionNames).toEqual(new Set(['x-hop']));
  });
});
