import { describe, expect, it } from 'vitest';
import { LatencyCounts } from '../../../src/observe/latency-counts.js';
import { seeded } from '../../helpers/seeded.js';

describe('counts of latencies', () => {
  it('gives percentiles that are right to six percent, from microseconds to minutes', () => {
    const random = seeded(20_261_129);
    const values = Array.from({ length: 5000 }, () => 0.05 * 10 ** (6 * random()));
    const counts = new LatencyCounts();
    for (const value of values) counts.record(value);
    values.sort((one, other) => one - other);
    for (const share of [0.01, 0.5, 0.95, 0.99, 1]) {
      const exact = values[Math.ceil(values.length * share) - 1] as number;
      expect(Math.abs(counts.percentile(share) / exact - 1)).toBeLessThan(0.065);
    }
    expect(counts.mean()).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 0);
  });

  it('gives of several together what one would have given of all', () => {
    const random = seeded(7);
    const all = new LatencyCounts();
    const parts = [new LatencyCounts(), new LatencyCounts(), new LatencyCounts()];
    for (let at = 0; at < 3000; at++) {
      // Each part has latencies of its own: an average of their percentiles would be far off.
      const value = 10 ** (at % 3) * (1 + random());
      all.record(value);
      parts[at % 3]?.record(value);
    }
    const merged = new LatencyCounts();
    for (const part of parts) merged.add(part);
    for (const share of [0.1, 0.5, 0.9, 0.99]) expect(merged.percentile(share)).toBe(all.percentile(share));
    expect(merged.count).toBe(3000);
    expect(merged.sum).toBe(all.sum);
  });

  it('takes what is no duration as none, and the longest as half an hour', () => {
    const counts = new LatencyCounts();
    for (const value of [Number.NaN, -5, Number.POSITIVE_INFINITY]) counts.record(value);
    expect(counts.count).toBe(3);
    expect(counts.percentile(0.5)).toBeLessThan(0.01);
    expect(counts.percentile(1) / 60_000).toBeGreaterThan(30);
  });

  it('tells how many did not exceed some bounds', () => {
    const counts = new LatencyCounts();
    for (const value of [0.5, 4, 4, 30, 200, 20_000]) counts.record(value);
    expect(counts.upTo([0.001, 0.005, 0.05, 1, 10])).toEqual([1, 3, 4, 5, 5]);
  });

  it('holds only the buckets that are in use', () => {
    const counts = new LatencyCounts();
    for (let at = 0; at < 1000; at++) counts.record(1 + at / 1000);
    expect(counts.buckets.length).toBeLessThan(20);
    counts.clear();
    expect(counts.percentile(0.5)).toBe(0);
  });
});
