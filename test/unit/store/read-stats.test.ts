import { describe, expect, it } from 'vitest';
import { statsVersion } from '../../../src/model/node-stats.js';
import { NodeCounts } from '../../../src/observe/node-counts.js';
import { RouteCounts } from '../../../src/observe/route-counts.js';
import { Tally } from '../../../src/observe/tally.js';
import { ToldCounts } from '../../../src/observe/told-counts.js';
import { MemoryStore } from '../../../src/store/memory-store.js';
import { readFleetStats, readFrontendStats } from '../../../src/store/read-stats.js';

/** Counts requests on a node that publishes once. */
async function publish(store: MemoryStore, id: string, requests: number, since: number): Promise<void> {
  const tally = new Tally();
  const counts = tally.frontend(new RouteCounts(), 'a.example');
  for (let at = 0; at < requests; at++) {
    counts.requests++;
    counts.latency.record(5);
  }
  counts.begins();
  const node = new NodeCounts();
  new ToldCounts([node.merged]).hear(1, tally.collect());
  await store.writeStats(id, { version: statsVersion, boot: 'x', since, at: Date.now() }, node.takeChanged());
}

describe('the statistics of the fleet', () => {
  it('are those of all nodes, of all frontends or of one', async () => {
    const store = new MemoryStore(null, () => {});
    expect(await readFleetStats(store)).toMatchObject({ requestsTotal: 0, since: 0, nodes: { counted: 0, live: 0 }, routes: {} });
    await publish(store, 'one', 3, 2000);
    await publish(store, 'two', 4, 1000);
    expect(await readFleetStats(store)).toMatchObject({
      requestsTotal: 7,
      requestsActive: 2,
      since: 1000,
      nodes: { counted: 2, live: 2 },
      routes: { 'a.example': { requestsTotal: 7, requestsActive: 2, backends: {} } },
    });
    const one = await readFrontendStats(store, 'a.example');
    expect(one.requestsTotal).toBe(7);
    expect(one.latencyMs.p50).toBeGreaterThan(4.5);
    expect(one.latencyMs.p50).toBeLessThan(5.5);
  });

  it('are zeros for a frontend that nobody has asked for', async () => {
    const store = new MemoryStore(null, () => {});
    await publish(store, 'one', 3, 1000);
    expect(await readFrontendStats(store, 'b.example')).toMatchObject({ requestsTotal: 0, codes: {}, backends: {} });
  });
});
