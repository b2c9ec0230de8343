// The permits of a node: the keeper and several workers, joined by channels whose messages arrive when the test says so.
import { performance } from 'node:perf_hooks';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { QueueLimits, Refusal, Waiter } from '../../../src/queue/admission.js';
import type { NodeAdmission } from '../../../src/queue/node-permits.js';
import { PermitNode } from './permit-node.js';

const frontend = 'example.com';
const limits = (active: number, waiting: number, timeout = 0): QueueLimits => ({ active, waiting, timeout });

class Guest implements Waiter {
  readonly worker: number;
  readonly name: number;
  readonly #log: number[];
  state: 'outside' | 'waiting' | 'in flight' | 'refused' | 'killed' = 'outside';
  why: Refusal | null = null;
  giveBack: () => void = () => {};
  calls = 0;

  constructor(worker: number, name: number, log: number[]) {
    this.worker = worker;
    this.name = name;
    this.#log = log;
  }

  comes(admission: NodeAdmission<Guest>, bounds: QueueLimits): this {
    const line = admission.line(frontend, bounds);
    if (line.enter()) {
      this.state = 'in flight';
      this.#log.push(this.name);
      this.giveBack = line.leave;
      return this;
    }
    const place = line.wait(this);
    this.state = place === null ? 'refused' : 'waiting';
    if (place !== null) this.giveBack = () => place.giveBack();
    return this;
  }

  goes(): void {
    this.giveBack();
    this.giveBack = () => {};
    if (this.state === 'in flight' || this.state === 'waiting') this.state = 'outside';
  }

  admitted(): void {
    this.calls++;
    this.state = 'in flight';
    this.#log.push(this.name);
  }

  refused(why: Refusal): void {
    this.calls++;
    this.state = 'refused';
    this.why = why;
  }
}

/** A node with guests. */
class Node extends PermitNode<Guest> {
  readonly log: number[] = [];
  readonly guests: Guest[] = [];

  come(worker: number, bounds: QueueLimits): Guest {
    const guest = new Guest(worker, this.guests.length, this.log);
    this.guests.push(guest);
    return guest.comes(this.workers.get(worker)!, bounds);
  }

  override kill(worker: number): void {
    for (const guest of this.guests) if (guest.worker === worker) guest.state = 'killed';
    super.kill(worker);
  }

  count(state: Guest['state']): number {
    return this.guests.filter((guest) => guest.state === state).length;
  }
}

