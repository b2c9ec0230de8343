import { describe, expect, it } from 'vitest';
import { eligible, sharesOf } from '../../../src/balancing/shares.js';
import { parseBackends } from '../../../src/model/parse-backends.js';
import { backends, backendsWith, routeOf } from './backends.js';

describe('shares (D.3 17)', () => {
  it('are equal without a word about them', () => {
    expect(sharesOf(routeOf(backends(3)))).toEqual({ weights: [1, 1, 1], equal: true, selective: false });
    expect(sharesOf(routeOf(backendsWith(['weight=5', 'weight=5']))).equal).toBe(true);
  });

  it('are those of the list entries', () => {
    expect(sharesOf(routeOf(backendsWith(['weight=2', '', 'weight=7'])))).toEqual({
      weights: [2, 1, 7],
      equal: false,
      selective: false,
    });
  });

  it('are those of the policy where it names a backend by its id', () => {
    const list = backendsWith(['id=a&weight=2', 'id=b&weight=3', 'id=c']);
    expect(sharesOf(routeOf(list, { weights: { b: 0.5, gone: 9 } })).weights).toEqual([2, 0.5, 1]);
  });

  it('do not take what every object has for a weight', () => {
    expect(sharesOf(routeOf(backendsWith(['id=constructor', 'id=toString']), { weights: {} })).weights).toEqual([1, 1]);
  });

  it('are kept by index where entries of the list are faulty', () => {
    const { backends: list } = parseBackends(['http://a:1', 'junk', 'http://b:1#weight=4']);
    expect(sharesOf(routeOf(list)).weights).toEqual([1, 0, 4]);
    expect(sharesOf(routeOf(list)).selective).toBe(false);
  });

  it('of backends without weight or of backups do not make the others unequal', () => {
    expect(sharesOf(routeOf(backendsWith(['', 'weight=0', ''])))).toMatchObject({ equal: true, selective: true });
    expect(sharesOf(routeOf(backendsWith(['', 'backup'])))).toMatchObject({ equal: true, selective: true });
  });
});

describe('who may get a new session', () => {
  const list = backendsWith(['', 'weight=0', 'backup', 'backup&weight=0', '']);
  const shares = sharesOf(routeOf(list));
  const among = (...indexes: number[]) =>
    eligible(
      indexes.map((index) => list[index]!),
      shares,
    ).map(({ index }) => index);

  it('is everybody in the usual case, without a copy', () => {
    const plain = backends(3);
    expect(eligible(plain, sharesOf(routeOf(plain)))).toBe(plain);
  });

  it('is nobody without weight, and no backup', () => {
    expect(among(0, 1, 2, 3, 4)).toEqual([0, 4]);
  });

  it('is a backup when no other is left', () => {
    expect(among(2, 3)).toEqual([2]);
  });

  it('is a backup when only others without weight are left', () => {
    expect(among(1, 2)).toEqual([2]);
  });

  it('is nobody when all weights are 0', () => {
    expect(among(1, 3)).toEqual([]);
  });
});
