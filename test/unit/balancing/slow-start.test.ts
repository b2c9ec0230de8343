import { describe, expect, it } from 'vitest';
import { SlowStart } from '../../../src/balancing/slow-start.js';
import type { Backend } from '../../../src/model/backend.js';
import { backends, routeOf } from './backends.js';

const four = backends(4);
const three = four.filter(({ index }) => index !== 1);
const full = [2, 2, 2, 4];
const duration = 10_000;

function begin() {
  const time = { now: 5_000 };
  const slowStart = new SlowStart(() => time.now);
  const weigh = (candidates: readonly Backend[], route = routeOf(four)) =>
    slowStart.weigh(route, candidates, full, duration).map((weight) => Number(weight.toFixed(3)));
  return { time, slowStart, weigh };
}

describe('slow start', () => {
  it('leaves everything as it is when a frontend is first seen', () => {
    const { slowStart } = begin();
    expect(slowStart.weigh(routeOf(four), four, full, duration)).toBe(full);
    expect(slowStart.weigh(routeOf(four), four, full, duration)).toBe(full);
  });

  it('lets a backend that came back from death grow from a tenth to its weight', () => {
    const { time, weigh, slowStart } = begin();
    weigh(four);
    weigh(three);
    time.now += 60_000;
    expect(weigh(four)).toEqual([2, 0.2, 2, 4]);
    time.now += 5_000;
    expect(weigh(four)).toEqual([2, 1, 2, 4]);
    time.now += 4_000;
    expect(weigh(four)).toEqual([2, 1.8, 2, 4]);
    time.now += 1_000;
    expect(slowStart.weigh(routeOf(four), four, full, duration)).toBe(full);
  });

  it('lets a backend that is new to the list grow', () => {
    const { time, weigh } = begin();
    weigh(four.slice(0, 3));
    time.now += 1_000;
    expect(weigh(four)).toEqual([2, 2, 2, 0.4]);
  });

  it('knows backends by their ids: a list that was read anew, or shifts, starts nobody', () => {
    const { weigh } = begin();
    weigh(four);
    expect(weigh(backends(4))).toEqual(full);
    const shifted = [...four].reverse().map((backend, index) => ({ ...backend, index }));
    expect(weigh(shifted)).toEqual(full);
  });

  it('begins anew for a backend that dies while it grows', () => {
    const { time, weigh } = begin();
    weigh(four);
    weigh(three);
    weigh(four);
    time.now += 8_000;
    expect(weigh(four)[1]).toBe(1.6);
    weigh(three);
    time.now += 1_000;
    expect(weigh(four)[1]).toBe(0.2);
  });

  it('goes on for one while another comes back', () => {
    const { time, weigh } = begin();
    weigh(four.slice(0, 2));
    weigh(four.slice(0, 3));
    time.now += 5_000;
    expect(weigh(four)).toEqual([2, 2, 1, 0.4]);
  });

  it('does not take a backend for dead because a request has tried it', () => {
    const { time, slowStart, weigh } = begin();
    weigh(four);
    expect(slowStart.weighAgain(routeOf(four), three, full, duration)).toBe(full);
    time.now += 1_000;
    expect(weigh(four)).toEqual(full);
  });

  it('weighs a further attempt as the first', () => {
    const { slowStart, weigh } = begin();
    expect(slowStart.weighAgain(routeOf(four), four, full, duration)).toBe(full);
    weigh(three);
    weigh(four);
    expect(slowStart.weighAgain(routeOf(four), four.slice(0, 2), full, duration)).toEqual([2, 0.2, 2, 4]);
  });

  it('keeps hosts of a wildcard apart, whose dead marks differ', () => {
    const { weigh } = begin();
    const one = { ...routeOf(four, null, '*.example.com'), host: 'one.example.com' };
    const other = { ...routeOf(four, null, '*.example.com'), host: 'other.example.com' };
    weigh(four, one);
    weigh(three, other);
    expect(weigh(four, one)).toEqual(full);
    expect(weigh(four, other)).toEqual([2, 0.2, 2, 4]);
  });
});
