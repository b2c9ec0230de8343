import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfig } from '../../../src/config/load.js';
import type { StreamSettings } from '../../../src/config/stream-config.js';
import { createStreamCounters } from '../../../src/observe/stream-counters.js';
import type { Admission, Waiter } from '../../../src/queue/admission.js';
import { LocalAdmission } from '../../../src/queue/local-admission.js';
import { ClientPlaces } from '../../../src/stream/client-places.js';
import { StreamClient } from '../../../src/stream/stream-client.js';
import { PermitNode } from '../proxy/permit-node.js';

const [stream] = loadConfig({ env: {}, root: false, settings: { streams: [{ name: 'db', port: 0 }] } }).streams;
const settings = (changed: Partial<StreamSettings>): StreamSettings => ({
  ...(stream as { settings: StreamSettings }).settings,
  ...changed,
});
const owner = { clientGone: () => {} };
let counters = createStreamCounters('db');
let admitted: StreamClient[] = [];

beforeEach(() => {
  counters = createStreamCounters('db');
  admitted = [];
});

function create(first: Partial<StreamSettings>, admission: Admission<Waiter> = new LocalAdmission()): ClientPlaces {
  const admit = (client: StreamClient): void => void admitted.push(client);
  return new ClientPlaces({ name: 'db', settings: settings(first), admission, workers: 1, counters, admit });
}

function come(places: ClientPlaces, count: number): StreamClient[] {
  const clients = Array.from({ length: count }, () => new StreamClient(owner));
  for (const client of clients) places.come(client);
  return clients;
}

const ends = (clients: readonly StreamClient[]) => clients.map(({ endedBy }) => endedBy);

describe('the clients of a stream', () => {
  it('that come beyond the number are turned away, or wait in their order', () => {
    const dropping = create({ maxConnections: 2 });
    expect(ends(come(dropping, 3))).toEqual([null, null, 'too-many']);
    admitted = [];
    const waiting = create({ maxConnections: 1, overflow: 'wait' });
    const clients = come(waiting, 3);
    expect([admitted.length, counters.waiting]).toEqual([1, 2]);
    for (const client of clients) waiting.leave(client);
    expect(admitted).toEqual(clients);
    expect(counters.waiting).toBe(0);
  });

  it('that were there before there was a limit are counted as far as it allows, and stay', () => {
    const places = create({ maxConnections: 0 });
    const early = come(places, 3);
    places.update(settings({ maxConnections: 2 }));
    expect(ends(early)).toEqual([null, null, null]);
    expect(ends(come(places, 1))).toEqual(['too-many']);
    for (const client of early) places.leave(client);
    expect(ends(come(places, 3))).toEqual([null, null, 'too-many']);
  });

  it('that wait are all let in when there is no limit any more', () => {
    const places = create({ maxConnections: 1, overflow: 'wait' });
    const clients = come(places, 4);
    places.update(settings({ maxConnections: 0 }));
    expect(admitted).toEqual(clients);
    expect(counters.waiting).toBe(0);
    for (const client of clients) places.leave(client);
    places.update(settings({ maxConnections: 1 }));
    expect(ends(come(places, 2))).toEqual([null, 'too-many']);
  });

  it('that wait are ended when the listener stops, and nobody waits any more', () => {
    const places = create({ maxConnections: 1, overflow: 'wait' });
    const clients = come(places, 2);
    places.close();
    expect(ends([...clients, ...come(places, 1)])).toEqual([null, 'cut', 'too-many']);
    for (const client of clients) places.leave(client);
    expect(counters.waiting).toBe(0);
  });

  it('are let in by the node in the order of their coming, whichever worker they came to', () => {
    const node = new PermitNode<Waiter>(2);
    const [one, two] = [...node.workers.values()].map((admission) => create({ maxConnections: 1, overflow: 'wait' }, admission));
    const order: StreamClient[] = [];
    for (const places of [one!, two!, one!, two!]) {
      order.push(...come(places, 1));
      node.deliverAll();
    }
    for (const [at, client] of order.entries()) {
      expect(admitted).toEqual(order.slice(0, at + 1));
      (at % 2 === 0 ? one! : two!).leave(client);
      node.deliverAll();
    }
  });

  describe('in time', () => {
    beforeEach(() => {
      vi.useFakeTimers();
      vi.spyOn(performance, 'now').mockImplementation(() => Date.now());
    });
    afterEach(() => {
      vi.restoreAllMocks();
      vi.useRealTimers();
    });

    it('wait no longer than waitTimeout', () => {
      const places = create({ maxConnections: 1, overflow: 'wait', waitTimeout: 1000 });
      const clients = come(places, 2);
      vi.advanceTimersByTime(1020);
      expect(ends(clients)).toEqual([null, 'waited']);
      expect(counters.waiting).toBe(0);
    });
  });
});
