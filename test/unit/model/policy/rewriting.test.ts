import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../../src/model/policy/policy.js';
import { rewritten } from '../../../../src/pipeline/rewrite-target.js';

function parsed(field: string, value: unknown) {
  return parsePolicy([field, JSON.stringify(value)]);
}

describe('rewriting of a policy', () => {
  it('knows true, false and a path as stripPrefix', () => {
    expect(parsed('stripPrefix', true).policy.stripPrefix).toBe(true);
    expect(parsed('stripPrefix', '/API/v1/').policy.stripPrefix).toBe('/api/v1');
    expect(parsed('stripPrefix', '/').policy.stripPrefix).toBe(false);
    expect(parsePolicy([]).policy.stripPrefix).toBe(false);
    for (const wrong of ['api', '/a?b', '/a#b', '/a//b', '/a/../b', '/a%2fb', '/a b', '/é', 5, null])
      expect(parsed('stripPrefix', wrong).faults.join()).toContain('stripPrefix is');
  });

  it.each([
    ['not a list', {}],
    ['a rule without to', [{ from: '/a' }]],
    ['an unknown member', [{ from: '/a', to: '/b', status: 302 }]],
    ['a relative path', [{ from: 'a', to: '/b' }]],
    ['a URL as the target', [{ from: '/a', to: 'http://evil/' }]],
    ['a blank', [{ from: '/a', to: '/b c' }]],
    ['a line break', [{ from: '/a', to: '/b\r\nX: 1' }]],
    ['a fragment', [{ from: '/a', to: '/b#c' }]],
    ['a group that is not there', [{ from: '^/(a)', to: '/$2' }]],
    ['a lonely dollar sign', [{ from: '^/(a)', to: '/$' }]],
    ['a look-ahead', [{ from: '^/(?=a)', to: '/' }]],
    ['a reference back', [{ from: '^/(a)\\1', to: '/' }]],
  ])('refuses %s', (_what, rules) => {
    const { policy, faults } = parsed('rewrite', rules);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^rewrite is .*; allowed: /);
    expect(policy.rewrite).toBeUndefined();
  });

  it.each([
    ['/old/x?q=1', '/new/x?q=1'],
    ['/old', '/new'],
    ['/older/x', '/older/x'],
    ['/user/42', '/u?id=42'],
    ['/user/42?x=y', '/u?id=42&x=y'],
    ['/user/ab', '/user/ab'],
    ['/price/9', '/$/9'],
    ['/caf%C3%A9/z', '/caf%C3%A9/z'],
  ])('makes of %s %s', (target, expected) => {
    const { policy, faults } = parsed('rewrite', [
      { from: '/old', to: '/new' },
      { from: '^/user/([0-9]+)$', to: '/u?id=$1' },
      { from: '^/price/(.*)$', to: '/$$/$1' },
      { from: '/old', to: '/never' },
    ]);
    expect(faults).toEqual([]);
    expect(rewritten(target, policy.rewrite ?? [])).toBe(expected);
  });

  it('puts everything below a path with the prefix /', () => {
    const { policy } = parsed('rewrite', [{ from: '/', to: '/base' }]);
    expect(rewritten('/', policy.rewrite ?? [])).toBe('/base/');
    expect(rewritten('/x?y', policy.rewrite ?? [])).toBe('/base/x?y');
  });

  it('never makes a target that begins with two slashes', () => {
    const { policy } = parsed('rewrite', [
      { from: '^/go(.*)$', to: '/$1' },
      { from: '/old', to: '/' },
    ]);
    expect(rewritten('/go//evil.example', policy.rewrite ?? [])).toBe('/evil.example');
    expect(rewritten('/go/\\evil.example', policy.rewrite ?? [])).toBe('/%5Cevil.example');
    expect(rewritten('/old//evil.example', policy.rewrite ?? [])).toBe('/evil.example');
  });
});
