// A lease on the work of all nodes: one has it, another takes over, and nobody believes to have it for longer than it lasts.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Lease } from '../../../src/store/lease.js';
import { MemoryStore } from '../../../src/store/memory-store.js';
import { eventually } from '../../helpers/eventually.js';

function lease(store: MemoryStore, holder: string, length = 60_000) {
  const changes: string[] = [];
  const made = new Lease({
    store,
    work: 'probes',
    holder,
    period: 5,
    length,
    onTaken: () => changes.push('taken'),
    onLost: () => changes.push('lost'),
  });
  onTestFinished(() => made.stop());
  return { lease: made, changes };
}

describe('the lease of the prober (D.4 requirement 20)', () => {
  it('is had by one, and moves when its holder stops', async () => {
    const store = new MemoryStore(null, () => undefined);
    const one = lease(store, 'one');
    const other = lease(store, 'other');
    one.lease.start();
    await eventually('the lease', () => one.lease.held);
    other.lease.start();
    const asked = vi.spyOn(store, 'takeLease');
    await eventually('some questions', () => asked.mock.calls.filter(([, holder]) => holder === 'other').length > 3);
    expect([one.lease.held, other.lease.held]).toEqual([true, false]);
    await one.lease.stop();
    await eventually('the lease to move', () => other.lease.held);
    expect(one.changes).toEqual(['taken', 'lost']);
    expect(other.changes).toEqual(['taken']);
  });

  it('moves when its holder dies, after its time', async () => {
    const store = new MemoryStore(null, () => undefined);
    await store.takeLease('probes', 'dead node', 40);
    const heir = lease(store, 'heir');
    heir.lease.start();
    await eventually('the lease to move', () => heir.lease.held);
  });

  it('is believed in for its time while the store is away, and no longer', async () => {
    const store = new MemoryStore(null, () => undefined);
    const one = lease(store, 'one', 60);
    one.lease.start();
    await eventually('the lease', () => one.lease.held);
    const since = performance.now();
    vi.spyOn(store, 'takeLease').mockRejectedValue(new Error('the store is away'));
    await eventually('the end of the belief', () => !one.lease.held);
    expect(performance.now() - since).toBeGreaterThan(30);
    vi.restoreAllMocks();
    await eventually('the lease', () => one.lease.held);
    expect(one.changes).toEqual(['taken', 'lost', 'taken']);
  });

  it('that is granted while it is given back is given back', async () => {
    const store = new MemoryStore(null, () => undefined);
    const one = lease(store, 'one');
    one.lease.start();
    await one.lease.stop();
    await eventually('the lease to be free', () => store.takeLease('probes', 'another', 60_000));
    expect(one.changes).toEqual([]);
  });
});
