// When a node writes what its workers have told: once for all of them, by one after the other, and nothing is lost where a write fails.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NodeCounts } from '../../../src/observe/node-counts.js';
import { fieldsOf, placeOf } from '../../../src/observe/node-record.js';
import { RouteCounts } from '../../../src/observe/route-counts.js';
import { Tally } from '../../../src/observe/tally.js';
import { ToldCounts } from '../../../src/observe/told-counts.js';
import { Publication } from '../../../src/proxy/publication.js';
import type { StatsOrder } from '../../../src/proxy/stats-order.js';

const place = fieldsOf(placeOf('a.example'));
let totals: NodeCounts;
let told: ToldCounts;
let tally: Tally;
let orders: { source: number; order: StatsOrder }[];
let publication: Publication;

beforeEach(() => {
  vi.useFakeTimers();
  totals = new NodeCounts();
  told = new ToldCounts([totals.merged]);
  tally = new Tally();
  orders = [];
  let turn = 0;
  publication = new Publication({
    totals,
    boot: 'boot',
    send: (source, order) => orders.push({ source, order }),
    telling: () => 2,
    writer: () => [11, 12][turn++ % 2] ?? null,
  });
  // The record of an earlier run is looked for first, and what there may be of another version is removed.
  tell(1, 2);
  publication.answered({ kind: 'read', base: null });
  publication.answered({ kind: 'written', before: '' });
  orders.length = 0;
});

afterEach(() => {
  publication.close();
  vi.useRealTimers();
});

/** A request is counted, and these workers tell. */
function tell(...sources: readonly number[]): void {
  tally.frontend(new RouteCounts(), 'a.example').requests++;
  told.hear(1, tally.collect());
  for (const source of sources) publication.heard(source);
}

function written(): ReadonlyMap<string, Buffer> {
  const { order } = orders.at(-1) ?? {};
  if (order?.kind !== 'write') throw new Error('nothing was written');
  return order.fields;
}

describe('a publication', () => {
  it('begins as soon as all workers have told', () => {
    tell(1);
    expect(orders).toHaveLength(0);
    tell(2);
    expect(orders).toHaveLength(1);
    expect([...written().keys()]).toContain(place.numbers);
  });

  it('does not wait for a worker that is hung for longer than a quarter of a second', () => {
    tell(1);
    vi.advanceTimersByTime(249);
    expect(orders).toHaveLength(0);
    vi.advanceTimersByTime(1);
    expect(orders).toHaveLength(1);
    vi.advanceTimersByTime(10_000);
    expect(orders).toHaveLength(1);
  });

  it('is written by one worker after the other, each when the one before has answered', () => {
    for (let second = 0; second < 3; second++) {
      tell(1, 2);
      tell(1, 2);
      publication.answered({ kind: 'written', before: 'boot' });
    }
    expect(new Set(orders.map(({ source }) => source))).toEqual(new Set([11, 12]));
    expect(orders).toHaveLength(3);
  });

  it('that failed is part of the next one, also where its writer is gone', () => {
    tell(1, 2);
    publication.answered({ kind: 'failed' });
    publication.heard(1);
    publication.heard(2);
    expect([...written().keys()]).toContain(place.numbers);
    publication.gone(orders.at(-1)?.source ?? 0);
    publication.heard(1);
    publication.heard(2);
    expect(orders).toHaveLength(3);
    expect([...written().keys()]).toContain(place.numbers);
  });

  it('is whole again once the store has lost the record', () => {
    tell(1, 2);
    publication.answered({ kind: 'written', before: 'boot' });
    tell(1, 2);
    expect(written().has(place.names)).toBe(false);
    publication.answered({ kind: 'written', before: '' });
    tell(1, 2);
    expect([...written().keys()].sort()).toEqual(expect.arrayContaining([place.names, place.numbers, place.latencies]));
  });

  it('of a worker that leaves is written by it, with everything', () => {
    tell();
    publication.leaves(2);
    expect(orders.map(({ source }) => source)).toEqual([2]);
    expect([...written().keys()]).toEqual([place.numbers, place.latencies]);
  });
});
