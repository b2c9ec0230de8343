import { describe, expect, it } from 'vitest';
import { type EndedRequest, EventBus, type ProxyRequest } from '../../../src/observe/events.js';
import { RateWindow } from '../../../src/observe/rate-window.js';
import { SampleWindow } from '../../../src/observe/sample-window.js';
import { Tracker } from '../../../src/observe/tracker.js';

const minute = 60_000;

function setUp() {
  let now = 1_000_000;
  const events = new EventBus((_name, error) => {
    throw error;
  });
  const tracker = new Tracker(() => now);
  const detach = tracker.attach(events);
  const begun = (vHost: string): ProxyRequest => ({
    id: 'id',
    req: { method: 'GET', url: '/', host: vHost, httpVersion: '1.1' },
    res: { statusCode: 0, bytesSent: 0 },
    startTime: 0,
    retries: 0,
    meta: { vHost, clientIp: '127.0.0.1' },
  });
  return {
    events,
    tracker,
    detach,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    start: (vHost: string) => events.emit('request.started', begun(vHost)),
    attempt: (vHost: string, backendId: string, first = true) => events.emit('attempt.started', { vHost, backendId, first }),
    complete: (vHost: string, durationMs = 10, more: Partial<EndedRequest> = {}) =>
      events.emit('request.completed', {
        ...begun(vHost),
        res: { statusCode: 200, bytesSent: 100 },
        durationMs,
        backendMs: durationMs / 2,
        attempts: 1,
        tunnel: false,
        ...more,
      }),
    fail: (vHost: string, code: 'queue-full' | 'backend-refused' | 'unknown-frontend', statusCode: number, attempts: number) =>
      events.emit('request.failed', {
        ...begun(vHost),
        res: { statusCode, bytesSent: 100 },
        durationMs: 1,
        backendMs: null,
        attempts,
        tunnel: false,
        error: { code, source: 'proxy', message: '' },
      }),
  };
}

