import { describe, expect, it, test } from 'vitest';
import type { TierRule } from '../../../../src/model/policy/limits.js';
import { parsePolicy } from '../../../../src/model/policy/policy.js';

const rules = (written: unknown): readonly TierRule[] | undefined => {
  const { policy, faults } = parsePolicy(['limits', JSON.stringify(written)]);
  expect(faults).toEqual([]);
  return policy.limits;
};

describe('the field limits', () => {
  test.each<[unknown, TierRule]>([
    [{ header: 'X-API-Key' }, { kind: 'header', name: 'x-api-key' }],
    [{ claim: 'plan' }, { kind: 'claim', claim: 'plan', per: 'sub', tiers: null }],
    [
      { claim: 'plan', per: 'tenant', tiers: { gold: 'premium' } },
      { kind: 'claim', claim: 'plan', per: 'tenant', tiers: new Map([['gold', 'premium']]) },
    ],
    [{ set: 'premium' }, { kind: 'set', set: 'premium' }],
    [{ member: 'ip' }, { kind: 'member', of: 'ip' }],
    [{ member: 'host' }, { kind: 'member', of: 'host' }],
    [{ referer: true }, { kind: 'referer' }],
  ])('takes %j', (written, rule) => {
    expect(rules(written)).toEqual([rule]);
    expect(rules([written, { set: 'registered' }])).toEqual([rule, { kind: 'set', set: 'registered' }]);
  });

  test.each([['10.0.0.0/8, 2001:db8::/32'], [['10.0.0.0/8', '2001:db8::/32']]])('takes the addresses %j', (address) => {
    const [rule] = rules({ address, tier: 'none' }) ?? [];
    expect(rule).toMatchObject({ kind: 'address', tier: 'none' });
    const has = (one: string): boolean => rule?.kind === 'address' && rule.ranges.has(one);
    expect([has('10.1.1.1'), has('2001:db8::1'), has('192.0.2.1')]).toEqual([true, true, false]);
  });

  test.each([
    'gold',
    [],
    {},
    { set: 'gold' },
    { header: 'two words' },
    { header: 'X-Key', tier: 'gold' },
    { claim: '' },
    { claim: 'plan', tiers: {} },
    { claim: 'plan', tiers: { gold: 'no tier!' } },
    { member: 'key' },
    { address: ['10.0.0.0/8'] },
    { address: ['10.0.0.0/99'], tier: 'gold' },
    { address: [], tier: 'gold' },
    { referer: false },
    [{ set: 'premium' }, 5],
  ])('refuses %j, and the frontend is served without it', (written) => {
    const { policy, faults, refusal } = parsePolicy(['limits', JSON.stringify(written), 'tier', 'gold']);
    expect(policy.limits).toBeUndefined();
    expect(policy.tier).toBe('gold');
    expect(faults).toEqual([expect.stringMatching(/^limits is .*; allowed: a rule or a list of rules/)]);
    expect(refusal).toBe('');
  });
});

describe('the field tier', () => {
  it('is the name of a tier', () => {
    expect(parsePolicy(['tier', 'gold.v2_x-y']).policy.tier).toBe('gold.v2_x-y');
    expect(parsePolicy([]).policy.tier).toBeUndefined();
  });

  test.each(['', 'two words', 'a+b', '"', 'x'.repeat(65)])('is not %j', (name) => {
    expect(parsePolicy(['tier', name])).toMatchObject({
      faults: [expect.stringContaining('allowed: "none", or the name of a tier')],
    });
  });
});
