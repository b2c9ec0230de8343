import { expect, it } from 'vitest';
import { BoundedMap } from '../../../src/base/bounded-map.js';

it('keeps what is put in, up to its bound, and forgets what came first', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('c', 3);
  expect([map.size, map.get('a'), map.get('b'), map.get('c')]).toEqual([2, undefined, 2, 3]);
});

it('replaces an entry without forgetting another', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  expect([map.size, map.get('a'), map.get('b')]).toEqual([2, 3, 2]);
});

it('makes an entry once', () => {
  const map = new BoundedMap<string, object>(2);
  const made = map.getOrAdd('a', () => ({}));
  expect(map.getOrAdd('a', () => ({}))).toBe(made);
});
