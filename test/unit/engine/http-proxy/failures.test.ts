// What errors of the http-proxy package mean for an exchange.
import { describe, expect, it } from 'vitest';
import { classifyFailure, connectTimeout, type Progress } from '../../../../src/engine/http-proxy/failures.js';

const origin = 'http://10.0.0.1:80';

/** An error as node:http reports it. */
function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

describe('classifyFailure', () => {
  const cases: readonly [what: string, code: string, progress: Progress, reused: boolean, expected: string, retry: string][] = [
    ['a refused connection', 'ECONNREFUSED', 'connecting', false, 'backend-refused', 'yes'],
    ['an unreachable host', 'EHOSTUNREACH', 'connecting', false, 'backend-unreachable', 'yes'],
    ['an unknown name', 'ENOTFOUND', 'connecting', false, 'backend-unreachable', 'yes'],
    ['a failed handshake', 'ECONNRESET', 'securing', false, 'backend-tls-failed', 'yes'],
    ['a certificate that nobody vouches for', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'securing', false, 'backend-tls-failed', 'yes'],
    ['a reset after the request was sent', 'ECONNRESET', 'sent', false, 'backend-closed', 'if-idempotent'],
    ['a reset of a kept connection', 'ECONNRESET', 'sent', true, 'backend-stale', 'if-idempotent'],
    ['an answer that is not HTTP', 'HPE_INVALID_CONSTANT', 'sent', false, 'backend-bad-response', 'no'],
    ['an answer that is not HTTP after some of it', 'HPE_INVALID_CONSTANT', 'answering', false, 'backend-bad-response', 'no'],
    ['half a head', 'ECONNRESET', 'answering', true, 'backend-bad-response', 'no'],
    ['a body that is cut', 'ECONNRESET', 'relaying', false, 'backend-cut-body', 'no'],
    ['a malformed chunk', 'HPE_INVALID_CHUNK_SIZE', 'relaying', false, 'backend-cut-body', 'no'],
  ];
  for (const [what, code, progress, reused, expected, retry] of cases) {
    it(`takes ${what} for ${expected}`, () => {
      const cause = coded(code);
      const error = classifyFailure(cause, progress, reused, origin);
      expect(error.code).toBe(expected);
      expect(error.retry).toBe(retry);
      expect(error.cause).toBe(cause);
    });
  }
});

describe('connectTimeout', () => {
  it('tells a full pool from a backend that does not accept', () => {
    expect(connectTimeout('queued', origin).code).toBe('pool-exhausted');
    expect(connectTimeout('connecting', origin).code).toBe('backend-connect-timeout');
    expect(connectTimeout('securing', origin).code).toBe('backend-connect-timeout');
  });
});
