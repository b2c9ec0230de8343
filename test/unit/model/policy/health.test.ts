// The field `health` of a policy: its defaults, and what is wrong with other values.
import { describe, expect, it } from 'vitest';
import { parsePolicy, standardPolicy } from '../../../../src/model/policy/policy.js';

const read = (text: string) => parsePolicy(['health', text]);

describe('the policy of health (D.4 requirements 18, 21)', () => {
  it('is absent unless it is asked for', () => {
    expect(standardPolicy.health).toBeUndefined();
  });

  it('marks at the first failure and knows no limit, as without it, unless it says otherwise', () => {
    expect(read('{}').policy.health).toMatchObject({ threshold: 1, window: 10_000, maxEjected: 100, panic: false, drain: 0 });
  });

  it('with a breaker waits for five failures, and never ejects more than half', () => {
    const { health } = read('{"breaker": true}').policy;
    expect(health).toMatchObject({ threshold: 5, maxEjected: 50, breaker: { open: 10_000, maxOpen: 300_000 } });
    expect(read('{"breaker": false}').policy.health).toMatchObject({ threshold: 1, maxEjected: 100 });
  });

  it('takes every member', () => {
    const text =
      '{"threshold":3,"window":"1m","statuses":[500,"502-504"],"ttl":45,"maxEjected":34,"panic":true,"drain":"5m","breaker":{"open":"2s","maxOpen":60}}';
    expect(read(text)).toMatchObject({
      faults: [],
      policy: {
        health: {
          threshold: 3,
          window: 60_000,
          statuses: [
            [500, 500],
            [502, 504],
          ],
          ttl: 45_000,
          maxEjected: 34,
          panic: true,
          drain: 300_000,
          breaker: { open: 2_000, maxOpen: 60_000 },
        },
      },
    });
  });

  it.each([
    ['true', 'health is true; allowed: an object of threshold, window'],
    ['{"treshold": 3}', 'allowed: an object of threshold, window'],
    ['{"threshold": 0}', 'allowed at threshold: a whole number from 1 to 1000'],
    ['{"statuses": "6xx"}', 'allowed at statuses: statuses such as 200'],
    ['{"maxEjected": 101}', 'allowed at maxEjected: a whole number from 0 to 100'],
    ['{"breaker": 5}', 'allowed at breaker: true, false, or an object of open and maxOpen'],
    ['{"breaker": {"open": "soon"}}', 'allowed at breaker.open: seconds from 0.1'],
    ['{"window": 0}', 'allowed at window: seconds from 0.1'],
  ])('of %s has the default, and says what is allowed', (text, fault) => {
    const { policy, faults, refusal } = read(text);
    expect(policy.health).toBeUndefined();
    expect(faults).toEqual([expect.stringContaining(fault)]);
    expect(refusal).toBe('');
  });
});
