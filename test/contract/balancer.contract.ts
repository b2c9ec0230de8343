// What every balancer must do, whatever its strategy.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../src/balancing/balancer.js';
import { backends, countPicks, isShare, newWhose } from '../unit/balancing/backends.js';

/** @param make a balancer with a state of its own; nothing is known of any backend */
export function balancerContract(strategy: string, make: () => Balancer): void {
  describe(`the balancer ${strategy}`, () => {
    const list = backends(8);

    it('has nothing to pick from no candidates', () => {
      expect(make().pick([], newWhose(), 'k', null)).toBeNull();
      expect(make().pick([], newWhose(), 'k', [])).toBeNull();
    });

    it('picks the only candidate, whatever its index and its weight', () => {
      const balancer = make();
      const whose = newWhose();
      for (let turn = 0; turn < 5; turn++) {
        expect(balancer.pick([list[5]!], whose, `k${turn}`, null)).toBe(list[5]);
        expect(balancer.pick([list[5]!], whose, `k${turn}`, [0, 0, 0, 0, 0, 0.001])).toBe(list[5]);
      }
    });

    it('picks one of the candidates, however they come and go, and leaves them as they are', () => {
      const turns = fc.array(
        fc.record({
          candidates: fc.subarray([...list], { minLength: 1 }),
          frontend: fc.nat(2),
          key: fc.string(),
          weights: fc.option(fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 8, maxLength: 8 })),
        }),
        { maxLength: 40 },
      );
      fc.assert(
        fc.property(turns, (all) => {
          const balancer = make();
          const frontends = ['a', 'b', ''].map(newWhose);
          for (const { candidates, frontend, key, weights } of all) {
            const picked = balancer.pick(Object.freeze(candidates), frontends[frontend]!, key, weights);
            expect(candidates).toContain(picked);
          }
        }),
      );
    });

    it('gives a backend of a list that was read anew, not the one of old', () => {
      const balancer = make();
      const anew = backends(8);
      const whose = newWhose();
      for (let turn = 0; turn < 100; turn++) balancer.pick(list, whose, `k${turn}`, null);
      for (let turn = 0; turn < 100; turn++) expect(anew).toContain(balancer.pick(anew, whose, `k${turn}`, null));
    });

    it('gives each of eight idle backends its share of 8000 clients', () => {
      const counts = countPicks(make(), list, 8000);
      process.stdout.write(`${strategy}, eight alike: ${counts.join(' ')} of 8000\n`);
      for (const count of counts) expect(count).toSatisfy((one: number) => isShare(one, 8000, 1 / 8));
    });

    it('gives weights 1, 2 and 5 an eighth, a quarter and the rest of 8000 clients of idle backends', () => {
      const counts = countPicks(make(), list.slice(0, 3), 8000, { weights: [1, 2, 5] });
      process.stdout.write(`${strategy}, weights 1 2 5: ${counts.join(' ')} of 8000\n`);
      const shares = [1 / 8, 2 / 8, 5 / 8];
      for (const [at, count] of counts.entries()) {
        expect(count).toSatisfy((one: number) => isShare(one, 8000, shares[at]!));
      }
    });

    it('weighs by the index in the list, not by the place among the candidates', () => {
      const counts = countPicks(make(), [list[2]!, list[6]!], 4000, { weights: [9, 9, 3, 9, 9, 9, 1, 9] });
      expect(counts[0]).toSatisfy((one: number) => isShare(one, 4000, 3 / 4));
    });

    it('keeps frontends apart', () => {
      const balancer = make();
      countPicks(balancer, list, 1001, { whose: newWhose('other') });
      for (const count of countPicks(balancer, list, 8000)) {
        expect(count).toSatisfy((one: number) => isShare(one, 8000, 1 / 8));
      }
    });
  });
}
