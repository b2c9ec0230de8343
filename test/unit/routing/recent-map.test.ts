// The bounded map of the route cache.
import { describe, expect, it } from 'vitest';
import { type Recent, RecentMap } from '../../../src/routing/recent-map.js';
import { newSeed, seeded } from '../../helpers/seeded.js';

interface Value extends Recent<Value> {}

const random = seeded(newSeed('recent-map'));

function mapOf(bound: number) {
  const forgotten: string[] = [];
  const map = new RecentMap<Value>(bound, (value) => forgotten.push(value.key));
  const put = (key: string, written = true) =>
    map.set({ key, standing: 'newcomer', asked: false, previous: null, next: null }, written);
  const fill = (beginning: string, count: number, written = true) => {
    for (let at = 0; at < count; at += 1) put(`${beginning}-${at}`, written);
  };
  const held = (beginning: string, count: number) =>
    Array.from({ length: count }, (_, at) => map.get(`${beginning}-${at}`)).filter((value) => value !== undefined).length;
  return { map, put, fill, held, forgotten };
}

it('never holds more than its bound and a quarter, whatever is put into it', () => {
  const { map, put } = mapOf(8);
  for (let at = 0; at < 5000; at += 1) {
    put(`key-${Math.floor(random() * 40)}`, random() < 0.5);
    if (random() < 0.5) map.get(`key-${Math.floor(random() * 40)}`);
    if (random() < 0.1) map.delete(`key-${Math.floor(random() * 40)}`);
    expect(map.size).toBeLessThanOrEqual(10);
  }
});

it('holds as many written names as its bound, and forgets none of them for being asked in turn', () => {
  const { fill, held, forgotten } = mapOf(1000);
  fill('site', 1000);
  for (let round = 0; round < 3; round += 1) expect(held('site', 1000)).toBe(1000);
  expect(forgotten).toEqual([]);
});

it('keeps what is asked for while others come and go', () => {
  const { map, put } = mapOf(10);
  put('hot');
  for (let at = 0; at < 1000; at += 1) {
    put(`key-${at}`);
    expect(map.get('hot')?.key).toBe('hot');
  }
});

it('tells of everything that it forgets, once', () => {
  const { map, put, forgotten } = mapOf(4);
  for (let at = 0; at < 200; at += 1) put(`key-${at}`, at % 3 === 0);
  expect(forgotten).toHaveLength(200 - map.size);
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

it('gives a value that replaces another one its place', () => {
  const { put, fill, held, forgotten } = mapOf(10);
  fill('site', 10);
  put('site-0');
  put('site-9');
  put('next');
  expect(forgotten).toEqual(['site-0', 'site-9', 'site-0']);
  expect(held('site', 10)).toBe(9);
});

describe('names that strangers invent', () => {
  it('push out none that are written, not even those that nobody asks for, and not when each is asked for twice', () => {
    const { map, put, fill, held } = mapOf(1000);
    fill('site', 1000);
    for (let at = 0; at < 20_000; at += 1) {
      put(`x${at}`, false);
      map.get(`x${at}`);
    }
    expect(held('site', 1000)).toBe(1000);
  });

  it('push out no other that is asked for now and then, as long as each is asked for once', () => {
    const { fill, held } = mapOf(1000);
    fill('site', 500);
    fill('customer', 600, false);
    for (let round = 0; round < 20; round += 1) {
      expect(held('customer', 600)).toBe(600);
      fill(`flood-${round}`, 1000, false);
    }
    expect(held('site', 500)).toBe(500);
  });

  it('have all the room where nothing is written, and give it back to what is', () => {
    const { fill, held } = mapOf(1000);
    fill('customer', 1200, false);
    expect(held('customer', 1200)).toBe(1200);
    fill('site', 1000);
    expect(held('site', 1000)).toBe(1000);
    expect(held('customer', 1200)).toBe(250);
  });

  it('that become written are held as such, and the other way round', () => {
    const { map, put, fill, held } = mapOf(100);
    put('a', false);
    put('a', true);
    put('b', true);
    put('b', false);
    fill('x', 1000, false);
    expect(map.get('a')).toBeDefined();
    fill('site', 99);
    expect(held('site', 99)).toBe(99);
    expect(map.get('a')).toBeDefined();
  });
});
