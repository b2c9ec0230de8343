import { describe, expect, it } from 'vitest';
import { createRendezvous } from '../../../src/balancing/rendezvous.js';
import type { Backend } from '../../../src/model/backend.js';
import { backends, countPicks, isShare, newWhose } from './backends.js';

const ten = backends(10);
const whose = newWhose();
const clients = Array.from({ length: 10_000 }, (_, at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);

/** The id that each client gets. */
function homes(list: readonly Backend[], weights: readonly number[] | null = null): string[] {
  const balancer = createRendezvous();
  return clients.map((client) => balancer.pick(list, whose, client, weights)!.id);
}

function moved(before: readonly string[], after: readonly string[]): number[] {
  return before.flatMap((id, at) => (after[at] === id ? [] : [at]));
}

describe('hashing (D.3 15)', () => {
  it('gives a client the same backend each time, on every node and in every worker', () => {
    expect(homes(ten)).toEqual(homes(backends(10)));
  });

  it('does not hang on the order of the list: a shift moves nobody', () => {
    const shuffled = [...ten].reverse().map((backend, index) => ({ ...backend, index }));
    expect(homes(shuffled)).toEqual(homes(ten));
  });

  it('spreads 10000 neighbouring addresses evenly', () => {
    const counts = countPicks(createRendezvous(), ten, clients.length, { key: (turn) => clients[turn]! });
    for (const count of counts) expect(count).toSatisfy((one: number) => isShare(one, clients.length, 1 / 10));
  });

  it('moves about 1/n of the clients when one of n is removed: exactly those that it had', () => {
    const before = homes(ten);
    const gone = ten[4]!.id;
    const after = homes(ten.filter(({ id }) => id !== gone));
    const away = moved(before, after);
    expect(away).toEqual(before.flatMap((id, at) => (id === gone ? [at] : [])));
    expect(away.length).toSatisfy((one: number) => isShare(one, clients.length, 1 / 10));
    process.stdout.write(`hashing, one of ten removed: ${away.length} of ${clients.length} moved\n`);
    // They are spread over all others, not heaped on a neighbour.
    for (const { id } of ten) {
      if (id === gone) continue;
      const taken = away.filter((at) => after[at] === id).length;
      expect(taken).toSatisfy((one: number) => isShare(one, away.length, 1 / 9));
    }
  });

  it('moves about 1/n of the clients when one is added: all of them to the new one', () => {
    const eleven = backends(11);
    const before = homes(eleven.slice(0, 10));
    const after = homes(eleven);
    const away = moved(before, after);
    process.stdout.write(`hashing, one added to ten: ${away.length} of ${clients.length} moved\n`);
    for (const at of away) expect(after[at]).toBe(eleven[10]!.id);
    expect(away.length).toSatisfy((one: number) => isShare(one, clients.length, 1 / 11));
  });

  it('moves the clients of a dead backend, and they come back with it', () => {
    const before = homes(ten);
    const balancer = createRendezvous();
    const alive = ten.filter((_, index) => index !== 7);
    for (const client of clients) balancer.pick(alive, whose, client, null);
    expect(clients.map((client) => balancer.pick(ten, whose, client, null)!.id)).toEqual(before);
  });

  it('moves clients only to or from a backend whose weight changes (D.3 17)', () => {
    const before = homes(
      ten,
      ten.map(() => 2),
    );
    const after = homes(
      ten,
      ten.map((_, index) => (index === 3 ? 6 : 2)),
    );
    const away = moved(before, after);
    for (const at of away) expect(after[at]).toBe(ten[3]!.id);
    expect(after.filter((id) => id === ten[3]!.id).length).toSatisfy((one: number) => isShare(one, clients.length, 6 / 24));
  });

  it('chooses the same by equal weights as without', () => {
    expect(
      homes(
        ten,
        ten.map(() => 3),
      ),
    ).toEqual(homes(ten));
  });

  it('tells apart letters beyond Latin', () => {
    const keys = Array.from({ length: 64 }, (_, at) => String.fromCharCode(0x4e00 + at * 256));
    const balancer = createRendezvous();
    expect(new Set(keys.map((key) => balancer.pick(ten, whose, key, null))).size).toBeGreaterThan(5);
  });
});
