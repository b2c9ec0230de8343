import { describe, expect, it, test } from 'vitest';
import { costOf, type ParsedTier, parseTier } from '../../../src/model/tier.js';

const tier = (name: string, ...values: readonly string[]): ParsedTier => parseTier(name, { values, fault: '' });

describe('parseTier', () => {
  it('reads all fields', () => {
    const { tier: gold, faults } = tier(
      'gold',
      ...['points', '1000', 'duration', '1m', 'burst', '200', 'burstDuration', '1h', 'scope', 'client+frontend'],
    );
    expect(faults).toEqual([]);
    expect(gold).toEqual({
      name: 'gold',
      points: 1_000,
      duration: 60,
      burst: 200,
      burstDuration: 3_600,
      costs: [],
      scope: 'client+frontend',
    });
  });

  test.each([
    ['anonymous', 500],
    ['registered', 10_000],
    ['premium', 100_000],
  ])('%s needs no record and is %i points a minute', (name, points) => {
    expect(tier(name)).toMatchObject({ tier: { points, duration: 60, burst: 0, scope: 'client' }, faults: [] });
    expect(tier(name, 'duration', '10')).toMatchObject({ tier: { points, duration: 10 }, faults: [] });
    expect(tier(name, 'points', '7')).toMatchObject({ tier: { points: 7, duration: 60 }, faults: [] });
  });

  test.each([
    [['points', '0'], 'points is 0; allowed: a whole number from 1 to 1000000000'],
    [['points', 'many'], 'points is "many"; allowed: a whole number from 1 to 1000000000'],
    [
      ['points', '5', 'duration', '0.5'],
      'duration is 0.5; allowed: whole seconds from 1 to 2147483, or text such as "30s", "2m"',
    ],
    [['points', '5', 'scope', 'all'], 'scope is "all"; allowed: "client", "client+frontend", "frontend"'],
    [['points', '5', 'pionts', '5'], 'pionts is not a known field; the nearest known one is points'],
    [['duration', '60'], 'points is missing'],
  ])('%j is told as a fault, and the field has its default', (values, fault) => {
    const parsed = tier('gold', ...values);
    expect(parsed.faults).toEqual([fault]);
    expect(parsed.tier.points).toBe(values[1] === '5' ? 5 : 500);
    expect(parsed.tier.duration).toBe(60);
  });

  it('gives a record of the wrong type the numbers of anonymous', () => {
    const parsed = parseTier('gold', { values: [], fault: 'tier:gold is no hash' });
    expect(parsed).toMatchObject({ tier: { points: 500 }, faults: ['tier:gold is no hash'] });
  });

  test.each(['5', '{"POST": -1}', '{"POST": 1.5}', '{"post": 1}', '{"search": 1}', '{"POST/x": 1}', '[1]', '{"/a?b": 2}'])(
    'the cost %s is a fault',
    (cost) => {
      expect(tier('anonymous', 'cost', cost).faults).toEqual([expect.stringMatching(/^cost is .*; allowed: an object of costs/)]);
    },
  );
});

describe('costOf', () => {
  const written = '{"POST": 5, "/search": 10, "GET /search/fast": 2, "/search/fast": 3, "OPTIONS": 0, "/API/": 4}';
  const { costs } = tier('anonymous', 'cost', written).tier;

  test.each([
    ['GET', '/', 1],
    ['POST', '/', 5],
    ['OPTIONS', '/', 0],
    ['GET', '/search', 10],
    ['GET', '/search/slow', 10],
    ['GET', '/searching', 1],
    ['POST', '/search', 10],
    ['GET', '/search/fast', 2],
    ['POST', '/search/fast/x', 3],
    ['GET', '/api', 4],
    ['GET', '/api/x', 4],
  ])('%s %s costs %i', (method, path, cost) => {
    expect(costOf(costs, method, path)).toBe(cost);
  });
});
