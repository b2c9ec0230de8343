// How a prefix is matched, as the `route:` hash says it.
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../../src/model/policy/policy.js';
import { prefixMatchOf } from '../../../../src/model/policy/routing.js';

describe('prefixMatch', () => {
  it('is "segment" unless the hash says "string"', () => {
    expect(prefixMatchOf([])).toBe('segment');
    expect(prefixMatchOf(['strategy', 'RANDOM', 'prefixMatch', 'string'])).toBe('string');
    expect(prefixMatchOf(['note', 'prefixMatch'])).toBe('segment');
  });

  it('of another value is a fault that says what is allowed, and means "segment"', () => {
    const { policy, faults, refusal } = parsePolicy(['prefixMatch', 'regex']);
    expect(faults).toEqual(['prefixMatch is "regex"; allowed: "segment" or "string"']);
    expect([policy.prefixMatch, prefixMatchOf(['prefixMatch', 'regex']), refusal]).toEqual(['segment', 'segment', '']);
  });
});
