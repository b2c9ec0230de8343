import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { CoarseClock } from '../../../src/base/clock.js';

describe('the coarse clock', () => {
  const clock = new CoarseClock(5);
  afterEach(() => clock.stop());

  it('stands still between ticks and is moved by a tick', () => {
    clock.tick(1000, 5_000_000);
    expect(clock.now).toBe(1000);
    expect(clock.wall).toBe(5_000_000);
    clock.tick(1250, 5_000_250);
    expect(clock.now).toBe(1250);
  });

  it('begins on the scale of performance.now()', () => {
    const before = performance.now();
    const fresh = new CoarseClock();
    expect(fresh.now).toBeGreaterThanOrEqual(before);
    expect(fresh.now).toBeLessThanOrEqual(performance.now());
  });

  it('sweeps what was added, until it is removed', () => {
    const seen: number[] = [];
    const sweepable = { sweep: (now: number) => void seen.push(now) };
    clock.add(sweepable);
    clock.tick(1);
    clock.remove(sweepable);
    clock.tick(2);
    expect(seen).toEqual([1]);
  });

  it('allows a sweep to add and remove', () => {
    const seen: string[] = [];
    const second = { sweep: () => void seen.push('second') };
    const first = {
      sweep: () => {
        seen.push('first');
        clock.remove(first);
        clock.add(second);
      },
    };
    clock.add(first);
    clock.tick();
    clock.tick();
    clock.remove(second);
    expect(seen).toEqual(['first', 'second']);
  });

  it('stands still while its process does, and makes up for it by a tenth', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    let time = 1_000;
    const own = new CoarseClock(250, () => time);
    onTestFinished(() => own.stop());
    const pass = (milliseconds: number) => {
      time += milliseconds;
      vi.advanceTimersByTime(250);
    };
    own.start();
    pass(250);
    expect(own.now).toBe(1_250);
    // A little late is late and no more.
    pass(400);
    expect(own.now).toBe(1_650);
    pass(3_000);
    expect(own.now).toBe(1_900);
    pass(250);
    expect(own.now).toBe(2_175);
    for (let at = 0; at < 110; at++) pass(250);
    expect(own.now).toBe(time);
  });

  it('ticks by itself once it is started', async () => {
    const swept = new Promise<number>((resolve) => clock.add({ sweep: resolve }));
    clock.start();
    clock.start();
    expect(await swept).toBeGreaterThan(0);
  });
});
