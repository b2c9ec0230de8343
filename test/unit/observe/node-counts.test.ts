import { describe, expect, it } from 'vitest';
import { FleetCounts } from '../../../src/observe/fleet-counts.js';
import { noFrontend, otherFrontends } from '../../../src/observe/frontend-counts.js';
import { NodeCounts } from '../../../src/observe/node-counts.js';
import { fieldsOf, placeOf } from '../../../src/observe/node-record.js';
import { RouteCounts } from '../../../src/observe/route-counts.js';
import { SeriesCounts } from '../../../src/observe/series-counts.js';
import { Tally } from '../../../src/observe/tally.js';
import { ToldCounts } from '../../../src/observe/told-counts.js';

/** A worker: counts exchanges as the pipeline does. */
class Worker {
  readonly tally = new Tally();
  readonly #held = new Map<string, RouteCounts>();

  begin(name: string, id = 'one'): () => void {
    let held = this.#held.get(name);
    if (held === undefined) {
      held = new RouteCounts();
      this.#held.set(name, held);
    }
    const counts = this.tally.frontend(held, name);
    const backend = held.backend(counts, 0, id);
    counts.begins();
    counts.forwarded();
    backend.begins();
    return () => {
      counts.active--;
      counts.running--;
      counts.requests++;
      counts.codes.add(200, 1);
      counts.latency.record(10);
      backend.active--;
      backend.attempts++;
      backend.codes.add(200, 1);
    };
  }

  serve(name: string, times = 1): void {
    for (let at = 0; at < times; at++) this.begin(name)();
  }
}

/** A node that keeps one sum of what its workers tell. */
class Node {
  readonly counts: NodeCounts;
  readonly #told: ToldCounts;

  constructor(now?: () => number) {
    this.counts = new NodeCounts(now);
    this.#told = new ToldCounts([this.counts.merged]);
  }

  hear(source: number, worker: Worker): void {
    this.#told.hear(source, worker.tally.collect());
  }

  lose(source: number): void {
    this.#told.lose(source);
  }
}

/** What the store would hold after some publications. */
class Record {
  readonly fields = new Map<string, Buffer>();

  take(taken: ReadonlyMap<string, Buffer>): void {
    for (const [name, value] of taken) {
      if (value.length === 0) this.fields.delete(name);
      else this.fields.set(name, value);
    }
  }

  show(name: string, alive = true, at = Date.now()) {
    const fleet = new FleetCounts(name);
    fleet.add({ fields: this.fields, at, alive });
    return fleet.frontend(name);
  }
}

