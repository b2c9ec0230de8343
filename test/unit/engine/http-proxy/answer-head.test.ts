// The head of an answer as node:http tells it, read by the rules of the product.
import { describe, expect, it } from 'vitest';
import { answerHead, answerTrailers } from '../../../../src/engine/http-proxy/answer-head.js';
import { ProxyError } from '../../../../src/errors/proxy-error.js';
import { chunked, type ResponseHead, untilClose } from '../../../../src/http1/message.js';

const limits = { maxHeadBytes: 32_768, maxHeaderCount: 100, maxLineBytes: 16_384 };

function read(rawHeaders: readonly string[], status = 200, method = 'GET', httpVersion = '1.1'): ResponseHead | ProxyError {
  return answerHead({ statusCode: status, statusMessage: 'Fine', httpVersion, rawHeaders }, limits, method);
}

describe('answerHead', () => {
  it('keeps lines in order and case, with bytes beyond ASCII', () => {
    const head = read(['X-B', '1', 'set-Cookie', 'a', 'X-b', 'caf\xe9']) as ResponseHead;
    expect(head.headers.pairs()).toEqual(['X-B', '1', 'set-Cookie', 'a', 'X-b', 'caf\xe9']);
    expect(head).toMatchObject({ status: 200, reason: 'Fine', minor: 1, body: untilClose });
  });

  it('tells how the body is delimited', () => {
    expect(read(['Content-Length', '12'])).toMatchObject({ body: 12 });
    expect(read(['Transfer-Encoding', 'chunked'])).toMatchObject({ body: chunked });
    expect(read(['Content-Length', '12'], 200, 'HEAD')).toMatchObject({ body: 0 });
    expect(read([], 304)).toMatchObject({ body: 0 });
  });

  it('collects what Connection names', () => {
    expect(read(['Connection', 'close, X-Private'])).toMatchObject({ keepAlive: false, connectionNames: new Set(['x-private']) });
  });

  it('refuses what node:http lets pass and the wire engine does not', () => {
    const refused = [
      read(['Content-Length', '3, 3']),
      read(['Transfer-Encoding', 'chunked'], 200, 'GET', '1.0'),
      read(['Content-Length', '3', 'Transfer-Encoding', 'chunked']),
      read([], 200, 'GET', '2.0'),
      read(Array(2 * 101).fill('x')),
    ];
    for (const answer of refused) {
      expect(answer).toBeInstanceOf(ProxyError);
      expect(answer).toMatchObject({ code: 'backend-bad-response' });
    }
  });

  it('refuses a head of which node:http may have dropped lines', () => {
    const lenient = { maxHeadBytes: 1_000_000, maxHeaderCount: 10_000, maxLineBytes: 1_000 };
    const start = { statusCode: 200, statusMessage: '', httpVersion: '1.1', rawHeaders: Array(4000).fill('x') };
    expect(answerHead(start, lenient, 'GET')).toMatchObject({ code: 'backend-bad-response' });
  });
});

describe('answerTrailers', () => {
  it('passes trailers on but those that must not be trailers', () => {
    expect(answerTrailers(['X-Sum', '1', 'Set-Cookie', 'a=b', 'X-More', '2'])).toBe('X-Sum: 1\r\nX-More: 2\r\n');
    expect(answerTrailers([])).toBe('');
  });

  it('leaves malformed trailers out', () => {
    expect(answerTrailers(['X Sum', '1'])).toBe('');
    expect(answerTrailers(['X-Sum', 'a\r\nSet-Cookie: b'])).toBe('');
  });
});
