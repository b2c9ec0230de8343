import { describe, expect, it } from 'vitest';
import { parsePolicy, standardPolicy } from '../../../../src/model/policy/policy.js';

describe('D.5: the addresses of a policy', () => {
  it('are absent unless they are asked for', () => {
    expect(standardPolicy).toMatchObject({ allow: undefined, deny: undefined, authProvider: undefined });
  });

  it.each([
    '["10.0.0.0/8","2001:db8::/32"]',
    '10.0.0.0/8 2001:db8::/32',
    '10.0.0.0/8,2001:db8::/32',
    '10.0.0.0/8, 2001:db8::/32',
  ])('may be written as %s', (text) => {
    const { policy, faults } = parsePolicy(['allow', text]);
    expect(faults).toEqual([]);
    expect(policy.allow?.entries).toEqual(['10.0.0.0/8', '2001:db8::/32']);
    const held = ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1', '11.0.0.1', '2001:db9::1', 'unix', ''];
    expect(held.map((address) => policy.allow?.has(address))).toEqual([true, true, true, false, false, false, false]);
  });

  it.each([
    ['allow', '[]'],
    ['allow', ''],
    ['allow', '10.0.0.0/33'],
    ['deny', 'example.com'],
    ['deny', '["10.0.0.1",7]'],
    ['deny', '5'],
    ['authProvider', ''],
    ['authProvider', 'a b'],
  ])('keep everybody out when %s is "%s"', (field, text) => {
    const { refusal } = parsePolicy([field, text]);
    expect(refusal).toMatch(new RegExp(`^${field} is .*; allowed`));
  });
});