describe('the permits of a node', () => {
  it('let in as many as the frontend allows, whichever workers they come to', () => {
    const node = new Node(4);
    for (let guest = 0; guest < 12; guest++) node.come(guest % 4, limits(3, 100));
    node.deliverAll();
    expect([node.count('in flight'), node.count('waiting')]).toEqual([3, 9]);
  });

  it('let as many wait as the frontend allows, and refuse the next', () => {
    const node = new Node(4);
    for (let guest = 0; guest < 12; guest++) {
      node.come(guest % 4, limits(3, 4));
      node.deliverAll();
    }
    expect([node.count('in flight'), node.count('waiting'), node.count('refused')]).toEqual([3, 4, 5]);
    expect(node.guests.filter(({ state }) => state === 'refused').map(({ name }) => name)).toEqual([7, 8, 9, 10, 11]);
  });

  it('let those in who came first, whichever workers they came to', () => {
    const node = new Node(3);
    for (const worker of [0, 1, 2, 2, 1, 0, 0]) {
      node.come(worker, limits(1, 100));
      node.deliverAll();
    }
    for (let turn = 0; turn < 7; turn++) {
      expect(node.log).toEqual(Array.from({ length: turn + 1 }, (_, name) => name));
      node.guests[turn]!.goes();
      node.deliverAll();
    }
  });

  it('give idle permits of one worker to a client that waits at another, also where nobody may wait', () => {
    const node = new Node(2);
    const first = node.come(0, limits(1, 0));
    node.deliverAll();
    first.goes();
    node.deliverAll();
    const second = node.come(1, limits(1, 0));
    node.deliverAll();
    expect(second.state).toBe('in flight');
  });

  it('refuse where nobody may wait, and let in again once a place is free', () => {
    const node = new Node(2);
    const first = node.come(0, limits(1, 0));
    node.deliverAll();
    const second = node.come(1, limits(1, 0));
    node.deliverAll();
    expect([first.state, second.state, second.why]).toEqual(['in flight', 'refused', 'full']);
    // A flood of further ones costs no message.
    const { messages } = node;
    for (let guest = 0; guest < 100; guest++) expect(node.come(1, limits(1, 0)).state).toBe('refused');
    expect(node.messages).toBe(messages);
    first.goes();
    node.deliverAll();
    const third = node.come(1, limits(1, 0));
    node.deliverAll();
    expect(third.state).toBe('in flight');
  });

  it('are handed out in blocks, so that most requests cost no message', () => {
    const node = new Node(4);
    for (let round = 0; round < 1000; round++) {
      const guests = [0, 1, 2, 3].map((worker) => node.come(worker, limits(100, 0)));
      node.deliverAll();
      for (const guest of guests) {
        expect(guest.state).toBe('in flight');
        guest.goes();
      }
    }
    expect(node.messages).toBeLessThan(20);
  });

  it('come back from a worker that died', () => {
    const node = new Node(2);
    for (let guest = 0; guest < 3; guest++) node.come(0, limits(3, 10));
    node.deliverAll();
    const waiting = node.come(1, limits(3, 10));
    node.deliverAll();
    expect(waiting.state).toBe('waiting');
    node.kill(0);
    node.deliverAll();
    expect(waiting.state).toBe('in flight');
  });

  it('go on to the next when the one they were granted to has left meanwhile', () => {
    const node = new Node(3);
    const [first, second, third] = [0, 1, 2].map((worker) => {
      const guest = node.come(worker, limits(1, 10));
      node.deliverAll();
      return guest;
    });
    first!.goes();
    node.deliver(0, true);
    // The grant is on its way.
    second!.goes();
    expect(third!.state).toBe('waiting');
    node.deliverAll();
    expect(third!.state).toBe('in flight');
  });

  it('are kept by a worker as far as its reserve goes, until somebody else needs them', () => {
    const node = new Node(2);
    const bounds = { ...limits(10, 0), reserve: 3 };
    node.come(0, bounds).goes();
    node.deliverAll();
    for (let second = 0; second < 3; second++) node.workers.get(0)!.sweep();
    node.deliverAll();
    const { messages } = node;
    const few = Array.from({ length: 3 }, () => node.come(0, bounds));
    expect(few.map(({ state }) => state)).toEqual(['in flight', 'in flight', 'in flight']);
    expect(node.messages).toBe(messages);
    for (const guest of few) guest.goes();
    for (let guest = 0; guest < 10; guest++) node.come(1, bounds);
    node.deliverAll();
    expect(node.count('in flight')).toBe(10);
  });

  it('tell who sought in vain that there is room', () => {
    const node = new Node(2);
    const first = node.come(0, limits(1, 0));
    node.deliverAll();
    node.come(1, limits(1, 0));
    node.deliverAll();
    let told = 0;
    node.workers
      .get(1)!
      .line(frontend, limits(1, 0))
      .seekers.add(() => told++);
    node.deliverAll();
    expect(told).toBe(0);
    first.goes();
    node.deliverAll();
    expect(told).toBe(1);
  });

  it('come back after a while from a worker that does not use them', () => {
    const node = new Node(1);
    node.come(0, limits(100, 0));
    node.deliverAll();
    node.guests[0]!.goes();
    expect(node.permits.size).toBe(1);
    for (let second = 0; second < 2; second++) {
      node.workers.get(0)!.sweep();
      node.deliverAll();
    }
    expect(node.permits.size).toBe(0);
  });

  it('follow the limits that a worker tells last', () => {
    const node = new Node(2);
    for (let guest = 0; guest < 6; guest++) node.come(guest % 2, limits(2, 10));
    node.deliverAll();
    expect(node.count('in flight')).toBe(2);
    node.workers.get(0)!.known(frontend)!.change(limits(4, 10));
    node.deliverAll();
    expect(node.count('in flight')).toBe(4);
    node.workers.get(1)!.known(frontend)!.change(limits(1, 10));
    node.deliverAll();
    for (const guest of node.guests.filter(({ state }) => state === 'in flight')) guest.goes();
    node.deliverAll();
    expect(node.count('in flight')).toBe(1);
  });

  it('know no bound where the frontend has none any more', () => {
    const node = new Node(2);
    for (let guest = 0; guest < 6; guest++) node.come(guest % 2, limits(1, 10));
    node.deliverAll();
    node.workers.get(0)!.known(frontend)!.change(limits(Number.POSITIVE_INFINITY, 0));
    node.deliverAll();
    expect(node.count('in flight')).toBe(6);
  });

  it("are each worker's own once nobody keeps them", () => {
    const node = new Node(2);
    node.come(0, limits(1, 10));
    node.deliverAll();
    const waiting = node.come(1, limits(1, 10));
    node.deliverAll();
    expect(waiting.state).toBe('waiting');
    node.workers.get(1)!.becomeAlone();
    expect(waiting.state).toBe('in flight');
    const next = node.come(1, limits(1, 10));
    expect(next.state).toBe('waiting');
    waiting.goes();
    expect(next.state).toBe('in flight');
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

    it('are not waited for longer than the frontend allows', () => {
      const node = new Node(2);
      const first = node.come(0, limits(1, 10, 1000));
      node.deliverAll();
      const second = node.come(1, limits(1, 10, 1000));
      node.deliverAll();
      vi.advanceTimersByTime(1020);
      expect([second.state, second.why]).toEqual(['refused', 'timeout']);
      node.deliverAll();
      first.goes();
      node.deliverAll();
      const third = node.come(1, limits(1, 10, 1000));
      node.deliverAll();
      expect(third.state).toBe('in flight');
    });
  });
});