describe('what workers tell their node', () => {
  it('is added up, and only what has changed is told', () => {
    const [one, two] = [new Worker(), new Worker()];
    const node = new Node();
    one.serve('a.example', 3);
    two.serve('a.example', 2);
    two.serve('b.example');
    node.hear(1, one);
    node.hear(2, two);
    expect(one.tally.collect()).toHaveLength(0);
    const record = new Record();
    record.take(node.counts.takeChanged());
    expect(record.show('a.example')).toMatchObject({
      requestsTotal: 5,
      hits: 5,
      requestsActive: 0,
      codes: { 200: 5 },
      classes: { '2xx': 5 },
      backends: { one: { hits: 5, codes: { 200: 5 } } },
    });
    expect(node.counts.takeChanged().size).toBe(0);
    one.serve('b.example');
    node.hear(1, one);
    const changed = node.counts.takeChanged();
    const { numbers, latencies } = fieldsOf(placeOf('b.example'));
    expect([...changed.keys()]).toEqual([numbers, latencies]);
    record.take(changed);
    expect(record.show('b.example')?.requestsTotal).toBe(2);
    expect(record.show('c.example')).toBeNull();
  });

  it('stays when a worker is lost, apart from what it had running', () => {
    const [one, two] = [new Worker(), new Worker()];
    const node = new Node();
    const record = new Record();
    one.serve('a.example', 3);
    one.begin('a.example');
    one.begin('a.example');
    const end = two.begin('a.example');
    node.hear(1, one);
    node.hear(2, two);
    record.take(node.counts.takeChanged());
    expect(record.show('a.example')).toMatchObject({
      requestsActive: 3,
      activeLength: 3,
      backends: { one: { activeLength: 3 } },
    });
    node.lose(1);
    record.take(node.counts.takeChanged());
    expect(record.show('a.example')).toMatchObject({
      requestsTotal: 3,
      requestsActive: 1,
      activeLength: 1,
      activeLengthMax: 3,
      backends: { one: { activeLength: 1 } },
    });
    end();
    node.hear(2, two);
    record.take(node.counts.takeChanged());
    expect(record.show('a.example')).toMatchObject({
      requestsTotal: 4,
      requestsActive: 0,
      backends: { one: { activeLength: 0 } },
    });
  });

  it('goes on from where an earlier run of the node has left it', () => {
    const record = new Record();
    const worker = new Worker();
    worker.serve('a.example', 3);
    worker.begin('a.example');
    const before = new Node();
    before.hear(1, worker);
    record.take(before.counts.takeChanged());

    const after = new Node();
    const other = new Worker();
    other.serve('a.example');
    after.hear(1, other);
    after.counts.goOnFrom(record.fields);
    record.take(after.counts.takeChanged());
    expect(record.show('a.example')).toMatchObject({
      requestsTotal: 4,
      requestsActive: 0,
      backends: { one: { activeLength: 0 } },
    });
  });

  it('survives that a route is compiled anew, and that nobody asks for a while', () => {
    const tally = new Tally();
    const first = tally.frontend(new RouteCounts(), 'a.example');
    const held = new RouteCounts();
    expect(tally.frontend(held, 'a.example')).toBe(first);
    const backend = held.backend(first, 0, 'one');
    for (let second = 0; second < 200; second++) tally.collect();
    expect(first.dropped).toBe(true);
    expect(tally.size).toBe(1);
    const again = tally.frontend(held, 'a.example');
    expect(again).not.toBe(first);
    expect(held.backend(again, 0, 'one')).not.toBe(backend);
  });

  it('never lets go of a frontend that has something running', () => {
    const worker = new Worker();
    const node = new Node();
    const end = worker.begin('a.example');
    node.hear(1, worker);
    for (let second = 0; second < 200; second++) worker.tally.collect();
    end();
    node.hear(1, worker);
    const record = new Record();
    record.take(node.counts.takeChanged());
    expect(record.show('a.example')).toMatchObject({ requestsTotal: 1, requestsActive: 0 });
  });

  it('is bounded: those that were asked for least lately are counted together, and nothing is lost from the sum', () => {
    let now = 0;
    const node = new Node(() => now);
    const worker = new Worker();
    for (let at = 0; at < 25_000; at++) {
      worker.serve(`h${at}.example`);
      // Who is quiet for a minute makes room in the worker.
      for (let second = 0; at % 5000 === 4999 && second < 61; second++) {
        node.hear(1, worker);
        now += 1000;
      }
    }
    expect(node.counts.frontends.size).toBeLessThanOrEqual(12_001);
    expect(worker.tally.size).toBeLessThanOrEqual(12_001);
    const record = new Record();
    record.take(node.counts.takeChanged(true));
    const fleet = new FleetCounts();
    fleet.add({ fields: record.fields, at: now, alive: true });
    const all = fleet.all();
    expect(all.requestsTotal).toBe(25_000);
    expect(all.routes[otherFrontends]?.requestsTotal).toBeGreaterThan(0);
    expect(all.routes['h24999.example']?.requestsTotal).toBe(1);
    expect(all.routes['h0.example']).toBeUndefined();
  });

  it('pushes nobody out of a worker for a newcomer, who is counted with the others', () => {
    const node = new Node();
    const worker = new Worker();
    for (let at = 0; at < 12_500; at++) worker.serve(`h${at}.example`);
    node.hear(1, worker);
    worker.serve('h0.example');
    worker.serve('late.example');
    node.hear(1, worker);
    const record = new Record();
    record.take(node.counts.takeChanged(true));
    expect(record.show('h0.example')?.requestsTotal).toBe(2);
    expect(record.show('late.example')).toBeNull();
    expect(record.show(otherFrontends)?.requestsTotal).toBe(502);
  });

  it('tells the backends of a frontend apart up to a bound', () => {
    const worker = new Worker();
    for (let at = 0; at < 300; at++) worker.tally.frontend(new RouteCounts(), 'a.example').backend(`b${at}`).attempts++;
    const node = new Node();
    node.hear(1, worker);
    expect(node.counts.frontends.get('a.example')?.backends.size).toBe(201);
  });
});

