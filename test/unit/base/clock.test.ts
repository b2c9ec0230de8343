import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
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

  it('lets what has come be read first when it was late itself: the process stood still', async () => {
    const seen: string[] = [];
    const { port1, port2 } = new MessageChannel();
    const read = new Promise<void>((resolve) =>
      port2.once('message', () => {
        seen.push('read');
        resolve();
      }),
    );
    clock.start();
    const swept = new Promise<void>((resolve) =>
      clock.add({
        sweep: () => {
          seen.push('swept');
          resolve();
        },
      }),
    );
    port1.postMessage('what came meanwhile');
    const until = performance.now() + 100;
    while (performance.now() < until);
    await Promise.all([read, swept]);
    port1.close();
    expect(seen.slice(0, 2)).toEqual(['read', 'swept']);
  });

  it('ticks by itself once it is started', async () => {
    const swept = new Promise<number>((resolve) => clock.add({ sweep: resolve }));
    clock.start();
    clock.start();
    expect(await swept).toBeGreaterThan(0);
  });
});
