import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../../src/model/policy/policy.js';
import { includesStatus } from '../../../../src/model/status-ranges.js';

const faultsOf = (name: string, value: string) => parsePolicy([name, value]).faults;

describe('the policy of further attempts', () => {
  it('is nothing where the hash says nothing', () => {
    const { policy, faults } = parsePolicy([]);
    expect(policy).toMatchObject({
      retries: undefined,
      retryOn: undefined,
      retryBudget: undefined,
      retryBackoff: undefined,
    });
    expect(faults).toEqual([]);
  });

  it('takes a number of retries', () => {
    expect(parsePolicy(['retries', '5']).policy.retries).toBe(5);
    expect(parsePolicy(['retries', '0']).policy.retries).toBe(0);
    expect(faultsOf('retries', 'many')).toEqual(['retries is "many"; allowed: a whole number from 0 to 100']);
    expect(faultsOf('retries', '101')).toEqual(['retries is 101; allowed: a whole number from 0 to 100']);
    expect(faultsOf('retries', '-1')).toHaveLength(1);
  });

  for (const text of ['503', '[503]', '"503"', '503,599', '["503"]', '5xx', '["5xx"]', '500-504', '[429, "5xx"]']) {
    it(`reads the statuses ${text}`, () => {
      const { policy, faults } = parsePolicy(['retryOn', text]);
      expect(faults).toEqual([]);
      expect(includesStatus(policy.retryOn ?? [], 503)).toBe(true);
      expect(includesStatus(policy.retryOn ?? [], 404)).toBe(false);
    });
  }

  for (const text of ['200', '2xx', '600', 'nonsense', '[]', '{}', 'true', '[503, 200]', '301-503']) {
    it(`refuses the statuses ${text}`, () => {
      const { policy, faults } = parsePolicy(['retryOn', text]);
      expect(faults).toHaveLength(1);
      expect(faults[0]).toMatch(/^retryOn is .*; allowed: statuses from 400 to 599 such as/);
      expect(policy.retryOn).toBeUndefined();
    });
  }

  it('takes a budget as a whole, in part, and none', () => {
    expect(parsePolicy(['retryBudget', '{"percent": 50, "minPerSecond": 1, "window": 5}']).policy.retryBudget).toEqual({
      percent: 50,
      minPerSecond: 1,
      window: 5,
    });
    expect(parsePolicy(['retryBudget', '{}']).policy.retryBudget).toEqual({ percent: 20, minPerSecond: 3, window: 10 });
    expect(parsePolicy(['retryBudget', 'false']).policy.retryBudget).toBe(false);
    for (const text of ['true', '20', 'none']) {
      expect(faultsOf('retryBudget', text)[0]).toContain('; allowed: false, or an object');
    }
    expect(faultsOf('retryBudget', '{"percent": 101}')[0]).toContain('allowed at percent: a number from 0 to 100');
    expect(faultsOf('retryBudget', '{"window": 0}')[0]).toContain('allowed at window: whole seconds from 1 to 60');
    expect(faultsOf('retryBudget', '{"windows": 1}')).toHaveLength(1);
  });

  it('takes a delay as a duration or with its bounds', () => {
    expect(parsePolicy(['retryBackoff', '50ms']).policy.retryBackoff).toEqual({ first: 50, max: 500 });
    expect(parsePolicy(['retryBackoff', '0.1']).policy.retryBackoff).toEqual({ first: 100, max: 1000 });
    expect(parsePolicy(['retryBackoff', '{"first": "10ms", "max": "1s"}']).policy.retryBackoff).toEqual({ first: 10, max: 1000 });
    for (const text of ['soon', '2m', '{"first": "1s", "max": "10ms"}', '{"first": "1s"}']) {
      expect(faultsOf('retryBackoff', text)[0]).toContain('; allowed: a duration up to a minute');
    }
  });
});
