import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SweepList } from '../../../src/base/sweep-list.js';

const member = (name: number) => ({ name, slot: -1 });

function names(list: SweepList<ReturnType<typeof member>>): number[] {
  const seen: number[] = [];
  list.each((one) => void seen.push(one.name));
  return seen.sort((a, b) => a - b);
}

describe('a sweep list', () => {
  it('holds what was added and not removed, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 60 }), (steps) => {
        const members = Array.from({ length: 10 }, (_, name) => member(name));
        const list = new SweepList<ReturnType<typeof member>>();
        const model = new Set<number>();
        for (const [adds, at] of steps) {
          const one = members[at]!;
          if (adds) list.add(one);
          else list.remove(one);
          if (adds) model.add(at);
          else model.delete(at);
        }
        expect(names(list)).toEqual([...model].sort((a, b) => a - b));
        expect(list.size).toBe(model.size);
      }),
    );
  });

  it('leaves nobody out when a visit removes members, and visits no removed one', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(9), { maxLength: 4 }), { minLength: 10, maxLength: 10 }), (removals) => {
        const members = Array.from({ length: 10 }, (_, name) => member(name));
        const list = new SweepList<ReturnType<typeof member>>();
        for (const one of members) list.add(one);
        const seen = new Set<number>();
        const removed = new Set<number>();
        list.each((one) => {
          expect(removed.has(one.name)).toBe(false);
          seen.add(one.name);
          for (const at of removals[one.name]!) {
            list.remove(members[at]!);
            removed.add(at);
          }
        });
        for (const one of members) expect(seen.has(one.name) || removed.has(one.name)).toBe(true);
      }),
    );
  });

  it('hands the time through and leaves members that a visit adds for the next round', () => {
    const list = new SweepList<ReturnType<typeof member>>();
    list.add(member(1));
    const seen: [number, number][] = [];
    const visit = (one: ReturnType<typeof member>, now: number) => {
      seen.push([one.name, now]);
      if (seen.length === 1) list.add(member(2));
    };
    list.each(visit, 77);
    expect(seen).toEqual([[1, 77]]);
    expect(list.size).toBe(2);
  });

  it('does not mix up members of another list', () => {
    const mine = new SweepList<ReturnType<typeof member>>();
    const other = new SweepList<ReturnType<typeof member>>();
    const [a, b] = [member(1), member(2)];
    mine.add(a);
    other.add(b);
    mine.remove(b);
    expect(names(mine)).toEqual([1]);
    expect(names(other)).toEqual([2]);
  });
});
