import { describe, expect, it } from 'vitest';
import { catalog, type ErrorCode } from '../../../src/errors/catalog.js';
import { classifyConnectError } from '../../../src/errors/classify.js';
import { ProxyError } from '../../../src/errors/proxy-error.js';
import { type DeadRules, deadByError, deadByStatus, failsBreaker } from '../../../src/health/decide-dead.js';

const defaults: DeadRules = { deadOn500: false, deadOn503: 'without-retry-after', deadOn5xx: true, deadBackendOn500: true };

describe('by default', () => {
  it.each([200, 301, 404, 429, 499, 600])('an answer %i does not mark', (status) => {
    expect(deadByStatus(status, false, defaults, true)).toBe(false);
  });

  it.each([501, 502, 504, 505, 520, 599])('an answer %i marks', (status) => {
    expect(deadByStatus(status, true, defaults, false)).toBe(true);
  });

  it('500 marks only while an active hchecker is there to lift the mark', () => {
    expect(deadByStatus(500, false, defaults, false)).toBe(false);
    expect(deadByStatus(500, false, defaults, true)).toBe(true);
  });

  it('503 marks unless it says when to come back', () => {
    expect(deadByStatus(503, false, defaults, false)).toBe(true);
    expect(deadByStatus(503, true, defaults, false)).toBe(false);
  });
});

describe('each rule is a setting:', () => {
  it('500 always, or never', () => {
    expect(deadByStatus(500, false, { ...defaults, deadOn500: true }, false)).toBe(true);
    expect(deadByStatus(500, false, { ...defaults, deadBackendOn500: false }, true)).toBe(false);
  });

  it('503 always, or never', () => {
    expect(deadByStatus(503, true, { ...defaults, deadOn503: 'always' }, false)).toBe(true);
    expect(deadByStatus(503, false, { ...defaults, deadOn503: 'never' }, false)).toBe(false);
  });

  it('the other 5xx never', () => {
    expect(deadByStatus(502, false, { ...defaults, deadOn5xx: false }, true)).toBe(false);
    expect(deadByStatus(503, false, { ...defaults, deadOn5xx: false }, false)).toBe(true);
  });
});

describe('of all errors', () => {
  const marking = ['backend-refused', 'backend-unreachable', 'backend-connect-timeout', 'backend-tls-failed', 'backend-timeout'];

  it.each(Object.keys(catalog) as ErrorCode[])('%s marks only where another request would meet it too', (code) => {
    expect(deadByError(new ProxyError(code))).toBe(marking.includes(code));
  });

  it.each(['EAI_AGAIN', 'EADDRNOTAVAIL'])('%s marks nothing: the trouble is on this side', (code) => {
    expect(deadByError(classifyConnectError(Object.assign(new Error(code), { code })))).toBe(false);
    expect(deadByError(classifyConnectError(Object.assign(new Error('x'), { code: 'ENOTFOUND' })))).toBe(true);
  });
});

describe('a breaker counts (D.4 requirement 21)', () => {
  it.each([
    ['backend-refused', true],
    ['backend-timeout', true],
    ['backend-closed', true],
    ['backend-bad-response', true],
    ['backend-cut-body', true],
    ['backend-stale', false],
    ['backend-discarded', false],
    ['total-timeout', false],
    ['client-gone', false],
    ['pool-exhausted', false],
    ['body-timeout', false],
  ] as const)('%s: %s', (code, counts) => {
    expect(failsBreaker(new ProxyError(code))).toBe(counts);
  });

  it('no trouble of its own', () => {
    const cause = Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' });
    expect(failsBreaker(new ProxyError('backend-unreachable', '', cause))).toBe(false);
  });
});
