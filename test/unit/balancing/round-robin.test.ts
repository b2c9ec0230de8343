import { describe, expect, it } from 'vitest';
import type { Weights, Whose } from '../../../src/balancing/balancer.js';
import { createRoundRobin } from '../../../src/balancing/round-robin.js';
import type { Backend } from '../../../src/model/backend.js';
import { backends, newWhose } from './backends.js';

const four = backends(4);
const balancer = createRoundRobin();

function picks(
  whose: Whose,
  candidates: readonly Backend[],
  times: number,
  { weights = null }: { weights?: Weights | null } = {},
): (number | null)[] {
  return Array.from({ length: times }, () => balancer.pick(candidates, whose, '', weights)?.index ?? null);
}

describe('round robin of equal backends (D.3 13)', () => {
  it('begins with the first backend of the list', () => {
    expect(picks(newWhose(), four, 6)).toEqual([0, 1, 2, 3, 0, 1]);
  });

  it('has a turn for each frontend', () => {
    const [a, b] = [newWhose('a'), newWhose('b')];
    expect(picks(a, four, 2)).toEqual([0, 1]);
    expect(picks(b, four, 2)).toEqual([0, 1]);
    expect(picks(a, four, 1)).toEqual([2]);
  });

  it('skips what is dead, and keeps the turn of the others when it comes back', () => {
    const whose = newWhose();
    const withoutOne = four.filter((one) => one.index !== 1);
    expect(picks(whose, four, 1)).toEqual([0]);
    expect(picks(whose, withoutOne, 4)).toEqual([2, 3, 0, 2]);
    expect(picks(whose, four, 3)).toEqual([3, 0, 1]);
  });

  it('spreads evenly over what is alive', () => {
    const alive = four.filter((one) => one.index !== 1);
    const counts = new Map<number | null, number>();
    for (const index of picks(newWhose(), alive, 300)) counts.set(index, (counts.get(index) ?? 0) + 1);
    expect([...counts.values()]).toEqual([100, 100, 100]);
  });

  it('survives a list that became shorter', () => {
    const whose = newWhose();
    picks(whose, four, 4);
    expect(picks(whose, four.slice(0, 2), 3)).toEqual([0, 1, 0]);
  });
});

describe('round robin by weight (D.3 13 and 17)', () => {
  it('is smooth: 5, 1 and 1 are never five in a row', () => {
    const turn = picks(newWhose(), four.slice(0, 3), 14, { weights: [5, 1, 1] });
    expect(turn).toEqual([0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0]);
  });

  it('is exact in every round, whatever the scale of the weights', () => {
    const counts = [0, 0, 0, 0];
    for (const index of picks(newWhose(), four, 1000, { weights: [0.4, 0.3, 0.2, 0.1] })) counts[index!]!++;
    expect(counts).toEqual([400, 300, 200, 100]);
  });

  it('goes on in turn when one is dead and when it comes back, without making up for lost turns', () => {
    const whose = newWhose();
    const weights = [2, 1, 1, 1];
    picks(whose, four, 10, { weights });
    const alive = four.filter((one) => one.index !== 0);
    const without = picks(whose, alive, 30, { weights });
    for (const index of [1, 2, 3]) expect(without.filter((one) => one === index)).toHaveLength(10);
    const back = picks(whose, four, 5, { weights });
    expect(back.filter((one) => one === 0)).toHaveLength(2);
  });

  it('keeps the turn of a backend whose place in the list shifts', () => {
    const whose = newWhose();
    const [a, b] = four as [Backend, Backend];
    expect(picks(whose, [a, b], 1, { weights: [3, 2] })).toEqual([0]);
    const shifted = [
      { ...b, index: 0 },
      { ...a, index: 1 },
    ];
    // b has the credit of the turn before.
    expect(balancer.pick(shifted, whose, '', [2, 3])?.id).toBe(b.id);
  });

  it('forgets backends that left, however many come and go', () => {
    const whose = newWhose();
    const many = backends(500);
    for (const one of many) balancer.pick([one, many[0]!], whose, '', new Array<number>(500).fill(1));
    expect(picks(whose, four, 4, { weights: [1, 1, 1, 1] }).sort()).toEqual([0, 1, 2, 3]);
  });
});
