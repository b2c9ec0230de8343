import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { FrontendRecord } from '../../../src/model/frontend.js';
import { OversizeWatch } from '../../../src/store/oversize-watch.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const record: FrontendRecord = {
  ...{ name: 'bad.example.com', list: [], dead: [], marks: [], deadUntil: 0, policy: [], policyFault: '' },
  fault: 'frontend:bad.example.com has a value of more than 1 MiB',
};

it('a record that was too large is what there is for ten seconds, and is told as changed if somebody asked meanwhile', () => {
  const told: string[] = [];
  const watch = new OversizeWatch((name) => told.push(name));
  expect(watch.heldOf('bad.example.com')).toBeUndefined();
  watch.hold(record);
  vi.advanceTimersByTime(9_000);
  expect(watch.heldOf('bad.example.com')).toBe(record);
  expect(watch.heldOf('other.example.com')).toBeUndefined();
  vi.advanceTimersByTime(2_000);
  expect(told).toEqual(['bad.example.com']);
  expect(watch.heldOf('bad.example.com')).toBeUndefined();
});

it('a record that was too large and that nobody asked for again is not told as changed', () => {
  const told: string[] = [];
  const watch = new OversizeWatch((name) => told.push(name));
  watch.hold(record);
  vi.advanceTimersByTime(11_000);
  expect(told).toEqual([]);
  watch.hold(record);
  watch.close();
});

it('sizes are asked for first for a minute after a record was too large, or a reply took too long', () => {
  let now = 1000;
  const watch = new OversizeWatch(
    () => {},
    () => now,
  );
  expect(watch.careful).toBe(false);
  watch.beCareful();
  now += 59_000;
  expect(watch.careful).toBe(true);
  watch.hold(record);
  now += 59_000;
  expect(watch.careful).toBe(true);
  now += 2_000;
  expect(watch.careful).toBe(false);
  watch.close();
});