type Step =
  | { readonly kind: 'come' | 'deliver up' | 'deliver down' | 'sweep' | 'kill'; readonly worker: number }
  | { readonly kind: 'go'; readonly who: number }
  | { readonly kind: 'everything' };

const worker = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('come' as const), worker }) },
  { weight: 7, arbitrary: fc.record({ kind: fc.constant('go' as const), who: fc.nat(60) }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constantFrom('deliver up' as const, 'deliver down' as const), worker }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep' as const), worker }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), worker }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'everything' } as const) },
);

describe('the permits of a node, whatever happens in whatever order', () => {
  it('are never more than the limit, leave nobody waiting before a free one, and all come back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 6 }), fc.nat(4), (steps, active, waiting) => {
        const node = new Node(4);
        /** The process that has the place of a worker. */
        const places = [0, 1, 2, 3];
        const bounds = limits(active, waiting);
        for (const now of steps) {
          if (now.kind === 'come') node.come(places[now.worker]!, bounds);
          else if (now.kind === 'go') node.guests[now.who]?.goes();
          else if (now.kind === 'deliver up') node.deliver(places[now.worker]!, true);
          else if (now.kind === 'deliver down') node.deliver(places[now.worker]!, false);
          else if (now.kind === 'sweep') node.workers.get(places[now.worker]!)!.sweep();
          else if (now.kind === 'kill') {
            node.kill(places[now.worker]!);
            places[now.worker] = node.fork();
          } else {
            node.deliverAll();
            expect(node.count('waiting')).toBeLessThanOrEqual(waiting);
            if (node.count('waiting') > 0) expect(node.count('in flight')).toBe(active);
          }
          expect(node.count('in flight')).toBeLessThanOrEqual(active);
          for (const guest of node.guests) expect(guest.calls).toBeLessThanOrEqual(1);
        }
        for (const guest of node.guests) guest.goes();
        node.deliverAll();
        // Those who asked, and were let in after they had left, gave back what they got.
        for (const place of places) {
          const guest = node.come(place, limits(active, waiting));
          node.deliverAll();
          expect(guest.state).toBe('in flight');
          guest.goes();
          node.deliverAll();
        }
        for (let second = 0; second < 2; second++) {
          for (const place of places) node.workers.get(place)!.sweep();
          node.deliverAll();
        }
        expect(node.permits.size).toBe(0);
        for (const place of places) expect(node.workers.get(place)!.frontends()).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});
