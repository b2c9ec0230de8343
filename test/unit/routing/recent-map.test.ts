// The bounded map of the route cache.
import { expect, it } from 'vitest';
import { RecentMap } from '../../../src/routing/recent-map.js';

function mapOf(bound: number) {
  const forgotten: string[] = [];
  const map = new RecentMap<{ name: string }>(bound, (value) => forgotten.push(value.name));
  const put = (name: string) => map.set(name, { name });
  return { map, put, forgotten };
}

it('never holds more than its bound', () => {
  const { map, put } = mapOf(10);
  for (let at = 0; at < 1000; at += 1) {
    put(`key-${at}`);
    expect(map.size).toBeLessThanOrEqual(10);
  }
});

it('keeps what is asked for while others come and go', () => {
  const { map, put } = mapOf(10);
  put('hot');
  for (let at = 0; at < 1000; at += 1) {
    put(`key-${at}`);
    expect(map.get('hot')?.name).toBe('hot');
  }
});

it('tells of everything that it forgets, once', () => {
  const { map, put, forgotten } = mapOf(4);
  for (let at = 0; at < 20; at += 1) put(`key-${at}`);
  expect(forgotten).toHaveLength(20 - map.size);
  expect(new Set(forgotten).size).toBe(forgotten.length);
  for (const name of forgotten) expect(map.get(name)).toBeUndefined();
});

it('tells of a value that is replaced, not of one that is deleted', () => {
  const { map, put, forgotten } = mapOf(10);
  put('a');
  put('a');
  expect(forgotten).toEqual(['a']);
  map.delete('a');
  expect(map.get('a')).toBeUndefined();
  expect(forgotten).toEqual(['a']);
});
