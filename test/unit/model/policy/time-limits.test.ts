import { describe, expect, it } from 'vitest';
import { parsePolicy, type RoutePolicy } from '../../../../src/model/policy/policy.js';

const names = ['timeout', 'tryTimeout', 'connectTimeout', 'backendTimeout', 'proxyTimeout'] as const;
const read = (name: keyof RoutePolicy, text: string) => parsePolicy([name, text]).policy[name];

describe.each(names)('the limit %s of a policy', (name) => {
  it('is written in seconds or with a unit, and given in milliseconds', () => {
    expect(read(name, '30')).toBe(30_000);
    expect(read(name, '0.5')).toBe(500);
    expect(read(name, '30s')).toBe(30_000);
    expect(read(name, '250ms')).toBe(250);
    expect(read(name, '0')).toBe(0);
  });

  it('is absent where the hash does not say', () => {
    expect(parsePolicy([]).policy[name]).toBeUndefined();
  });

  it('names what is allowed where it is something else', () => {
    for (const text of ['soon', '-1', 'true', '[]', '99999999']) {
      const { policy, faults } = parsePolicy([name, text]);
      expect(policy[name]).toBeUndefined();
      expect(faults).toHaveLength(1);
      expect(faults[0]).toMatch(new RegExp(`^${name} is .*; allowed: seconds from 0 to 2147483, or text such as "30s"`));
    }
  });
});
