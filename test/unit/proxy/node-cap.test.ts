// Caps on connections that hold for a node: simulated with several workers, whose messages arrive when the simulation says so.
import { describe, expect, it } from 'vitest';
import type { Place, Waiter } from '../../../src/queue/admission.js';
import { LocalAdmission } from '../../../src/queue/local-admission.js';
import { NodeCap, partOf } from '../../../src/queue/node-cap.js';
import { newSeed, seeded } from '../../helpers/seeded.js';
import { PermitNode } from './permit-node.js';

const seed = newSeed('node-cap');

class Guest implements Waiter {
  readonly worker: number;
  readonly key: string;
  state: 'asking' | 'in' | 'refused' | 'gone' = 'asking';
  place: Place | null = null;

  constructor(worker: number, key: string) {
    this.worker = worker;
    this.key = key;
  }

  admitted(): void {
    this.state = 'in';
  }

  refused(): void {
    this.state = 'refused';
  }
}

/** A node with a cap, as its workers have it. */
class CappedNode extends PermitNode<Waiter> {
  readonly guests: Guest[] = [];
  readonly caps = new Map<number, NodeCap>();
  readonly #cap: Omit<ConstructorParameters<typeof NodeCap>[0], 'admission' | 'name'>;

  constructor(cap: Omit<ConstructorParameters<typeof NodeCap>[0], 'admission' | 'name'>) {
    super(cap.workers);
    this.#cap = cap;
    for (const worker of this.workers.keys()) this.#capOf(worker);
  }

