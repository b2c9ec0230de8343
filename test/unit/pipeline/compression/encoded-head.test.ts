import { describe, expect, it } from 'vitest';
import { headerListFromPairs } from '../../../../src/http1/header-pairs.js';
import { chunked, type RequestHead, type ResponseHead, untilClose } from '../../../../src/http1/message.js';
import { encodedHead, revalidatingHead, variedHead } from '../../../../src/pipeline/compression/encoded-head.js';

function response(...pairs: readonly string[]): ResponseHead {
  return {
    status: 200,
    line: 'HTTP/1.1 200 Fine\r\n',
    reason: 'Fine',
    minor: 1,
    headers: headerListFromPairs(pairs),
    body: chunked,
    keepAlive: true,
    upgrade: '',
    connectionNames: new Set(['x-hop']),
  };
}

const pairs = (head: ResponseHead) => head.headers.pairs();

describe('the head of a compressed answer', () => {
  it('says nothing that was true of the content as it was', () => {
    const lines = ['Content-Length', '5', 'Transfer-Encoding', 'chunked', 'Accept-Ranges', 'bytes', 'Content-MD5', 'x'];
    const digests = ['Digest', 'x', 'Content-Digest', 'x', 'Repr-Digest', 'x'];
    expect(pairs(encodedHead(response(...lines, ...digests), 'gzip'))).toEqual([
      'Content-Encoding',
      'gzip',
      'Vary',
      'Accept-Encoding',
    ]);
  });

  it('keeps the other lines in their order and case, and all else', () => {
    const head = response('X-One', '1', 'Set-Cookie', 'a=1', 'x-two', '2', 'Set-Cookie', 'b=2', 'X-Hop', 'h');
    const encoded = encodedHead(head, 'br', 77);
    expect(pairs(encoded).slice(0, 10)).toEqual(pairs(head));
    expect(encoded).toMatchObject({ status: 200, line: head.line, reason: 'Fine', keepAlive: true, body: 77 });
    expect(encoded.connectionNames).toBe(head.connectionNames);
    expect(encodedHead(head, 'br').body).toBe(untilClose);
  });

  it('has the tag in its weak form', () => {
    expect(encodedHead(response('ETag', '"a"'), 'br').headers.values('etag')).toEqual(['W/"a"']);
    expect(encodedHead(response('etag', 'W/"a"'), 'br').headers.values('etag')).toEqual(['W/"a"']);
    expect(encodedHead(response('etag', 'no tag'), 'br').headers.values('etag')).toEqual(['no tag']);
  });
});

describe('Vary', () => {
  it.each([
    [[], ['Accept-Encoding']],
    [['Origin'], ['Origin', 'Accept-Encoding']],
    [
      ['Origin', 'Cookie'],
      ['Origin', 'Cookie', 'Accept-Encoding'],
    ],
    [['origin, ACCEPT-ENCODING'], ['origin, ACCEPT-ENCODING']],
    [['*'], ['*']],
  ])('%j becomes %j', (before, after) => {
    const head = response(...before.flatMap((value) => ['Vary', value]));
    expect(variedHead(head).headers.values('vary')).toEqual(after);
    expect(encodedHead(head, 'gzip').headers.values('vary')).toEqual(after);
  });

  it('is all that is said to who gets the answer as it is', () => {
    const head = response('Content-Length', '5', 'ETag', '"a"', 'Accept-Ranges', 'bytes');
    expect(pairs(variedHead(head))).toEqual([...pairs(head), 'Vary', 'Accept-Encoding']);
    expect(variedHead(head).body).toBe(chunked);
  });
});

describe('a 304', () => {
  const asking = (...values: readonly string[]) =>
    ({ headers: headerListFromPairs(values.flatMap((value) => ['If-None-Match', value])) }) as unknown as RequestHead;

  it('has the tag by which the client knows the compressed answer', () => {
    for (const asked of [asking('W/"a"'), asking('"b", W/"a"'), asking('"b"', 'W/"a"')]) {
      const head = revalidatingHead(asked, response('ETag', '"a"', 'X', '1'));
      expect(pairs(head)).toEqual(['ETag', 'W/"a"', 'X', '1', 'Vary', 'Accept-Encoding']);
    }
  });

  it('is left alone where the client has the answer as it was', () => {
    for (const asked of [asking('"a"'), asking('W/"b"'), asking()]) {
      const head = response('ETag', '"a"');
      expect(revalidatingHead(asked, head)).toBe(head);
    }
    const weak = response('ETag', 'W/"a"');
    expect(revalidatingHead(asking('W/"a"'), weak)).toBe(weak);
    const untagged = response();
    expect(revalidatingHead(asking('W/""'), untagged)).toBe(untagged);
  });
});
