import { describe, expect, it } from 'vitest';
import { chooseGroup, formGroups } from '../../../src/balancing/split.js';
import { parseBackends } from '../../../src/model/parse-backends.js';

const { backends } = parseBackends([
  'http://10.0.0.1:80#id=s1',
  'http://10.0.0.2:80#id=s2',
  'http://10.0.0.3:80#id=c1&group=canary',
  'http://10.0.0.4:80#id=spare',
]);
const wishes = (stable: number, canary: number) => [
  { name: 'stable', weight: stable, backends: ['s1', 's2'] },
  { name: 'canary', weight: canary, backends: [] },
];
const ids = (chosen: { candidates: readonly { id: string }[] } | null) => chosen?.candidates.map(({ id }) => id) ?? [];
const alive = (...names: readonly string[]) => backends.filter(({ id }) => names.includes(id));

/** A small generator with a seed, so that a failure can be told again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('the groups of a traffic split', () => {
  it('are formed of ids and of the option of list entries', () => {
    const [stable, canary] = formGroups(wishes(1, 1), backends);
    expect([...(stable?.members ?? [])].map(({ id }) => id)).toEqual(['s1', 's2']);
    expect([...(canary?.members ?? [])].map(({ id }) => id)).toEqual(['c1']);
  });

  for (const [stable, canary] of [
    [95, 5],
    [50, 50],
    [1, 3],
    [99.5, 0.5],
  ] as const) {
    it(`share new clients ${stable} to ${canary}`, () => {
      const seed = 20261121;
      const random = seeded(seed);
      const groups = formGroups(wishes(stable, canary), backends);
      const rounds = 40_000;
      let hits = 0;
      for (let at = 0; at < rounds; at++) if (chooseGroup(groups, backends, '', random)?.name === 'canary') hits++;
      const share = canary / (stable + canary);
      const deviation = Math.abs(hits / rounds - share) / Math.sqrt((share * (1 - share)) / rounds);
      process.stdout.write(`split ${stable}:${canary}, seed ${seed}: ${hits} of ${rounds}, ${deviation.toFixed(2)} deviations\n`);
      expect(deviation).toBeLessThan(4);
    });
  }

  it('keep a client that is pinned, whatever the weights', () => {
    const groups = formGroups(wishes(100, 0), backends);
    const chosen = chooseGroup(groups, backends, 'canary', () => 0);
    expect(chosen?.name).toBe('canary');
    expect(ids(chosen)).toEqual(['c1']);
  });

  it('ignore a pin to a name that is none of theirs', () => {
    const groups = formGroups(wishes(1, 0), backends);
    expect(chooseGroup(groups, backends, 'nonsense', () => 0.5)?.name).toBe('stable');
  });

  it('give no new client to one of weight 0, not even when the dice fall at their edges', () => {
    for (const [stable, canary] of [
      [1, 0],
      [0, 1],
    ] as const) {
      const groups = formGroups(wishes(stable, canary), backends);
      for (const value of [0, 0.5, 1 - Number.EPSILON]) {
        expect(chooseGroup(groups, backends, '', () => value)?.name).toBe(stable === 1 ? 'stable' : 'canary');
      }
    }
  });

  it('fall to the others when one has nobody who is alive', () => {
    const groups = formGroups(wishes(1, 1000), backends);
    expect(ids(chooseGroup(groups, alive('s2', 'spare'), '', () => 0.99))).toEqual(['s2']);
    expect(ids(chooseGroup(groups, alive('s2', 'spare'), 'canary', () => 0.99))).toEqual(['s2']);
  });

  it('leave the backends of no group as the last resort', () => {
    const groups = formGroups(wishes(1, 1), backends);
    for (let at = 0; at < 20; at++) expect(ids(chooseGroup(groups, backends, '', () => at / 20))).not.toContain('spare');
    const chosen = chooseGroup(groups, alive('spare'), 'stable', () => 0);
    expect(chosen).toMatchObject({ name: '' });
    expect(ids(chosen)).toEqual(['spare']);
  });

  it('serve nobody when nobody is left', () => {
    const groups = formGroups(wishes(1, 0), backends);
    expect(chooseGroup(groups, [], '', () => 0)).toBeNull();
    expect(chooseGroup(groups, alive('c1'), '', () => 0)).toBeNull();
  });
});
