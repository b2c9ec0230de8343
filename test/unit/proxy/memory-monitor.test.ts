import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchMemory } from '../../../src/proxy/memory-monitor.js';

describe('the memory monitor', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('tells at every look that finds the process over the limit, and only then', () => {
    const told: number[] = [];
    let rss = 100;
    const monitor = watchMemory(100, (bytes) => told.push(bytes), { interval: 1000, read: () => rss });
    vi.advanceTimersByTime(1000);
    rss = 101;
    vi.advanceTimersByTime(2000);
    rss = 99;
    vi.advanceTimersByTime(1000);
    expect(told).toEqual([101, 101]);
    monitor.stop();
  });

  it('looks no more once it is stopped', () => {
    let looks = 0;
    const monitor = watchMemory(1, () => {}, { interval: 1000, read: () => ++looks });
    monitor.stop();
    vi.advanceTimersByTime(5000);
    expect(looks).toBe(0);
  });

  it('reads the resident memory of this process when nothing else is given', () => {
    const told: number[] = [];
    const monitor = watchMemory(1, (bytes) => told.push(bytes));
    vi.advanceTimersByTime(5000);
    monitor.stop();
    expect(told[0]).toBeGreaterThan(10_000_000);
  });
});
