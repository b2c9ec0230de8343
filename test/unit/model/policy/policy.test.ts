// A `route:` hash as a whole: fields that are not known, and those that keep somebody out.
import { describe, expect, it } from 'vitest';
import { parsePolicy, standardPolicy } from '../../../../src/model/policy/policy.js';

describe('a policy', () => {
  it('has the default of each field that the hash lacks', () => {
    expect(parsePolicy([])).toEqual({ policy: standardPolicy, faults: [], refusal: '' });
  });

  it('goes on without a field that is not known, and names the nearest', () => {
    const { policy, faults, refusal } = parsePolicy(['stratgy', 'IP_HASH']);
    expect(policy.strategy).toBeUndefined();
    expect(faults).toEqual(['stratgy is not a known field; the nearest known one is strategy']);
    expect(refusal).toBe('');
  });

  it('goes on without a field that is wrong, and says field, value and what is allowed', () => {
    const { faults, refusal } = parsePolicy(['strategy', 'LUCK']);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^strategy is "LUCK"; allowed: .*IP_HASH/);
    expect(refusal).toBe('');
  });

  it.each(['authProvder', 'authprovider', 'denny', 'Deny', 'alow', 'requireHtps'])(
    'refuses to serve while a field that keeps somebody out is misspelt as %s',
    (name) => {
      expect(parsePolicy([name, 'x']).refusal).toContain(`${name} is not a known field`);
    },
  );

  it.each(['all', 'key', 'owner', 'deployed', 'provider', 'auth'])('takes %s for somebody else’s field', (name) => {
    expect(parsePolicy([name, 'x']).refusal).toBe('');
  });
});
