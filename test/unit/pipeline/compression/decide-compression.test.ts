import { describe, expect, it } from 'vitest';
import { headerListFromPairs } from '../../../../src/http1/header-pairs.js';
import { chunked, type RequestHead, type ResponseHead, untilClose } from '../../../../src/http1/message.js';
import type { Compression } from '../../../../src/model/policy/compression.js';
import { parsePolicy } from '../../../../src/model/policy/policy.js';
import { decideCompression } from '../../../../src/pipeline/compression/decide-compression.js';

const settings = (text = 'true') => parsePolicy(['compress', text]).policy.compress as Compression;

function request(pairs: readonly string[], method = 'GET'): RequestHead {
  return {
    method,
    line: `${method} / HTTP/1.1\r\n`,
    target: '/',
    minor: 1,
    authority: 'example.com',
    headers: headerListFromPairs(pairs),
    body: 0,
    keepAlive: true,
    upgrade: '',
    expectsContinue: false,
    connectionNames: null,
  };
}

function response(pairs: readonly string[], more: Partial<ResponseHead> = {}): ResponseHead {
  return {
    status: 200,
    line: 'HTTP/1.1 200 OK\r\n',
    reason: 'OK',
    minor: 1,
    headers: headerListFromPairs(pairs),
    body: 5000,
    keepAlive: true,
    upgrade: '',
    connectionNames: null,
    ...more,
  };
}

const reading = request(['Accept-Encoding', 'gzip']);
const text = ['Content-Type', 'text/plain'];
const decide = (asked: RequestHead, head: ResponseHead, policy = settings(), extra = '') =>
  decideCompression(asked, head, extra, policy, ['br', 'gzip']);

describe('an answer', () => {
  it('is compressed for who can read it, and varies for who cannot', () => {
    expect(decide(reading, response(text))).toBe('gzip');
    expect(decide(request(['Accept-Encoding', 'gzip', 'accept-encoding', 'br']), response(text))).toBe('br');
    expect(decide(request([]), response(text))).toBe('varies');
    expect(decide(request(['Accept-Encoding', 'identity']), response(text))).toBe('varies');
  });

  it.each([
    'text/html; charset=utf-8',
    'TEXT/CSS',
    'text/event-stream',
    'application/json',
    'application/problem+json;charset=utf-8',
    'application/javascript',
    'image/svg+xml',
    'application/wasm',
  ])('of type %s is compressed', (type) => {
    expect(decide(reading, response(['Content-Type', type]))).toBe('gzip');
  });

  it.each(['image/png', 'video/mp4', 'application/zip', 'application/octet-stream', 'font/woff2', 'textual/x', 'json', ''])(
    'of type %j is not',
    (type) => {
      expect(decide(reading, response(['Content-Type', type]))).toBe('as it is');
    },
  );

  it('without a type is not', () => {
    expect(decide(reading, response([]))).toBe('as it is');
  });

  it.each([200, 201, 203, 206, 301, 400, 403, 404, 500, 503])('with the status %i is, unless it is a part', (status) => {
    expect(decide(reading, response(text, { status }))).toBe(status === 206 ? 'as it is' : 'gzip');
  });

  it.each([101, 103, 204, 205])('with the status %i is not', (status) => {
    expect(decide(reading, response(text, { status }))).toBe('as it is');
  });

  it('may be a 304 for one that was', () => {
    expect(decide(reading, response([], { status: 304, body: 0 }))).toBe('revalidates');
  });

  it.each([
    ['is encoded already', ['Content-Encoding', 'br']],
    ['is said to be encoded by nothing', ['content-encoding', 'identity']],
    ['is a range', ['Content-Range', 'bytes 0-9/10']],
    ['must not be transformed', ['Cache-Control', 'public, No-Transform']],
    ['must not be transformed, as a second field says', ['Cache-Control', 'public', 'Cache-Control', 'no-transform']],
  ] as const)('that %s is not', (_what, lines) => {
    expect(decide(reading, response([...text, ...lines]))).toBe('as it is');
  });

  it('that the client does not want transformed is not', () => {
    const asked = request(['Accept-Encoding', 'gzip', 'Cache-Control', 'no-transform']);
    expect(decide(asked, response(text))).toBe('as it is');
  });

  it.each(['Content-Encoding: aes128gcm\r\n', 'X: 1\r\ncache-control: public, no-transform\r\n'])(
    'that gets the line %j is not',
    (extra) => {
      expect(decide(reading, response(text), settings(), extra)).toBe('as it is');
      expect(decide(reading, response(text), settings(), 'X-Mine: content-encoding: no\r\n')).toBe('gzip');
    },
  );

  it('is as large as is worth it, or of unknown size', () => {
    expect(decide(reading, response(text, { body: 1023 }))).toBe('as it is');
    expect(decide(reading, response(text, { body: 1024 }))).toBe('gzip');
    expect(decide(reading, response(text, { body: 1024 }), settings('{"minBytes": "2KiB"}'))).toBe('as it is');
    expect(decide(reading, response(text, { body: chunked }))).toBe('gzip');
    expect(decide(reading, response(text, { body: untilClose }))).toBe('gzip');
    expect(decide(reading, response(text, { body: 0 }), settings('{"minBytes": 0}'))).toBe('as it is');
  });

  it('to HEAD is told as the one to GET would be', () => {
    const asked = request(['Accept-Encoding', 'gzip'], 'HEAD');
    expect(decide(asked, response([...text, 'Content-Length', '5000'], { body: 0 }))).toBe('gzip');
    expect(decide(asked, response([...text, 'Content-Length', '50'], { body: 0 }))).toBe('as it is');
    expect(decide(asked, response(text, { body: 0 }))).toBe('gzip');
  });
});

