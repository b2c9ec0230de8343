import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../src/base/backoff.js';

describe('backoff', () => {
  it('doubles up to the longest delay', () => {
    const backoff = new Backoff(100, 1000, () => 1);
    expect([1, 2, 3, 4, 5, 6].map(() => backoff.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it('draws each delay between half of the step and the whole', () => {
    const backoff = new Backoff(100, 1000);
    for (const step of [100, 200, 400, 800, 1000]) {
      const delay = backoff.next();
      expect(delay).toBeGreaterThanOrEqual(step / 2);
      expect(delay).toBeLessThanOrEqual(step);
    }
  });

  it('is short again after a reset', () => {
    const backoff = new Backoff(100, 1000, () => 1);
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });
});
