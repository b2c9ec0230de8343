import { describe, expect, it } from 'vitest';
import { Loads, looksAtLoads } from '../../../src/balancing/loads.js';
import { strategies } from '../../../src/config/strategy.js';
import { backends, routeOf } from './backends.js';

const list = backends(3);
const [a, b] = list as [(typeof list)[0], (typeof list)[0]];
const route = routeOf(list, { strategy: 'LEAST_LATENCY' });

function atTime() {
  const time = { now: 1_000 };
  const loads = new Loads('RANDOM', () => time.now);
  const latency = (id = a.id) => loads.of('example.com')?.get(id)?.latencyAt(time.now) ?? -1;
  const answered = (milliseconds: number, status = 200) => loads.answered(route, a, status, milliseconds);
  return { time, loads, latency, answered };
}

describe('what is in flight', () => {
  it('is counted from the start of an attempt to its end, by frontend and backend', () => {
    const { loads } = atTime();
    loads.started(route, a);
    loads.started(route, a);
    loads.started(route, b);
    loads.ended(route, a);
    const known = loads.of('example.com');
    expect([known?.get(a.id)?.inFlight, known?.get(b.id)?.inFlight]).toEqual([1, 1]);
    expect(loads.of('other.example.com')).toBeUndefined();
  });

  it('is never less than nothing', () => {
    const { loads } = atTime();
    loads.started(route, a);
    loads.ended(route, a);
    loads.ended(route, a);
    expect(loads.of('example.com')?.get(a.id)?.inFlight).toBe(0);
  });

  it.each(strategies)('is counted for %s only if that looks at it', (strategy) => {
    const loads = new Loads('RANDOM');
    loads.started(routeOf(list, { strategy }), a);
    expect(loads.size).toBe(looksAtLoads(strategy) ? 1 : 0);
    const standard = new Loads(strategy);
    standard.started(routeOf(list), a);
    expect(standard.size).toBe(looksAtLoads(strategy) ? 1 : 0);
  });

  it('stays by id when the list is read anew', () => {
    const { loads } = atTime();
    loads.started(route, a);
    const anew = backends(3);
    loads.ended(routeOf(anew, { strategy: 'LEAST_LATENCY' }), anew[0]!);
    expect(loads.of('example.com')?.get(a.id)?.inFlight).toBe(0);
  });
});

describe('latency (D.3 16)', () => {
  it('is unknown before the first answer', () => {
    const { loads, latency } = atTime();
    loads.started(route, a);
    expect(latency()).toBe(0);
  });

  it('jumps up to a slow answer at once', () => {
    const { loads, latency, answered } = atTime();
    loads.started(route, a);
    answered(5);
    answered(300);
    expect(latency()).toBe(300);
  });

  it('comes down by and by with fast answers', () => {
    const { time, loads, latency, answered } = atTime();
    loads.started(route, a);
    answered(300);
    answered(5);
    expect(latency()).toBeGreaterThan(290);
    for (let second = 0; second < 30; second++) {
      time.now += 1_000;
      answered(5);
    }
    expect(latency()).toBeGreaterThan(5);
    expect(latency()).toBeLessThan(25);
  });

  it('comes down with a burst of fast answers too, even if the clock stands still', () => {
    const { loads, latency, answered } = atTime();
    loads.started(route, a);
    answered(300);
    for (let one = 0; one < 1_000; one++) answered(5);
    expect(latency()).toBeLessThan(6);
  });

  it('fades when nothing is heard, so that a backend that was slow is asked again', () => {
    const { time, loads, latency, answered } = atTime();
    loads.started(route, a);
    answered(300);
    time.now += 10_000;
    expect(latency()).toBeCloseTo(300 / Math.E);
    time.now += 10 * 60_000;
    expect(latency()).toBe(0);
  });

  it('does not count a quick error for speed, but a slow one for slowness', () => {
    const { loads, latency, answered } = atTime();
    loads.started(route, a);
    answered(100);
    answered(1, 503);
    expect(latency()).toBe(100);
    answered(400, 502);
    expect(latency()).toBe(400);
  });

  it('counts a failure for a second at least', () => {
    const { loads, latency, answered } = atTime();
    loads.started(route, a);
    answered(5);
    loads.failed(route, a);
    expect(latency()).toBe(1_000);
  });

  it('of nothing at all is still a measure', () => {
    const { loads, latency, answered } = atTime();
    loads.started(route, a);
    answered(0);
    expect(latency()).toBeGreaterThan(0);
  });
});

describe('what is kept', () => {
  it('is forgotten when a backend was idle for ten minutes, not while it is busy', () => {
    const { time, loads } = atTime();
    loads.started(route, a);
    loads.started(route, b);
    loads.ended(route, b);
    time.now += 11 * 60_000;
    loads.sweep(time.now);
    expect([...(loads.of('example.com')?.keys() ?? [])]).toEqual([a.id]);
    loads.ended(route, a);
    time.now += 61_000;
    loads.sweep(time.now);
    expect(loads.size).toBe(0);
  });

  it('is kept while answers come', () => {
    const { time, loads, answered } = atTime();
    loads.started(route, a);
    loads.ended(route, a);
    for (let minute = 0; minute < 30; minute++) {
      time.now += 60_000;
      answered(1);
      loads.sweep(time.now);
    }
    expect(loads.size).toBe(1);
  });
});
