import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Accounts } from '../../../src/limits/accounts.js';
import { largestBlock } from '../../../src/limits/block.js';
import { Ledger } from '../../../src/limits/ledger.js';
import type { Count, Limiter, Taking } from '../../../src/limits/limiter.js';
import { newSeed, seeded } from '../../helpers/seeded.js';
import { Fleet, type FleetOptions } from './fleet.js';

const seed = newSeed('ledger');
const spreads = ['even', 'random', 'one after another', 'one'] as const;
type Spread = (typeof spreads)[number];

/** Sends requests at a steady pace; gives the fleet when all are decided. */
async function fleetWith(
  options: Omit<FleetOptions, 'delay'> & {
    readonly requests: number;
    readonly over: number;
    readonly spread: Spread;
    readonly bursts?: number;
    readonly cost?: number;
  },
): Promise<Fleet> {
  const random = seeded(seed);
  const { requests, over, spread, workers, bursts = requests } = options;
  const fleet = new Fleet({ ...options, delay: () => 0.1 + 2 * random() });
  for (let at = 0; at < requests; at++) {
    const worker = {
      even: at % workers,
      random: Math.floor(random() * workers),
      'one after another': Math.floor((at * workers) / requests),
      one: 0,
    }[spread];
    fleet.request((over * Math.floor((at * bursts) / requests)) / bursts, worker, options.cost);
  }
  await fleet.run();
  return fleet;
}

describe('a fleet that shares a limit', () => {
  const anyFleet = fc.record({
    workers: fc.integer({ min: 1, max: 32 }),
    points: fc.integer({ min: 1, max: 3_000 }),
    load: fc.double({ min: 0.2, max: 3, noNaN: true }),
    /** The part of the window in which the requests come. */
    part: fc.constantFrom(0.001, 0.1, 0.9),
    spread: fc.constantFrom(...spreads),
    bursts: fc.constantFrom(1, 3, 10, 100_000),
    cost: fc.constantFrom(1, 1, 2, 7, 50),
  });

  it('never gives out more in a window than the limit and one block for each worker', async () => {
    await fc.assert(
      fc.asyncProperty(anyFleet, async ({ workers, points, load, part, spread, bursts, cost }) => {
        const requests = Math.ceil((points * load) / cost);
        const fleet = await fleetWith({ workers, points, duration: 60, requests, over: 60_000 * part, spread, bursts, cost });
        // What costs more than the limit costs the limit.
        const each = Math.min(cost, points);
        expect(fleet.admitted * each).toBeLessThanOrEqual(points + workers * largestBlock(points));
        // Nor less than was asked for or is there.
        expect(fleet.admitted).toBeGreaterThanOrEqual(Math.min(requests, Math.floor(points / each)));
      }),
      { seed, numRuns: 100 },
    );
  });

  it('never refuses a client before the limit is spent, however it spreads over the workers', async () => {
    for (const workers of [1, 2, 8, 32]) {
      for (const spread of spreads) {
        const fleet = await fleetWith({ workers, points: 500, duration: 60, requests: 500, over: 59_000, spread });
        expect([workers, spread, fleet.admitted]).toEqual([workers, spread, 500]);
      }
    }
  });

  it('does not starve a client that stays below the limit in one window after another', async () => {
    const fleet = await fleetWith({ workers: 8, points: 640, duration: 10, requests: 5 * 560, over: 50_000, spread: 'even' });
    expect(fleet.admitted).toBe(5 * 560);
  });

  it('gives a client that asks for too much the limit of each window, and little more', async () => {
    const fleet = await fleetWith({ workers: 8, points: 640, duration: 10, requests: 10_000, over: 50_000, spread: 'random' });
    expect(fleet.admitted).toBeGreaterThanOrEqual(4 * 640);
    expect(fleet.admitted).toBeLessThanOrEqual(5 * (640 + 8 * largestBlock(640)) + 8 * largestBlock(640));
  });

  it('asks the shared counter for a small part of the requests', async () => {
    const light = await fleetWith({ workers: 1, points: 500, duration: 60, requests: 60, over: 59_000, spread: 'one' });
    expect(light.questions).toBeLessThanOrEqual(10);
    const heavy = await fleetWith({
      workers: 4,
      points: 100_000,
      duration: 60,
      requests: 50_000,
      over: 30_000,
      spread: 'random',
    });
    expect(heavy.questions).toBeLessThanOrEqual(1_000);
  });

  it('counts small limits exactly', async () => {
    for (const points of [1, 5, 63]) {
      const fleet = await fleetWith({ workers: 16, points, duration: 60, requests: 500, over: 30_000, spread: 'random' });
      expect(fleet.admitted).toBe(points);
    }
  });

  it('decides most requests of a client that is out of points without asking', async () => {
    const fleet = await fleetWith({ workers: 4, points: 100, duration: 60, requests: 5_000, over: 50_000, spread: 'even' });
    expect(fleet.questions).toBeLessThanOrEqual(160);
  });

  it('takes costs into account, and lets a cheap request through where an expensive one is refused', async () => {
    const fleet = new Fleet({ workers: 1, points: 10, duration: 60, delay: () => 1 });
    for (const [at, cost] of [
      [0, 8],
      [10, 3],
      [20, 2],
      [30, 1],
    ] as const)
      fleet.request(at, 0, cost);
    await fleet.run();
    expect(fleet.outcomes.map(({ admitted }) => admitted)).toEqual([true, false, true, false]);
  });

  it('admits a request that costs more than the limit once a window, instead of never', async () => {
    const fleet = new Fleet({ workers: 1, points: 10, duration: 60, delay: () => 1 });
    for (const at of [0, 10, 61_000]) fleet.request(at, 0, 1_000);
    await fleet.run();
    expect(fleet.outcomes.map(({ admitted }) => admitted)).toEqual([true, false, true]);
  });
});

