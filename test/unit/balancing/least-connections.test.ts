import { describe, expect, it } from 'vitest';
import { createLeastConnections } from '../../../src/balancing/least-connections.js';
import { Loads } from '../../../src/balancing/loads.js';
import { newSeed, seeded } from '../../helpers/seeded.js';
import { backends, isShare, routeOf } from './backends.js';

const list = backends(4);
const route = routeOf(list, { strategy: 'LEAST_CONNECTIONS' });
const seed = newSeed('least connections');

function start(busy: readonly number[]) {
  const loads = new Loads('RANDOM');
  busy.forEach((count, at) => {
    for (let one = 0; one < count; one++) loads.started(route, list[at]!);
  });
  const balancer = createLeastConnections(loads, seeded(seed));
  const pick = (weights: readonly number[] | null = null) => balancer.pick(list, route, '', weights)!;
  return { loads, pick };
}

describe('least connections', () => {
  it('picks the one with the fewest running requests', () => {
    expect(start([3, 1, 2, 5]).pick()).toBe(list[1]);
  });

  it('measures by weight: three of weight 4 are fewer than one of weight 1', () => {
    expect(start([3, 1, 2, 2]).pick([4, 1, 1, 1])).toBe(list[0]);
  });

  it('picks any of equals, by weight', () => {
    const { pick } = start([2, 4, 1, 9]);
    const counts = [0, 0, 0, 0];
    for (let turn = 0; turn < 4000; turn++) counts[pick([2, 4, 1, 0.5]).index]!++;
    expect(counts[3]).toBe(0);
    for (const [at, share] of [2 / 7, 4 / 7, 1 / 7].entries()) {
      expect(counts[at]).toSatisfy((one: number) => isShare(one, 4000, share));
    }
  });

  it('keeps all equally busy under a load that never ends', () => {
    const { loads, pick } = start([0, 0, 0, 0]);
    for (let turn = 0; turn < 402; turn++) loads.started(route, pick());
    const busy = list.map(({ id }) => loads.of(route.frontend)?.get(id)?.inFlight ?? 0);
    expect(Math.max(...busy) - Math.min(...busy)).toBe(1);
  });

  it('gives a backend that is slow to finish less and less', () => {
    const { loads, pick } = start([0, 0, 0, 0]);
    const counts = [0, 0, 0, 0];
    for (let turn = 0; turn < 2000; turn++) {
      const backend = pick();
      counts[backend.index]!++;
      loads.started(route, backend);
      // All but the first one finish at once.
      if (backend.index !== 0) loads.ended(route, backend);
    }
    expect(counts[0]).toBeLessThanOrEqual(1);
  });
});