describe('the setting', () => {
  it('names types in place of the standard ones', () => {
    const policy = settings('{"types": ["application/x-mine", "font/*", "application/*+cbor"]}');
    const of = (type: string) => decide(reading, response(['Content-Type', type]), policy);
    expect(['application/x-mine', 'font/woff', 'application/senml+cbor'].map(of)).toEqual(['gzip', 'gzip', 'gzip']);
    expect(['text/html', 'application/cbor', 'fonts/woff'].map(of)).toEqual(Array(3).fill('as it is'));
  });

  it('names algorithms in their order, and each once', () => {
    expect(settings('{"algorithms": ["gzip", "br", "gzip"]}').algorithms).toEqual(['gzip', 'br']);
  });

  it.each(['false', '{}', 'true'])('may be %s', (written) => {
    const { policy, faults } = parsePolicy(['compress', written]);
    expect(faults).toEqual([]);
    expect(policy.compress === undefined).toBe(written === 'false');
  });

  it.each([
    ['1', 'compress is 1; allowed: true, false, or an object'],
    ['yes', 'compress is "yes"; allowed: true, false, or an object'],
    ['{"level": 12}', 'allowed at level: a whole number from 1 (fast) to 9 (small)'],
    ['{"types": "text/html"}', 'allowed at types: a list of media types'],
    ['{"types": ["html"]}', 'allowed at types.0: a list of media types'],
    ['{"types": []}', 'allowed at types: a list of media types'],
    ['{"algorithms": ["deflate"]}', 'allowed at algorithms.0: a list of "br", "zstd", "gzip"'],
    ['{"minBytes": "much"}', 'allowed at minBytes: bytes from 0 to 1073741824'],
    ['{"min": 5}', 'allowed: only types, minBytes, algorithms and level'],
  ])('%s is refused in a line that says what is allowed', (written, expected) => {
    const { policy, faults, refusal } = parsePolicy(['compress', written]);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(expected);
    expect(policy.compress).toBeUndefined();
    expect(refusal).toBe('');
  });
});
