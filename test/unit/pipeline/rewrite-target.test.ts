import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutPrefix } from '../../../src/pipeline/rewrite-target.js';

describe('taking a prefix off', () => {
  it.each([
    ['/api/v1', '/v1'],
    ['/api', '/'],
    ['/api/', '/'],
    ['/api?x=/api', '/?x=/api'],
    ['/API/V1?q', '/V1?q'],
    ['/%61pi/v1', '/v1'],
    ['//api//v1', '/v1'],
    ['/./api/v1/', '/v1/'],
    ['/x/../api/v1', '/v1'],
    ['/api/v1/../v2', '/v2'],
    ['/api/../api/v1', '/v1'],
    ['/api/caf%C3%A9', '/caf%C3%A9'],
    ['/api//evil.example', '/evil.example'],
    ['/api/\\evil.example', '/%5Cevil.example'],
    ['/api/%2Fevil', '/%2Fevil'],
  ])('makes of %s %s', (target, expected) => {
    expect(withoutPrefix(target, '/api', false)).toBe(expected);
  });

  it.each(['/', '/apis', '/ap', '/v1/api', '/api/../x', '/api/%2e%2e/x', '/../api/x', '/api%2Fv1', '?x'])(
    'leaves %s alone',
    (target) => {
      expect(withoutPrefix(target, '/api', false)).toBeNull();
    },
  );

  it('finds a prefix beyond ASCII in either spelling', () => {
    for (const target of ['/caf\xc3\xa9/x', '/caf%C3%A9/x', '/CAF%c3%a9/x'])
      expect(withoutPrefix(target, '/caf%c3%a9', false)).toBe('/x');
  });

  it('ends in the middle of a segment where prefixes are plain texts', () => {
    expect(withoutPrefix('/testing/x', '/test', true)).toBe('/ing/x');
    expect(withoutPrefix('/test%20ing', '/test', true)).toBe('/%20ing');
    expect(withoutPrefix('/testing/../../x', '/test', true)).toBeNull();
  });

  it('leaves no way out of the prefix and no second slash, whatever is asked for', () => {
    const segment = fc.constantFrom('a', 'B', '', '.', '..', '%2e%2e', '%2E', '%61', 'x%2f', '\\', 'ab');
    const target = fc.array(segment, { maxLength: 8 }).map((segments) => `/${segments.join('/')}`);
    fc.assert(
      fc.property(target, (asked) => {
        const rest = withoutPrefix(asked, '/a', false);
        const whole = normalised(asked);
        expect(rest !== null).toBe(whole !== null && (whole === '/a' || whole.startsWith('/a/')));
        if (rest === null) return;
        expect(rest).toMatch(/^\/(?![/\\])/);
        expect(normalised(rest)).not.toBeNull();
      }),
      { numRuns: 5000, examples: [['/a/\\/\\/..'], ['/a//..//\\']] },
    );
  });
});

/** Slow and plain: what a target means; null where it leads above the root. */
function normalised(target: string): string | null {
  const found: string[] = [];
  for (const raw of target.split('/')) {
    const segment = raw.replace(/%2e/gi, '.').replace(/%61/g, 'a').toLowerCase();
    if (segment === '..') {
      if (found.length === 0) return null;
      found.pop();
    } else if (segment !== '' && segment !== '.') found.push(segment);
  }
  return `/${found.join('/')}`;
}
