import { describe, expect, it } from 'vitest';
import { createHealthView } from '../../../src/health/health-view.js';
import { LocalMarks } from '../../../src/health/local-marks.js';
import { entries, frontendRecord, route } from './routes.js';

const now = 1_700_000_000_000;
const setUp = () => {
  const clock = { now };
  const marks = new LocalMarks(() => clock.now);
  return { clock, marks, view: createHealthView(marks, { allows: () => false }, () => clock.now) };
};
const indexes = (backends: readonly { index: number }[]) => backends.map((one) => one.index);

describe('the candidates of a route', () => {
  it('are all its backends where nothing is marked, without a copy', () => {
    const { view } = setUp();
    const quiet = route(3);
    expect(view.candidates(quiet, null)).toBe(quiet.backends);
  });

  it('are those that the store does not call dead', () => {
    const { view } = setUp();
    const marked = route(3, { records: [frontendRecord({ list: ['id', ...entries(3)], dead: ['1'] })] });
    expect(indexes(view.candidates(marked, null))).toEqual([0, 2]);
  });

  it('are those that this worker does not call dead', () => {
    const { view, marks } = setUp();
    const quiet = route(3);
    marks.add('example.com', 'example.com', quiet.backends[2]!.entry, 30);
    expect(indexes(view.candidates(quiet, null))).toEqual([0, 1]);
    expect(indexes(view.candidates(route(3, { host: 'other.org', frontend: 'other.org' }), null))).toEqual([0, 1, 2]);
  });

  it('are not those that were tried', () => {
    const { view } = setUp();
    const quiet = route(3);
    expect(indexes(view.candidates(quiet, [quiet.backends[0]!]))).toEqual([1, 2]);
  });

  it('may be none, also of a frontend with one backend: nobody falls back to a dead one', () => {
    const { view } = setUp();
    expect(view.candidates(route(1, { records: [frontendRecord({ list: ['id', ...entries(1)], dead: ['0'] })] }), null)).toEqual(
      [],
    );
  });

  it('come back when the expiry passes, though nobody told it', () => {
    const { view, clock } = setUp();
    const marked = route(2, { records: [frontendRecord({ list: ['id', ...entries(2)], dead: ['1'], deadUntil: now + 1000 })] });
    expect(indexes(view.candidates(marked, null))).toEqual([0]);
    clock.now += 1001;
    expect(indexes(view.candidates(marked, null))).toEqual([0, 1]);
  });
});

describe('a mark of this worker', () => {
  it('is in force until its time is up when the store never took it', () => {
    const { marks, clock } = setUp();
    marks.add('a', 'a', 'http://x', 30);
    marks.everythingChanged();
    marks.changed('a');
    clock.now += 29_999;
    expect(marks.has('a', 'http://x')).toBe(true);
    clock.now += 1;
    expect(marks.has('a', 'http://x')).toBe(false);
    expect(marks.empty).toBe(true);
  });

  it('goes when the store took it and then told the change: what the store says now counts', () => {
    const { marks } = setUp();
    const mark = marks.add('a', 'a', 'http://x', 30);
    marks.written(mark);
    expect(marks.has('a', 'http://x')).toBe(true);
    marks.changed('b');
    expect(marks.has('a', 'http://x')).toBe(true);
    marks.changed('a');
    expect(marks.empty).toBe(true);
  });

  it('goes as well when the change is told before the store answers', () => {
    const { marks } = setUp();
    const mark = marks.add('a', 'a', 'http://x', 30);
    marks.changed('a');
    expect(marks.has('a', 'http://x')).toBe(true);
    marks.written(mark);
    expect(marks.empty).toBe(true);
  });

  it('goes when everything may have changed', () => {
    const { marks } = setUp();
    marks.written(marks.add('a', 'a', 'http://x', 30));
    marks.everythingChanged();
    expect(marks.empty).toBe(true);
  });

  it('outlives the write by little when the change is never told', () => {
    const { marks, clock } = setUp();
    marks.written(marks.add('a', 'a', 'http://x', 30));
    clock.now += 1500;
    expect(marks.has('a', 'http://x')).toBe(false);
  });

  it('of a wildcard counts for all its hosts and goes with the record of either name', () => {
    const { marks, view } = setUp();
    const wild = route(2, { host: 'b.wild.tld', frontend: '*.wild.tld' });
    const first = marks.add('a.wild.tld', '*.wild.tld', wild.backends[0]!.entry, 30);
    expect(indexes(view.candidates(wild, null))).toEqual([1]);
    marks.written(first);
    marks.changed('a.wild.tld');
    expect(marks.empty).toBe(true);
    marks.written(marks.add('a.wild.tld', '*.wild.tld', wild.backends[0]!.entry, 30));
    marks.changed('*.wild.tld');
    expect(marks.empty).toBe(true);
  });

  it('that was made anew is not dropped by the answer to the old one', () => {
    const { marks } = setUp();
    const old = marks.add('a', 'a', 'http://x', 30);
    marks.changed('a');
    marks.add('a', 'a', 'http://x', 30);
    marks.written(old);
    expect(marks.has('a', 'http://x')).toBe(true);
  });

  it('that has expired is cleared away when another is made', () => {
    const { marks, clock } = setUp();
    marks.add('a', 'a', 'http://x', 30);
    clock.now += 30_000;
    marks.written(marks.add('b', 'b', 'http://x', 30));
    marks.changed('b');
    expect(marks.empty).toBe(true);
  });
});