describe('a publication of very many frontends', () => {
  const names = Array.from({ length: 7_000 }, (_, at) => `h${at}.example`);

  /** All of them are asked for each second, and some of what has changed is written. */
  class Busy {
    now = 1_000_000_000_000;
    readonly node = new Node(() => this.now);
    readonly worker = new Worker();
    readonly record = new Record();

    second(asked: readonly string[] = names, times = 1): number {
      this.now += 1000;
      for (const name of asked) this.worker.serve(name, times);
      this.node.hear(1, this.worker);
      const taken = this.node.counts.takeChanged();
      this.record.take(taken);
      return taken.size;
    }

    totals(): number[] {
      const fleet = new FleetCounts();
      fleet.add({ fields: this.record.fields, at: this.now, alive: true });
      const { routes } = fleet.all();
      return names.map((name) => routes[name]?.requestsTotal ?? 0);
    }
  }

  it('is of some of them each second, and none waits for more than a round', () => {
    const busy = new Busy();
    let behind = 0;
    for (let second = 1; second <= 8; second++) {
      busy.second();
      const totals = busy.totals();
      expect(Math.max(...totals)).toBe(second);
      behind = Math.max(behind, second - Math.min(...totals));
    }
    // 14,000 rows in parts of 6,000: places are written whole.
    expect(behind).toBe(2);
  });

  it('has all of them when it is the last, or when the store has lost what it had', () => {
    const busy = new Busy();
    for (let second = 0; second < 3; second++) busy.second();
    busy.record.take(busy.node.counts.takeChanged(true));
    expect(new Set(busy.totals())).toEqual(new Set([3]));
    busy.record.fields.clear();
    busy.node.counts.everythingChanged();
    busy.second();
    expect(new Set(busy.totals())).toEqual(new Set([4]));
  });

  it('has those first that have waited longest when a few are asked for after all were', () => {
    const busy = new Busy();
    busy.second();
    let calls = 1;
    while (busy.second(names.slice(0, 1)) > 2 && calls < 8) calls++;
    expect(calls).toBeLessThan(8);
    expect(busy.totals().slice(1)).toEqual(names.slice(1).map(() => 1));
    expect(busy.totals()[0]).toBe(calls + 1);
  });

  it('tells the rate of those that wait as it was when they were written', () => {
    const busy = new Busy();
    for (let second = 0; second < 21; second++) busy.second(names, 2);
    for (let second = 0; second < 4; second++) {
      busy.second(names, 2);
      for (const name of ['h0.example', 'h1.example', 'h6999.example']) {
        expect(busy.record.show(name, true, busy.now)?.requestsPerSec).toBeCloseTo(2, 0);
      }
    }
    // None is asked for any more.
    for (let second = 0; second < 23; second++) busy.second([]);
    for (const name of names.slice(0, 20)) expect(busy.record.show(name, true, busy.now)?.requestsPerSec).toBe(0);
  });
});

describe('latencies', () => {
  it('are written with the numbers, and names only where they change', () => {
    const node = new Node();
    const worker = new Worker();
    worker.serve('a.example');
    node.hear(1, worker);
    const { names, numbers, latencies } = fieldsOf(placeOf('a.example'));
    expect([...node.counts.takeChanged().keys()]).toEqual([names, numbers, latencies]);
    worker.serve('a.example');
    node.hear(1, worker);
    expect([...node.counts.takeChanged().keys()]).toEqual([numbers, latencies]);
    expect(node.counts.takeChanged().size).toBe(0);
  });

  it('and numbers are of the backends that were named with them', () => {
    const node = new Node();
    const worker = new Worker();
    const record = new Record();
    worker.serve('a.example');
    node.hear(1, worker);
    record.take(node.counts.takeChanged());
    worker.begin('a.example', 'one')();
    const counts = worker.tally.frontend(new RouteCounts(), 'a.example');
    counts.backend('two').attempts++;
    node.hear(1, worker);
    const taken = node.counts.takeChanged();
    expect(taken.size).toBe(3);
    record.take(taken);
    expect(record.show('a.example')?.backends).toMatchObject({ one: { hits: 2 }, two: { hits: 1 } });
  });
});

describe('a name', () => {
  it('is told once, and again after its frontend was let go of', () => {
    const worker = new Worker();
    worker.serve('a-rather-long-name.example');
    const first = Buffer.from(worker.tally.collect());
    worker.serve('a-rather-long-name.example');
    const second = Buffer.from(worker.tally.collect());
    expect(first.toString('latin1')).toContain('a-rather-long-name.example');
    expect(second.toString('latin1')).not.toContain('a-rather-long-name.example');
    for (let seconds = 0; seconds < 200; seconds++) worker.tally.collect();
    worker.serve('b.example');
    worker.serve('a-rather-long-name.example');
    const node = new NodeCounts();
    const told = new ToldCounts([node.merged]);
    for (const bytes of [first, second, worker.tally.collect()]) told.hear(1, bytes);
    expect(node.frontends.get('a-rather-long-name.example')?.requests).toBe(3);
    expect(node.frontends.get('b.example')?.requests).toBe(1);
  });

  it('that was never told is no reason to count anything', () => {
    const worker = new Worker();
    worker.serve('a.example');
    worker.tally.collect();
    worker.serve('a.example');
    const node = new NodeCounts();
    const told = new ToldCounts([node.merged]);
    expect(() => told.hear(1, worker.tally.collect())).toThrow('a frontend has no name');
    expect(node.frontends.size).toBe(0);
  });

  it('leads to a place of its own as soon as there is one, with all that runs', () => {
    let now = 0;
    const series = new SeriesCounts(2, () => now);
    const told = new ToldCounts([series.merged]);
    const worker = new Worker();
    worker.serve('a.example');
    worker.serve('c.example');
    const end = worker.begin('b.example');
    told.hear(1, worker.tally.collect());
    expect(series.frontends.get(otherFrontends)).toMatchObject({ requests: 0, running: 1 });
    now += 2 * 3600_000;
    series.sweep();
    end();
    worker.begin('b.example');
    told.hear(1, worker.tally.collect());
    expect(series.frontends.has('a.example')).toBe(false);
    expect(series.frontends.get('b.example')).toMatchObject({ requests: 1, running: 1 });
    expect(series.frontends.get('b.example')?.backends.get('one')).toMatchObject({ attempts: 1, active: 1 });
    expect(series.frontends.get(otherFrontends)).toMatchObject({ requests: 0, running: 0 });
    told.lose(1);
    expect(series.frontends.get('b.example')).toMatchObject({ requests: 1, running: 0 });
    expect(series.frontends.get('b.example')?.backends.get('one')).toMatchObject({ attempts: 1, active: 0 });
  });
});

