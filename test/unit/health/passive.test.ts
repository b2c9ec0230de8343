import { describe, expect, it } from 'vitest';
import { classifyConnectError } from '../../../src/errors/classify.js';
import { ProxyError } from '../../../src/errors/proxy-error.js';
import { LocalMarks } from '../../../src/health/local-marks.js';
import { createPassiveHealth } from '../../../src/health/passive.js';
import { createMetrics } from '../../../src/observe/metrics.js';
import type { DeadMarkRequest } from '../../../src/store/store.js';
import { route } from './routes.js';

const rules = {
  deadOn500: false,
  deadOn503: 'without-retry-after',
  deadOn5xx: true,
  deadBackendOn500: true,
  deadBackendTTL: 30,
} as const;
const refused = () => classifyConnectError(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));

/** Passive health over a store whose answers the test gives. */
function setUp(changes: { hchecker?: boolean; ttl?: number } = {}) {
  const asked: DeadMarkRequest[] = [];
  const told: string[] = [];
  let answer: { resolve(): void; reject(error: Error): void } | null = null;
  const store = {
    markDead(mark: DeadMarkRequest): Promise<void> {
      asked.push(mark);
      return new Promise((resolve, reject) => {
        answer = { resolve, reject };
      });
    },
    revive: async () => {},
  };
  const log = { debug: () => {}, info: () => {}, warn: (text: string) => void told.push(text), error: () => {} };
  const marks = new LocalMarks();
  const metrics = createMetrics();
  const passive = createPassiveHealth({
    store,
    marks,
    trials: { running: () => false, decided: () => {} },
    hchecker: { active: changes.hchecker ?? false },
    rules: { ...rules, deadBackendTTL: changes.ttl ?? 30 },
    log,
    metrics,
  });
  return { asked, told, marks, metrics, passive, answer: () => answer! };
}

describe('passive health', () => {
  it('marks a backend that refused: here at once, in the store without waiting for it', async () => {
    const { asked, told, marks, metrics, passive, answer } = setUp();
    const two = route(2);
    passive.failed(two, two.backends[1]!, refused());
    expect(marks.has('example.com', two.backends[1]!.entry)).toBe(true);
    expect(asked).toEqual([
      { host: 'example.com', frontend: 'example.com', backend: two.backends[1], size: 2, ttl: 30, write: true },
    ]);
    expect(told).toEqual(['example.com: backend #1 is dead (ECONNREFUSED)']);
    expect(metrics.deadMarks).toBe(1);
    answer().resolve();
    await Promise.resolve();
    marks.changed('example.com');
    expect(marks.empty).toBe(true);
  });

  it('marks a backend by its answer', () => {
    const { asked, told, passive } = setUp();
    const two = route(2);
    passive.answered(two, two.backends[0]!, 200, false);
    passive.answered(two, two.backends[0]!, 500, false);
    passive.answered(two, two.backends[0]!, 503, true);
    expect(asked).toEqual([]);
    passive.answered(two, two.backends[0]!, 502, false);
    expect(asked).toHaveLength(1);
    expect(told).toEqual(['example.com: backend #0 is dead (HTTP error code 502)']);
  });

  it('marks a backend that was silent for too long', () => {
    const { asked, passive } = setUp();
    const two = route(2);
    passive.failed(two, two.backends[0]!, new ProxyError('backend-timeout'));
    expect(asked).toHaveLength(1);
  });

  it('neither marks nor publishes the only backend', () => {
    const { asked, marks, told, passive } = setUp();
    const one = route(1);
    passive.failed(one, one.backends[0]!, refused());
    passive.answered(one, one.backends[0]!, 502, false);
    expect(asked).toEqual([]);
    expect(marks.empty).toBe(true);
    expect(told).toEqual([]);
  });

  it('marks once what many requests meet at the same time', () => {
    const { asked, passive } = setUp();
    const two = route(2);
    for (let at = 0; at < 50; at++) passive.failed(two, two.backends[1]!, refused());
    expect(asked).toHaveLength(1);
  });

  it('keeps the mark here while the store is away', async () => {
    const { marks, told, passive, answer } = setUp();
    const two = route(2);
    passive.failed(two, two.backends[1]!, refused());
    answer().reject(new Error('Redis is away'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(marks.has('example.com', two.backends[1]!.entry)).toBe(true);
    expect(told[1]).toBe('example.com: the mark of backend #1 stays in this worker alone');
  });

  it('with a mark that lasts no time publishes only', () => {
    const { asked, marks, passive } = setUp({ ttl: 0 });
    const two = route(2);
    passive.failed(two, two.backends[1]!, refused());
    expect(asked[0]?.write).toBe(false);
    expect(marks.empty).toBe(true);
  });
});

describe('beside an active hchecker', () => {
  it('passive health publishes and leaves the marking to it', () => {
    const { asked, marks, metrics, passive } = setUp({ hchecker: true });
    const two = route(2);
    passive.failed(two, two.backends[1]!, refused());
    expect(asked[0]?.write).toBe(false);
    expect(marks.empty).toBe(true);
    expect(metrics.deadMarks).toBe(0);
  });

  it('a wildcard is still marked here, since hchecker never checks one', () => {
    const { asked, marks, passive } = setUp({ hchecker: true });
    const wild = route(2, { host: 'a.wild.tld', frontend: '*.wild.tld' });
    passive.failed(wild, wild.backends[1]!, refused());
    expect(asked[0]).toMatchObject({ host: 'a.wild.tld', frontend: '*.wild.tld', write: true });
    expect(marks.empty).toBe(false);
  });

  it.each(['http://10.0.0.1:80/', 'http://10.0.0.1:80#id=a', '10.0.0.1:80', 'unix:/run/app.sock'])(
    'the entry %s is still marked here, since hchecker passes it over',
    (entry) => {
      const { asked, passive } = setUp({ hchecker: true });
      const two = route(2, {}, ['http://10.0.0.0:80', entry]);
      passive.failed(two, two.backends[1]!, refused());
      expect(asked[0]?.write).toBe(true);
    },
  );
});