describe('D.7 35: statistics of a frontend', () => {
  it('take the mean of the last 50 samples, and show these', () => {
    const { tracker, start, attempt, complete } = setUp();
    for (let one = 1; one <= 60; one++) {
      start('a.test');
      attempt('a.test', 'one');
      complete('a.test', one);
    }
    const stats = tracker.statsOf('a.test');
    expect(stats.latency).toEqual(Array.from({ length: 50 }, (_, at) => at + 11));
    expect(stats.latencyAvg).toBe(35.5);
    expect(stats.avgLatencyMs).toBe(35.5);
    expect(stats.latencyMs).toEqual({ p50: 30, p95: 57, p99: 60 });
  });

  it('count requests, hits, statuses and errors by code', () => {
    const { tracker, start, attempt, complete, fail } = setUp();
    start('a.test');
    attempt('a.test', 'one');
    complete('a.test');
    start('a.test');
    attempt('a.test', 'one');
    fail('a.test', 'backend-refused', 502, 1);
    expect(tracker.statsOf('a.test')).toMatchObject({
      requestsTotal: 2,
      requestsActive: 0,
      errorsTotal: 1,
      errors: { 'backend-refused': 1 },
      codes: { 200: 1, 502: 1 },
      hits: 2,
      misses: 0,
    });
  });

  it('count what the queue turns away as misses, and know how many wait and run, now and at most', () => {
    const { tracker, events, start, attempt, complete, fail } = setUp();
    for (let one = 0; one < 3; one++) start('a.test');
    attempt('a.test', 'one');
    events.emit('queue.changed', { vHost: 'a.test', waiting: 1 });
    fail('a.test', 'queue-full', 503, 0);
    expect(tracker.statsOf('a.test')).toMatchObject({ hits: 1, misses: 1, requestsActive: 2, activeLength: 1, queueLength: 1 });
    complete('a.test');
    events.emit('queue.changed', { vHost: 'a.test', waiting: 0 });
    attempt('a.test', 'one');
    complete('a.test');
    expect(tracker.statsOf('a.test')).toMatchObject({
      hits: 2,
      requestsActive: 0,
      activeLength: 0,
      activeLengthMax: 1,
      queueLength: 0,
      queueLengthMax: 1,
    });
  });

  it('count attempts by backend, retries among them', () => {
    const { tracker, events, start, attempt, complete } = setUp();
    start('a.test');
    attempt('a.test', 'one');
    events.emit('attempt.failed', { vHost: 'a.test', backendId: 'one', code: 'backend-refused' });
    events.emit('attempt.ended', { vHost: 'a.test', backendId: 'one' });
    attempt('a.test', 'two', false);
    expect(tracker.statsOf('a.test').backends.two).toMatchObject({ hits: 1, activeLength: 1 });
    events.emit('attempt.answered', { vHost: 'a.test', backendId: 'two', status: 201, milliseconds: 7 });
    events.emit('attempt.ended', { vHost: 'a.test', backendId: 'two' });
    complete('a.test');
    const { backends, hits, activeLengthMax } = tracker.statsOf('a.test');
    expect([hits, activeLengthMax]).toEqual([1, 1]);
    expect(backends.one).toMatchObject({ hits: 1, activeLength: 0, errorsTotal: 1, errors: { 'backend-refused': 1 }, codes: {} });
    expect(backends.two).toMatchObject({ hits: 1, activeLength: 0, activeLengthMax: 1, codes: { 201: 1 }, latencyAvg: 7 });
  });

  it('leave the time that a tunnel was open out of the latency', () => {
    const { tracker, start, attempt, complete } = setUp();
    start('a.test');
    attempt('a.test', 'one');
    complete('a.test', 3_600_000, { tunnel: true });
    expect(tracker.statsOf('a.test')).toMatchObject({ requestsTotal: 1, latency: [], latencyAvg: 0 });
  });

  it('are dropped after 15 minutes without a request, but not while one runs', () => {
    const { tracker, pass, start, attempt, complete } = setUp();
    start('idle.test');
    attempt('idle.test', 'one');
    complete('idle.test');
    start('long.test');
    pass(14 * minute);
    expect(Object.keys(tracker.stats().routes)).toEqual(['idle.test', 'long.test']);
    pass(2 * minute);
    expect(Object.keys(tracker.stats().routes)).toEqual(['long.test']);
    expect(tracker.stats().requestsTotal).toBe(1);
  });

  it('are zeros where nobody asked', () => {
    expect(setUp().tracker.statsOf('a.test')).toMatchObject({ requestsTotal: 0, requestsPerSec: 0, latencyAvg: 0, backends: {} });
  });

  it('sum up to those of the proxy, with the requests for nobody', () => {
    const { tracker, start, attempt, complete, fail } = setUp();
    for (const host of ['a.test', 'b.test']) {
      start(host);
      attempt(host, 'one');
      complete(host);
    }
    fail('', 'unknown-frontend', 400, 0);
    const { routes, ...all } = tracker.stats();
    expect(all).toMatchObject({
      requestsTotal: 3,
      requestsActive: 0,
      hits: 2,
      errors: { 'unknown-frontend': 1 },
      codes: { 200: 2, 400: 1 },
    });
    expect(Object.keys(routes)).toEqual(['a.test', 'b.test']);
  });

  it('end when the tracker is detached', () => {
    const { tracker, detach, events, start } = setUp();
    detach();
    expect(events.listens('request.started')).toBe(false);
    start('a.test');
    expect(tracker.stats().requestsActive).toBe(0);
  });
});

describe('a window of samples', () => {
  it('forgets the oldest', () => {
    const window = new SampleWindow(50);
    for (const sample of [...Array(50).fill(1000), ...Array(50).fill(1)]) window.record(sample as number);
    expect(window.percentiles()).toEqual({ p50: 1, p95: 1, p99: 1 });
    expect(window.mean()).toBe(1);
  });

  it('is zero when it is empty, and one sample is all its percentiles', () => {
    const window = new SampleWindow(50);
    expect([window.mean(), window.percentiles()]).toEqual([0, { p50: 0, p95: 0, p99: 0 }]);
    window.record(2.5);
    expect(window.percentiles()).toEqual({ p50: 2.5, p95: 2.5, p99: 2.5 });
  });
});

describe('a rate', () => {
  it('is the mean of the last ten seconds', () => {
    const rate = new RateWindow();
    for (let now = 5_000; now < 35_000; now += 100) rate.count(now);
    expect(rate.perSecond(35_000 - 1)).toBeCloseTo(10, 1);
  });

  it('is that of the time since the first event where that is shorter, and never of less than a second', () => {
    const rate = new RateWindow();
    for (let one = 0; one < 6; one++) rate.count(7_300);
    expect(rate.perSecond(7_300)).toBe(6);
    expect(rate.perSecond(9_300)).toBe(3);
  });

  it('falls to zero when nothing happens any more', () => {
    const rate = new RateWindow();
    expect(rate.perSecond(0)).toBe(0);
    rate.count(1_000);
    expect(rate.perSecond(60_000)).toBe(0);
    rate.count(60_100);
    expect(rate.perSecond(60_100)).toBeGreaterThan(0);
  });
});
