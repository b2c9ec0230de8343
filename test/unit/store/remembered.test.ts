// What a snapshot holds that nobody has read since: carried over by name, for a while, and as much as there is room for.
import { describe, expect, it } from 'vitest';
import { Remembered } from '../../../src/store/remembered.js';
import { parseSnapshotLine } from '../../../src/store/snapshot-lines.js';
import { recordOf } from '../../helpers/controlled-store.js';

const backends = ['id', 'http://a:1'];

/** What the process after one knows that had written its file at a time. */
function next(before: Remembered, written: number, since = 0, bound = 10): Remembered {
  const after = new Remembered(bound);
  recall(after, before, written, since);
  return after;
}

function recall(after: Remembered, before: Remembered, written: number, since = 0): void {
  for (const text of before.lines()) {
    const line = parseSnapshotLine(text);
    if (line !== null) after.recall(line, written, since);
  }
}

function first(): Remembered {
  const known = new Remembered(10);
  known.keepFrontend(recordOf('a.com', backends));
  known.keepRecord('tier', 'gold', { values: ['points', '5'], fault: '' });
  return known;
}

describe('what a process has read', () => {
  it('is known to the ones after it, with when it was written', () => {
    const third = next(next(first(), 1_000), 2_000);
    expect(third.frontend('a.com')?.list).toEqual(backends);
    expect(third.record('tier', 'gold')?.values).toEqual(['points', '5']);
    expect(third.readBefore('a.com')).toBe(1_000);
  });

  it('is forgotten when nobody has read it for long', () => {
    const third = next(next(first(), 1_000), 2_000, 1_500);
    expect(third.frontend('a.com')).toBeUndefined();
    expect(third.record('tier', 'gold')).toBeUndefined();
  });

  it('lasts as new once it is read again', () => {
    const second = next(first(), 1_000);
    second.keepFrontend(recordOf('a.com', ['id', 'http://b:1']));
    expect(second.readBefore('a.com')).toBeNull();
    const third = next(second, 2_000, 1_500);
    expect(third.frontend('a.com')?.list).toEqual(['id', 'http://b:1']);
  });

  it('gives way to what Redis has said since', () => {
    const second = new Remembered(10);
    second.keepFrontend(recordOf('a.com', []));
    recall(second, first(), 1_000);
    expect(second.frontend('a.com')?.list).toEqual([]);
  });

  it('takes no room from what was read since', () => {
    const second = new Remembered(1);
    second.keepFrontend(recordOf('b.com', backends));
    recall(second, first(), 1_000);
    expect(second.frontend('b.com')?.list).toEqual(backends);
    expect(second.frontend('a.com')).toBeUndefined();
  });
});
