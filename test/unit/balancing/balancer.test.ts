import { describe, expect, it } from 'vitest';
import { createBalancer } from '../../../src/balancing/balancer.js';
import { createRandom } from '../../../src/balancing/random.js';
import type { Backend } from '../../../src/model/backend.js';

const backend = (index: number) => ({ index, entry: `http://10.0.0.${index}:80` }) as Backend;
const four = [0, 1, 2, 3].map(backend);

function picks(
  balancer: { pick(c: readonly Backend[], f: string): Backend | null },
  candidates: readonly Backend[],
  times: number,
  frontend = 'f',
) {
  return Array.from({ length: times }, () => balancer.pick(candidates, frontend)?.index ?? null);
}

describe.each(['RANDOM', 'ROUND_ROBIN'] as const)('the balancer %s', (strategy) => {
  it('has nothing to pick from no candidates', () => {
    expect(createBalancer(strategy).pick([], 'f')).toBeNull();
  });

  it('picks the only candidate', () => {
    expect(picks(createBalancer(strategy), [backend(5)], 3)).toEqual([5, 5, 5]);
  });

  it('gives each of four candidates its share of 8000 picks', () => {
    const counts = [0, 0, 0, 0];
    for (const index of picks(createBalancer(strategy), four, 8000)) counts[index!]!++;
    // Seven standard deviations of a fair draw.
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(275);
  });
});

describe('random choice', () => {
  it('reaches the first and the last candidate', () => {
    expect(createRandom(() => 0).pick(four)?.index).toBe(0);
    expect(createRandom(() => 1 - 2 ** -53).pick(four)?.index).toBe(3);
  });
});

describe('round robin', () => {
  it('begins with the first backend of the list', () => {
    expect(picks(createBalancer('ROUND_ROBIN'), four, 6)).toEqual([0, 1, 2, 3, 0, 1]);
  });

  it('has a turn for each frontend', () => {
    const balancer = createBalancer('ROUND_ROBIN');
    expect(picks(balancer, four, 2, 'a')).toEqual([0, 1]);
    expect(picks(balancer, four, 2, 'b')).toEqual([0, 1]);
    expect(picks(balancer, four, 1, 'a')).toEqual([2]);
  });

  it('skips what is dead, and keeps the turn of the others when it comes back', () => {
    const balancer = createBalancer('ROUND_ROBIN');
    const withoutOne = four.filter((one) => one.index !== 1);
    expect(picks(balancer, four, 1)).toEqual([0]);
    expect(picks(balancer, withoutOne, 4)).toEqual([2, 3, 0, 2]);
    expect(picks(balancer, four, 3)).toEqual([3, 0, 1]);
  });

  it('spreads evenly over what is alive', () => {
    const counts = new Map<number | null, number>();
    const alive = [0, 2, 3].map(backend);
    for (const index of picks(createBalancer('ROUND_ROBIN'), alive, 300)) counts.set(index, (counts.get(index) ?? 0) + 1);
    expect([...counts.values()]).toEqual([100, 100, 100]);
  });

  it('survives a list that became shorter', () => {
    const balancer = createBalancer('ROUND_ROBIN');
    picks(balancer, four, 4);
    expect(picks(balancer, four.slice(0, 2), 3)).toEqual([0, 1, 0]);
  });

  it('forgets frontends beyond its bound instead of growing', () => {
    const balancer = createBalancer('ROUND_ROBIN');
    balancer.pick(four, 'first');
    for (let at = 0; at < 10_000; at++) balancer.pick(four, `host-${at}`);
    expect(balancer.pick(four, 'first')?.index).toBe(0);
  });
});
