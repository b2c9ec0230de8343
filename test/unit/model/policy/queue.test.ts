import { describe, expect, it } from 'vitest';
import { parsePolicy, standardPolicy } from '../../../../src/model/policy/policy.js';

describe('D.2-7: the limits of a policy', () => {
  it('limit nothing unless they are asked for; 100 wait for a minute where that is not said', () => {
    expect(standardPolicy).toMatchObject({ reqActiveLength: undefined, reqQueueLength: 100, queueTimeout: 60_000 });
  });

  it('are read', () => {
    const { policy, faults } = parsePolicy(['reqActiveLength', '50', 'reqQueueLength', '0', 'queueTimeout', '1500ms']);
    expect(faults).toEqual([]);
    expect(policy).toMatchObject({ reqActiveLength: 50, reqQueueLength: 0, queueTimeout: 1500 });
    expect(parsePolicy(['queueTimeout', '2.5']).policy.queueTimeout).toBe(2500);
    expect(parsePolicy(['queueTimeout', '0']).policy.queueTimeout).toBe(0);
  });

  it.each([
    ['reqActiveLength', '0', 'reqActiveLength is 0; allowed: a whole number from 1 to 1000000'],
    ['reqActiveLength', '-1', 'reqActiveLength is -1; allowed: a whole number from 1 to 1000000'],
    ['reqActiveLength', '1.5', 'reqActiveLength is 1.5; allowed: a whole number from 1 to 1000000'],
    ['reqQueueLength', 'all', 'reqQueueLength is "all"; allowed: a whole number from 0 to 100000'],
    ['queueTimeout', 'soon', 'queueTimeout is "soon"; allowed: seconds from 0 to 2147483, or text such as "30s", "500ms", "2m"'],
  ])('%s as %s is refused, and the frontend goes on with the default', (field, text, fault) => {
    const { policy, faults, refusal } = parsePolicy([field, text]);
    expect(faults).toEqual([fault]);
    expect(refusal).toBe('');
    expect(policy).toEqual(standardPolicy);
  });
});
