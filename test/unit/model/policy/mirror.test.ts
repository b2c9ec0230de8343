import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../../src/model/policy/policy.js';

const parse = (value: unknown) => parsePolicy(['mirror', typeof value === 'string' ? value : JSON.stringify(value)]);

describe('the mirror of a policy', () => {
  it('needs an address alone', () => {
    const { policy, faults } = parse({ to: 'http://10.0.0.9:8080' });
    expect(faults).toEqual([]);
    expect(policy.mirror).toMatchObject({ share: 1, maxBody: 65_536, timeout: 10_000, maxActive: 128 });
    expect(policy.mirror?.to.origin).toBe('http://10.0.0.9:8080');
  });

  it('takes a share, a size, a time and a number as people write them', () => {
    expect(
      parse({ to: 'unix:/run/m.sock', share: 0.25, maxBody: '1M', timeout: '2s', maxActive: 5 }).policy.mirror,
    ).toMatchObject({
      share: 0.25,
      maxBody: 1_048_576,
      timeout: 2_000,
      maxActive: 5,
    });
  });

  for (const [what, value, says] of [
    ['a text', 'http://10.0.0.9', 'an object {"to"'],
    ['no address', { share: 1 }, 'allowed at to: an address such as'],
    ['an address that is none', { to: 'ftp://10.0.0.9' }, 'has the scheme ftp'],
    ['a share above 1', { to: 'http://a', share: 2 }, 'allowed at share: a number from 0 to 1'],
    ['a share in words', { to: 'http://a', share: 'half' }, 'allowed at share'],
    ['a size without end', { to: 'http://a', maxBody: '1G' }, 'allowed at maxBody'],
    ['no time at all', { to: 'http://a', timeout: 0 }, 'allowed at timeout'],
    ['an unknown word', { to: 'http://a', percent: 5 }, 'an object {"to"'],
  ] as const) {
    it(`refuses ${what}, and says what is allowed`, () => {
      const { policy, faults } = parse(value);
      expect(policy.mirror).toBeUndefined();
      expect(faults).toHaveLength(1);
      expect(faults[0]).toMatch(/^mirror (is|has the unknown member "percent")/);
      expect(faults[0]).toContain(says);
    });
  }
});