  #capOf(worker: number): void {
    this.caps.set(worker, new NodeCap({ ...this.#cap, name: 'address', admission: this.workers.get(worker)! }));
  }

  start(): number {
    const worker = this.fork();
    this.#capOf(worker);
    return worker;
  }

  come(worker: number, key: string): Guest {
    const guest = new Guest(worker, key);
    const cap = this.caps.get(worker)!;
    this.guests.push(guest);
    if (cap.enter(key)) guest.state = 'in';
    else {
      guest.place = cap.ask(key, guest);
      if (guest.place === null) guest.state = 'refused';
    }
    return guest;
  }

  go(guest: Guest): void {
    if (guest.state === 'asking') guest.place?.giveBack();
    else if (guest.state === 'in') this.caps.get(guest.worker)!.leave(guest.key);
    guest.state = 'gone';
  }

  override kill(worker: number): void {
    for (const guest of this.guests) if (guest.worker === worker) guest.state = 'gone';
    this.caps.delete(worker);
    super.kill(worker);
  }

  count(key: string): number {
    return this.guests.filter((guest) => guest.key === key && guest.state === 'in').length;
  }

  /** Two seconds pass. */
  rest(): void {
    for (let second = 0; second < 2; second++) {
      for (const worker of this.workers.values()) worker.sweep();
      this.deliverAll();
    }
  }
}

describe('a cap that holds for the node', () => {
  it('is not exceeded, refuses nothing before three quarters of it, and forgets all, whatever happens in whatever order', () => {
    for (let round = 0; round < 60; round++) {
      const chance = seeded(seed + round);
      const pick = (below: number): number => Math.floor(chance() * below);
      const workers = 1 + pick(4);
      const most = 1 + pick(60);
      const byKey = chance() < 0.5;
      const part = partOf(most, workers);
      const node = new CappedNode({ most, workers, own: byKey ? part : 0, reserve: byKey ? 0 : part });
      const places = [...node.workers.keys()];
      const keys = byKey ? ['10.0.0.1', '10.0.0.2'] : [''];
      const leastRefused = most - (workers - 1) * (byKey ? part : 0);
      expect(leastRefused).toBeGreaterThan((most * 3) / 4 - 1);
      for (let step = 0; step < 400; step++) {
        const at = pick(workers);
        const what = chance();
        if (what < 0.5) node.come(places[at]!, keys[pick(keys.length)]!);
        else if (what < 0.65) node.go(node.guests[pick(node.guests.length)] ?? node.come(places[at]!, keys[0]!));
        else if (what < 0.95) node.deliver(places[at]!, chance() < 0.5);
        else if (what < 0.97) node.workers.get(places[at]!)!.sweep();
        else if (what < 0.98) {
          node.kill(places[at]!);
          places[at] = node.start();
        } else {
          // All is quiet: the next one is refused only where there is no room.
          node.deliverAll();
          const key = keys[pick(keys.length)]!;
          const before = node.count(key);
          const guest = node.come(places[at]!, key);
          node.deliverAll();
          expect(['in', 'refused']).toContain(guest.state);
          if (guest.state === 'refused') expect(before).toBeGreaterThanOrEqual(leastRefused);
        }
        for (const key of keys) expect(node.count(key)).toBeLessThanOrEqual(most);
      }
      node.deliverAll();
      for (const guest of node.guests) node.go(guest);
      node.deliverAll();
      node.rest();
      for (const cap of node.caps.values()) expect(cap.size).toBe(0);
      // The reserve of a cap without keys stays.
      expect(node.permits.size).toBeLessThanOrEqual(byKey ? 0 : 1);
    }
  });

  it('costs no message for a flood of keys of which each has few, and is remembered for those alone that have some', () => {
    const node = new CappedNode({ most: 100, workers: 4, own: partOf(100, 4), reserve: 0 });
    for (let key = 0; key < 5_000; key++) for (let count = 0; count < 6; count++) node.come(key % 4, `key ${key}`);
    expect(node.messages).toBe(0);
    expect(node.permits.size).toBe(0);
    expect([...node.caps.values()].reduce((sum, cap) => sum + cap.size, 0)).toBe(5_000);
    for (const guest of node.guests) {
      expect(guest.state).toBe('in');
      node.go(guest);
    }
    expect([...node.caps.values()].reduce((sum, cap) => sum + cap.size, 0)).toBe(0);
  });

  it('costs few messages where connections come and go well below it', () => {
    const node = new CappedNode({ most: 10_000, workers: 4, own: 0, reserve: partOf(10_000, 4) });
    const chance = seeded(seed);
    const open: Guest[] = [];
    for (let count = 0; count < 20_000; count++) {
      const guest = node.come(count % 4, '');
      node.deliverAll();
      expect(guest.state).toBe('in');
      open.push(guest);
      if (open.length > 1000) node.go(open.splice(Math.floor(chance() * open.length), 1)[0]!);
      if (count % 2000 === 0) for (const worker of node.workers.values()) worker.sweep();
    }
    expect(node.messages).toBeLessThan(200);
  });

  it('refuses a flood at the cap without a message for each', () => {
    const node = new CappedNode({ most: 40, workers: 2, own: 5, reserve: 0 });
    for (let count = 0; count < 100; count++) {
      node.come(count % 2, 'flooder');
      node.deliverAll();
    }
    expect(node.count('flooder')).toBe(40);
    const { messages } = node;
    for (let count = 0; count < 1000; count++) expect(node.come(count % 2, 'flooder').state).toBe('refused');
    expect(node.messages).toBe(messages);
  });

  it('gets what a worker had that died', () => {
    const node = new CappedNode({ most: 20, workers: 2, own: 2, reserve: 0 });
    for (let count = 0; count < 40; count++) node.come(0, 'client');
    node.deliverAll();
    expect(node.count('client')).toBe(18);
    node.kill(0);
    const next = node.start();
    for (let count = 0; count < 40; count++) node.come(next, 'client');
    node.deliverAll();
    expect(node.count('client')).toBe(18);
    for (let count = 0; count < 40; count++) node.come(1, 'client');
    node.deliverAll();
    expect(node.count('client')).toBe(20);
  });

  it('of one process ends at the cap, and its places come back one by one', () => {
    const cap = new NodeCap({ name: 'all', most: 2, own: 2, workers: 1, reserve: 0, admission: new LocalAdmission() });
    expect([cap.enter('a'), cap.enter('a'), cap.enter('a'), cap.enter('b')]).toEqual([true, true, false, true]);
    expect(cap.ask('a', new Guest(0, 'a'))).toBeNull();
    cap.leave('a');
    expect([cap.enter('a'), cap.enter('a')]).toEqual([true, false]);
    for (const key of ['a', 'a', 'b']) cap.leave(key);
    expect(cap.size).toBe(0);
  });
});
