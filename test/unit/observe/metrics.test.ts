import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../../src/observe/histogram.js';
import { createMetrics } from '../../../src/observe/metrics.js';

describe('a histogram', () => {
  it('without values has percentiles of zero', () => {
    expect(new Histogram().percentile(0.99)).toBe(0);
  });

  it('tells percentiles to about three percent', () => {
    const histogram = new Histogram();
    for (let ms = 1; ms <= 1000; ms++) histogram.record(ms);
    for (const share of [0.01, 0.5, 0.9, 0.99, 1]) {
      expect(Math.abs(histogram.percentile(share) / (share * 1000) - 1)).toBeLessThan(0.035);
    }
    expect(histogram.count).toBe(1000);
    expect(histogram.sum).toBe(500_500);
    expect(histogram.max).toBe(1000);
  });

  it('tells a single value of any size to three percent, and never more than the longest', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 2_000_000, noNaN: true }), (ms) => {
        const histogram = new Histogram();
        histogram.record(ms);
        const told = histogram.percentile(0.5);
        expect(told).toBeLessThanOrEqual(ms);
        expect(Math.abs(told - ms)).toBeLessThan(Math.max(ms * 0.032, 0.001));
      }),
    );
  });

  it('takes values that no clock should give', () => {
    const histogram = new Histogram();
    for (const ms of [-1, Number.NaN, 0, Number.POSITIVE_INFINITY, 1e12]) histogram.record(ms);
    expect(histogram.count).toBe(5);
    expect(histogram.percentile(0.1)).toBe(0);
    expect(histogram.percentile(1)).toBeGreaterThan(2_000_000);
  });
});

describe('metrics', () => {
  it('count answers by class, bytes and latencies', () => {
    const metrics = createMetrics();
    metrics.finished(200, 5, 3, 100);
    metrics.finished(204, 5, 3, 50);
    metrics.finished(502, 7, -1, 10);
    metrics.finished(0, 7, -1, 0);
    metrics.finished(999, 7, -1, 0);
    expect(metrics.statuses).toEqual([2, 0, 2, 0, 0, 1]);
    expect(metrics.bytesOut).toBe(160);
    expect(metrics.total.count).toBe(5);
    expect(metrics.backend.count).toBe(2);
  });

  it('count errors by code', () => {
    const metrics = createMetrics();
    metrics.failed('backend-refused');
    metrics.failed('backend-refused');
    metrics.failed('no-host');
    expect([...metrics.errors]).toEqual([
      ['backend-refused', 2],
      ['no-host', 1],
    ]);
  });
});
