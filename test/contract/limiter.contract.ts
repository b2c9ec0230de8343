// What every limiter does, whatever it counts in.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Limiter, Window } from '../../src/limits/limiter.js';
import { eventually } from '../helpers/eventually.js';

/** One implementation. */
export interface LimiterUnderTest {
  readonly name: string;
  /** Makes a limiter; keys of different windows are different, those of equal ones the same where it is shared. */
  create(window: Window): Limiter;
}

let windows = 0;

export function describeLimiter({ name, create }: LimiterUnderTest): void {
  describe(`a limiter (${name})`, () => {
    let limiter: Limiter;
    const windowOf = (duration = 60): Window => ({ name: `window-${++windows}`, points: 10, duration });

    beforeEach(() => {
      limiter = create(windowOf());
    });

    afterEach(() => {
      expect(limiter.strict).toBe(false);
    });

    it('counts what is spent, beyond the limit too, and says when the window ends', async () => {
      expect(await limiter.spend('a', 4, 60)).toMatchObject({ spent: 4 });
      const second = await limiter.spend('a', 9, 60);
      expect(second.spent).toBe(13);
      expect(second.left).toBeGreaterThan(50_000);
      expect(second.left).toBeLessThanOrEqual(60_000);
    });

    it('gives points as long as there are so many', async () => {
      expect(await limiter.take('a', 6, 60)).toMatchObject({ taken: true, spent: 6 });
      expect(await limiter.take('a', 4, 60)).toMatchObject({ taken: true, spent: 10 });
      expect(await limiter.take('a', 1, 60)).toMatchObject({ taken: false, spent: 10 });
    });

    it('does not count what it refuses', async () => {
      await limiter.take('a', 6, 60);
      expect(await limiter.take('a', 5, 60)).toMatchObject({ taken: false, spent: 6 });
      expect(await limiter.take('a', 4, 60)).toMatchObject({ taken: true, spent: 10 });
    });

    it('does not put off the end of the window for a refusal', async () => {
      await limiter.spend('a', 10, 5);
      const refused = await limiter.take('a', 1, 60);
      expect(refused.taken).toBe(false);
      expect(refused.left).toBeLessThanOrEqual(5_000);
    });

    it('refuses first what can never be had, and counts nothing for it', async () => {
      expect(await limiter.take('a', 11, 60)).toMatchObject({ taken: false, spent: 0 });
      expect(await limiter.take('a', 10, 60)).toMatchObject({ taken: true, spent: 10 });
    });

    it('gives no more than the limit to many who ask at once', async () => {
      const takings = await Promise.all(Array.from({ length: 40 }, (_, at) => limiter.take('a', 1 + (at % 3), 60)));
      const points = takings.map(({ taken }, at) => (taken ? 1 + (at % 3) : 0)).reduce((sum, cost) => sum + cost, 0);
      expect(points).toBe(10);
    });

    it('tells keys apart', async () => {
      await limiter.spend('a', 10, 60);
      expect(await limiter.take('b', 1, 60)).toMatchObject({ taken: true, spent: 1 });
      expect(await limiter.take('2001:db8::/64', 1, 60)).toMatchObject({ taken: true, spent: 1 });
      expect(await limiter.take('key:ünï @ x', 1, 60)).toMatchObject({ taken: true, spent: 1 });
    });

    it('tells windows apart', async () => {
      const other = create(windowOf());
      await limiter.spend('a', 10, 60);
      expect(await other.take('a', 1, 60)).toMatchObject({ taken: true, spent: 1 });
    });

    it('begins a window with the first points, as long as it is told, and forgets them at its end', async () => {
      const { left } = await limiter.spend('a', 10, 1);
      expect(left).toBeLessThanOrEqual(1_000);
      expect((await limiter.take('a', 1, 60)).taken).toBe(false);
      const taking = await eventually('the window to end', async () => {
        const asked = await limiter.take('a', 10, 60);
        return asked.taken ? asked : null;
      });
      expect(taking.spent).toBe(10);
      expect(taking.left).toBeGreaterThan(50_000);
    });
  });
}
