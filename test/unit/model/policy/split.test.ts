import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../../src/model/policy/policy.js';

const parse = (value: unknown) => parsePolicy(['split', typeof value === 'string' ? value : JSON.stringify(value)]);

describe('the split of a policy', () => {
  it('is read with its groups, header and cookie', () => {
    const { policy, faults } = parse({
      groups: [{ name: 'stable', weight: 95 }, { name: 'canary', weight: 5, backends: ['c1', 'c2'] }, { name: 'even' }],
      header: 'X-Group',
      cookie: { name: 'group', ttl: '1d' },
    });
    expect(faults).toEqual([]);
    expect(policy.split).toEqual({
      groups: [
        { name: 'stable', weight: 95, backends: [] },
        { name: 'canary', weight: 5, backends: ['c1', 'c2'] },
        { name: 'even', weight: 1, backends: [] },
      ],
      header: 'X-Group',
      cookie: { name: 'group', ttl: 86_400_000 },
    });
  });

  it('takes the name of a cookie alone', () => {
    expect(parse({ groups: [{ name: 'a' }], cookie: 'group' }).policy.split?.cookie).toEqual({ name: 'group', ttl: undefined });
  });

  for (const [what, value, says] of [
    ['a text', 'half', 'an object {"groups"'],
    ['no groups', { groups: [] }, '1 to 64 groups'],
    ['two groups of one name', { groups: [{ name: 'a' }, { name: 'a' }] }, 'different names'],
    ['a name that is no cookie value', { groups: [{ name: 'a; b' }] }, 'letters, digits'],
    ['a name that would end a line', { groups: [{ name: 'a\r\nX: y' }] }, 'letters, digits'],
    ['a negative weight', { groups: [{ name: 'a', weight: -1 }] }, 'a number from 0'],
    ['a header that is none', { groups: [{ name: 'a' }], header: 'X Group' }, 'name of a header'],
    ['a cookie that is none', { groups: [{ name: 'a' }], cookie: 'a=b' }, 'name of a cookie'],
    ['a word that is unknown', { groups: [{ name: 'a' }], sticky: true }, 'an object {"groups"'],
  ] as const) {
    it(`refuses ${what}, and says what is allowed`, () => {
      const { policy, faults } = parse(value);
      expect(policy.split).toBeUndefined();
      expect(faults).toHaveLength(1);
      expect(faults[0]).toMatch(/^split (is|has the unknown member "sticky")/);
      expect(faults[0]).toContain(says);
      expect(faults[0]).not.toMatch(/[\r\n]/);
    });
  }
});