describe('a refused client', () => {
  it('comes back at the moment it was told, however often it tried', async () => {
    const fleet = new Fleet({ workers: 2, points: 2, duration: 10, delay: () => 1 });
    for (let at = 0; at < 9_000; at += 50) fleet.request(at, 0);
    fleet.request(10_010, 0);
    await fleet.run();
    expect(fleet.admitted).toBe(3);
    expect(fleet.outcomes.at(-1)?.admitted).toBe(true);
  });
});

describe('a client that a worker forgets', () => {
  it('has what was told of it against it, and gets no more than a block anew for each time', async () => {
    const points = 640;
    let spent = 0;
    const limiter: Limiter = {
      strict: false,
      alone: false,
      async spend(key, cost) {
        if (key === 'client') spent += cost;
        return { spent: key === 'client' ? spent : cost, left: 60_000 };
      },
      async take(key, cost) {
        if (key === 'client' && spent + cost > points) return { taken: false, spent, left: 60_000 };
        return { taken: true, ...(await this.spend(key, cost, 60)) };
      },
    };
    // Room for two: two others are enough for the worker to forget everybody.
    const ledger = new Ledger({ name: 'tier', points, duration: 60 }, limiter, new Accounts(2), () => 0);
    let served = 0;
    let forgotten = 0;
    for (let visit = 0; visit < 200; visit++) {
      for (let request = 0; request < 40; request++) if ((await ledger.take('client', 1, 0)).admitted) served++;
      for (const other of ['one', 'another', 'a third']) await ledger.take(`${other} ${visit}`, 1, 0);
      forgotten++;
    }
    expect(served).toBeGreaterThanOrEqual(points);
    expect(served).toBeLessThanOrEqual(points + (forgotten + 1) * largestBlock(points));
  });
});

/** A limiter that cannot count until it is told to. */
class Broken implements Limiter {
  strict = false;
  readonly alone = false;
  works = false;
  spent = 0;

  async spend(_key: string, points: number): Promise<Count> {
    if (!this.works) throw new Error('away');
    this.spent += points;
    return { spent: this.spent, left: 60_000 };
  }

  async take(key: string, points: number): Promise<Taking> {
    return { taken: true, ...(await this.spend(key, points)) };
  }
}

describe('where nothing can be counted', () => {
  it('a block is given out, nothing beyond it, and what was given out is counted later', async () => {
    const limiter = new Broken();
    const ledger = new Ledger({ name: 'tier', points: 640, duration: 60 }, limiter, new Accounts(10), () => 0);
    const ask = async (): Promise<boolean> => (await ledger.take('client', 1, 0)).admitted;
    let given = 0;
    await expect(
      (async () => {
        for (;;) {
          await ask();
          given++;
        }
      })(),
    ).rejects.toThrow('away');
    expect(given).toBeGreaterThan(0);
    expect(given).toBeLessThanOrEqual(largestBlock(640));
    limiter.works = true;
    for (let more = 0; more < 20; more++) expect(await ask()).toBe(true);
    expect(limiter.spent).toBeGreaterThanOrEqual(given);
  });

  it('a strict limiter is asked for every point', async () => {
    const limiter = new Broken();
    limiter.strict = true;
    const ledger = new Ledger({ name: 'tier', points: 640, duration: 60 }, limiter, new Accounts(10), () => 0);
    await expect(ledger.take('client', 1, 0)).rejects.toThrow('away');
  });
});
