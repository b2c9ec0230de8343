import { describe, expect, it } from 'vitest';
import { reasonsNotReady } from '../../../src/proxy/readiness.js';
import { sumUp, type WorkerStatus } from '../../../src/proxy/worker-status.js';

const serving = { phase: 'serving', serving: 2, wanted: 2 } as const;
const live = { state: 'live', reached: true } as const;

describe('a node', () => {
  it('is ready while it serves, reloads, or has lost a store that it had', () => {
    expect(reasonsNotReady({ node: serving, store: live })).toEqual([]);
    expect(reasonsNotReady({ node: { ...serving, phase: 'reloading' }, store: live })).toEqual([]);
    expect(reasonsNotReady({ node: serving, store: { state: 'away', reached: true } })).toEqual([]);
    expect(reasonsNotReady({ node: { ...serving, serving: 1 }, store: live })).toEqual([]);
  });

  it('gives every reason why it is not', () => {
    expect(reasonsNotReady({ node: serving, store: live, drained: true })).toEqual([
      'somebody has taken the node out (`cjs-proxy node alive` gives it back)',
    ]);
    expect(reasonsNotReady({ node: null, store: null })).toEqual(['the node is starting']);
    const stopping = { phase: 'stopping', serving: 0, wanted: 2 } as const;
    expect(reasonsNotReady({ node: stopping, store: { state: 'away', reached: false } })).toEqual([
      'the node is stopping: it finishes what it has',
      'none of 2 workers serves',
      'Redis was never reached since the start',
    ]);
  });
});

describe('an overload', () => {
  it('is a reason once it lasts', () => {
    const facts = { node: { phase: 'serving', serving: 1, wanted: 1 }, store: { state: 'live', reached: true } } as const;
    expect(reasonsNotReady({ ...facts, overloaded: false })).toEqual([]);
    expect(reasonsNotReady({ ...facts, overloaded: true })).toEqual(['the node has had more to do than it can for a while']);
  });
});

describe('what several workers tell', () => {
  const status: WorkerStatus = { active: 1, connections: 2, store: 'live', reached: true, staleness: 0, revision: 7 };

  it('is the sum of what they do and the worst of what they know', () => {
    const other: WorkerStatus = { active: 3, connections: 4, store: 'away', reached: false, staleness: 900, revision: 5 };
    expect(sumUp([status, other])).toEqual({ active: 4, connections: 6, revision: 5, staleness: 900, reached: false });
  });

  it('is nothing where none tells anything', () => {
    expect(sumUp([])).toEqual({ active: 0, connections: 0, revision: 0, staleness: 0, reached: false });
  });
});