describe('the fleet', () => {
  it('adds up nodes: percentiles from all latencies, the rate of those that live, and nothing running on those that are gone', () => {
    const now = Date.now();
    const records = [1, 100].map((milliseconds) => {
      const worker = new Worker();
      const counts = worker.tally.frontend(new RouteCounts(), 'a.example');
      for (let at = 0; at < 100; at++) {
        counts.requests++;
        counts.codes.add(at === 0 ? 502 : 200, 1);
        counts.latency.record(milliseconds);
      }
      counts.errors.add('rate-limited', 2);
      counts.errors.add('queue-full', 1);
      counts.begins();
      const node = new Node(() => now);
      node.hear(1, worker);
      const record = new Record();
      record.take(node.counts.takeChanged());
      return record;
    });
    const fleet = new FleetCounts();
    fleet.add({ fields: records[0]?.fields ?? new Map(), at: now, alive: true });
    fleet.add({ fields: records[1]?.fields ?? new Map(), at: now, alive: false });
    const shown = fleet.all().routes['a.example'];
    expect(shown).toMatchObject({
      requestsTotal: 200,
      requestsActive: 1,
      requestsPerSec: 10,
      classes: { '2xx': 198, '5xx': 2 },
      errorsTotal: 6,
      limitedTotal: 4,
      misses: 2,
    });
    expect(shown?.latencyMs.p50).toBeLessThan(1.1);
    expect(shown?.latencyMs.p95).toBeGreaterThan(90);
    expect(shown?.avgLatencyMs).toBeCloseTo(50.5);
  });

  it('counts requests without a frontend in the sum of all, and shows them as no frontend', () => {
    const worker = new Worker();
    worker.tally.none.requests++;
    worker.serve('a.example');
    const node = new Node();
    node.hear(1, worker);
    const record = new Record();
    record.take(node.counts.takeChanged());
    const fleet = new FleetCounts();
    fleet.add({ fields: record.fields, at: Date.now(), alive: true });
    const all = fleet.all();
    expect(all.requestsTotal).toBe(2);
    expect(Object.keys(all.routes)).toEqual(['a.example']);
    expect(all.routes).not.toHaveProperty(noFrontend);
  });

  it('leaves out a field that it cannot understand', () => {
    const fleet = new FleetCounts();
    fleet.add({
      fields: new Map(['3', '3.names', '3.latencies'].map((name, at) => [name, Buffer.alloc(9, at)])),
      at: Date.now(),
      alive: true,
    });
    expect(fleet.all()).toMatchObject({ requestsTotal: 0, routes: {} });
  });

  it('lets the rate fall to nothing in twenty seconds, and latencies in ten minutes, without another publication', () => {
    let now = 1_000_000_000_000;
    const node = new Node(() => now);
    const worker = new Worker();
    const record = new Record();
    worker.serve('a.example', 50);
    node.hear(1, worker);
    record.take(node.counts.takeChanged());
    expect(record.show('a.example', true, now)?.requestsPerSec).toBe(5);
    expect(record.show('a.example', true, now + 15_000)?.requestsPerSec).toBeCloseTo(2.5);
    expect(record.show('a.example', true, now + 20_000)?.requestsPerSec).toBe(0);
    now += 600_000;
    const counts = worker.tally.frontend(new RouteCounts(), 'a.example');
    counts.requests++;
    counts.latency.record(1000);
    node.hear(1, worker);
    record.take(node.counts.takeChanged());
    expect(record.show('a.example', true, now)?.latencyMs.p50).toBeGreaterThan(900);
  });
});
