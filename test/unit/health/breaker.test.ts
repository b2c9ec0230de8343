// The circuit breaker: closed, open, half-open, in two workers that share a store, and the limit of ejections.
import { describe, expect, it, vi } from 'vitest';
import { breakerState, openTime } from '../../../src/health/breaker.js';
import { name, pass, settle, startWorkers, type TestWorker } from './workers.js';

const breaker = { threshold: 3, window: '10s', breaker: { open: '10s', maxOpen: '30s' } };

/** A look that asks for the trial, and the look after it that may have it. */
async function half(worker: TestWorker): Promise<number[]> {
  await worker.candidates();
  await settle();
  return worker.candidates();
}

/** Workers whose first backend of four is out. */
async function opened() {
  const world = await startWorkers(4, breaker);
  await world.one.fail(0, 3);
  return world;
}

describe('the state of a breaker (D.4 requirement 21)', () => {
  it('is told from its mark', () => {
    expect(breakerState(null, 5)).toBe('closed');
    expect(breakerState({}, 5)).toBe('closed');
    expect(breakerState({ retryAt: 6 }, 5)).toBe('open');
    expect(breakerState({ retryAt: 5 }, 5)).toBe('half-open');
  });

  it('is open for twice as long each time, up to a limit', () => {
    const policy = { open: 10, maxOpen: 65 };
    expect([1, 2, 3, 4, 5, 2000].map((opens) => openTime(policy, opens))).toEqual([10, 20, 40, 65, 65, 65]);
    expect(openTime({ open: 100, maxOpen: 65 }, 3)).toBe(100);
  });
});

describe('a closed breaker (D.4 requirement 21)', () => {
  it('bears fewer failures than the threshold', async () => {
    const { one } = await startWorkers(4, breaker);
    await one.fail(0, 2);
    expect(await one.candidates()).toEqual([0, 1, 2, 3]);
  });

  it('forgets failures that are older than the window', async () => {
    const { one } = await startWorkers(4, breaker);
    await one.fail(0, 2);
    pass(10_001);
    await one.fail(0, 2);
    expect(await one.candidates()).toEqual([0, 1, 2, 3]);
    await one.fail(0);
    expect(await one.candidates()).toEqual([1, 2, 3]);
  });

  it('counts each backend for itself', async () => {
    const { one } = await startWorkers(4, breaker);
    for (const index of [0, 1, 2, 3]) await one.fail(index, 2);
    expect(await one.candidates()).toEqual([0, 1, 2, 3]);
  });

  it('counts the statuses that the policy names, and no others', async () => {
    const { one } = await startWorkers(4, { ...breaker, statuses: [429, '500-503'] });
    for (const status of [404, 504, 599]) for (let turn = 0; turn < 3; turn++) await (await one.begin(0)).status(status);
    expect(await one.candidates()).toEqual([0, 1, 2, 3]);
    for (const status of [429, 500, 503]) await (await one.begin(0)).status(status);
    expect(await one.candidates()).toEqual([1, 2, 3]);
  });
});

describe('an open breaker (D.4 requirement 21)', () => {
  it('keeps requests of every worker away', async () => {
    const { one, two } = await opened();
    expect(await one.candidates()).toEqual([1, 2, 3]);
    expect(await two.candidates()).toEqual([1, 2, 3]);
    pass(9_999);
    expect(await half(one)).toEqual([1, 2, 3]);
    expect(await half(two)).toEqual([1, 2, 3]);
  });

  it('is a dead mark for those who know no breakers', async () => {
    const { store } = await opened();
    expect((await store.readFrontends([name]))[0]?.dead).toEqual(['0']);
  });

  it('learns nothing from requests that were under way when it opened', async () => {
    const { one } = await startWorkers(4, breaker);
    const old = await one.begin(0);
    await one.fail(0, 3);
    pass(10_000);
    await half(one);
    const trial = await one.begin(0);
    await old.status(200);
    expect(await one.candidates()).toEqual([1, 2, 3]);
    await trial.status(200);
    expect(await one.candidates()).toEqual([0, 1, 2, 3]);
  });
});

describe('a half-open breaker (D.4 requirement 21)', () => {
  it('lets exactly one request through, in all workers together', async () => {
    const { one, two } = await opened();
    pass(10_000);
    expect(await one.candidates()).toEqual([1, 2, 3]);
    expect(await half(two)).toEqual([1, 2, 3]);
    expect(await one.candidates()).toEqual([0, 1, 2, 3]);
    await one.begin(0);
    for (let turn = 0; turn < 5; turn++) {
      expect(await half(one)).toEqual([1, 2, 3]);
      expect(await half(two)).toEqual([1, 2, 3]);
      pass(1_001);
    }
  });

  it('closes for every worker when that request is answered', async () => {
    const { one, two, store } = await opened();
    pass(10_000);
    await half(one);
    await (await one.begin(0)).status(200);
    expect(await one.candidates()).toEqual([0, 1, 2, 3]);
    expect(await two.candidates()).toEqual([0, 1, 2, 3]);
    expect((await store.readFrontends([name]))[0]).toMatchObject({ dead: [], marks: [] });
    await one.fail(0, 2);
    expect(await one.candidates()).toEqual([0, 1, 2, 3]);
  });

  it('opens again at its first failure, for longer each time, whichever worker finds out', async () => {
    const { one, two } = await opened();
    for (const [time, worker] of [
      [10_000, one],
      [20_000, two],
      [30_000, one],
      [30_000, two],
    ] as const) {
      pass(time - 1);
      expect(await half(worker)).toEqual([1, 2, 3]);
      pass(1);
      expect(await half(worker)).toEqual([0, 1, 2, 3]);
      await worker.fail(0);
      expect(await one.candidates()).toEqual([1, 2, 3]);
      expect(await two.candidates()).toEqual([1, 2, 3]);
    }
  });

  it('opens again at an answer that counts as a failure', async () => {
    const { one } = await opened();
    pass(10_000);
    await half(one);
    await (await one.begin(0)).status(502);
    expect(await half(one)).toEqual([1, 2, 3]);
    pass(20_000);
    expect(await half(one)).toEqual([0, 1, 2, 3]);
  });

  it('learns nothing from a request whose client left, and lets another one through', async () => {
    const { one, two } = await opened();
    pass(10_000);
    await half(one);
    await (await one.begin(0)).left();
    expect(await half(two)).toEqual([0, 1, 2, 3]);
  });

  it('is another worker’s to try when no request came', async () => {
    const { one, two } = await opened();
    pass(10_000);
    expect(await half(one)).toEqual([0, 1, 2, 3]);
    expect(await half(two)).toEqual([1, 2, 3]);
    pass(5_000);
    expect(await half(two)).toEqual([0, 1, 2, 3]);
    expect(await half(one)).toEqual([1, 2, 3]);
  });

  it('is not tried by a request that failed elsewhere before', async () => {
    const { one } = await opened();
    pass(10_000);
    await half(one);
    expect(await one.candidates([1])).toEqual([2, 3]);
  });

  it('is tried by each worker alone while the store is away', async () => {
    const { one, store } = await opened();
    vi.spyOn(store, 'takeLease').mockRejectedValue(new Error('the store is away'));
    pass(10_000);
    expect(await half(one)).toEqual([0, 1, 2, 3]);
  });
});

describe('the limit of ejections (D.4 requirement 21)', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('never lets failures take out more than half of %d', async (count) => {
    const { one, two } = await startWorkers(count, breaker);
    for (let index = 0; index < count; index++) await (index % 2 === 0 ? one : two).fail(index, 3);
    const left = Math.ceil(count / 2);
    expect(await one.candidates()).toHaveLength(left);
    expect(await two.candidates()).toEqual(await one.candidates());
  });

  it('holds when two workers eject at the same moment', async () => {
    const { one, two } = await startWorkers(2, breaker);
    const attempts = [await one.begin(0), await two.begin(1)];
    await one.fail(0, 2);
    await two.fail(1, 2);
    await Promise.all(attempts.map((attempt) => attempt.error()));
    expect(await one.candidates()).toHaveLength(1);
    expect(await two.candidates()).toEqual(await one.candidates());
  });

  it('counts what others found dead', async () => {
    const { one, store } = await startWorkers(4, breaker);
    const { backends } = await one.route();
    for (const index of [0, 1]) {
      const mark = { host: name, frontend: name, backend: backends[index]!, size: 4, ttl: 60, write: true, probed: true };
      await store.markDead(mark);
    }
    await one.fail(2, 3);
    expect(await one.candidates()).toEqual([2, 3]);
  });

  it('does not count those under maintenance', async () => {
    const { one, store } = await startWorkers(4, breaker);
    const { backends } = await one.route();
    for (const index of [0, 1]) await store.maintain({ frontend: name, backend: backends[index]!, on: true, ttl: 60 });
    await one.fail(2, 3);
    expect(await one.candidates()).toEqual([3]);
    await one.fail(3, 3);
    expect(await one.candidates()).toEqual([3]);
  });

  it('is what the policy says', async () => {
    const { one } = await startWorkers(4, { ...breaker, maxEjected: 25 });
    for (const index of [0, 1]) await one.fail(index, 3);
    expect(await one.candidates()).toEqual([1, 2, 3]);
  });

  it('is none for a threshold alone, as in Hipache', async () => {
    const { one } = await startWorkers(2, { threshold: 2 });
    for (const index of [0, 1]) await one.fail(index, 2);
    expect(await one.candidates()).toEqual([]);
  });
});

describe('when all are dead (D.4 requirement 20)', () => {
  async function allDead(policy: object) {
    const world = await startWorkers(3, policy);
    const { backends } = await world.one.route();
    for (const backend of backends)
      await world.store.markDead({ host: name, frontend: name, backend, size: 3, ttl: 60, write: true, probed: true });
    return { ...world, backends };
  }

  it('none is used, as in Hipache', async () => {
    expect(await (await allDead({})).one.candidates()).toEqual([]);
  });

  it('all are used in a panic, each once for a request', async () => {
    const { one } = await allDead({ panic: true });
    expect(await one.candidates()).toEqual([0, 1, 2]);
    expect(await one.candidates([1])).toEqual([0, 2]);
  });

  it('those under maintenance are not, even in a panic', async () => {
    const { one, store, backends } = await allDead({ panic: true });
    await store.maintain({ frontend: name, backend: backends[0]!, on: true, ttl: 60 });
    expect(await one.candidates()).toEqual([1, 2]);
  });

  it('a panic is over when one is alive, also for a request that has tried it', async () => {
    const { one, store, backends } = await allDead({ panic: true });
    await store.revive([{ name, entry: backends[1]!.entry, members: ['1'] }]);
    expect(await one.candidates()).toEqual([1]);
    expect(await one.candidates([1])).toEqual([]);
  });
});

describe('a threshold without a breaker (D.4 requirement 18)', () => {
  it('marks at the n-th failure within the window, for the time of the policy, in every worker', async () => {
    const { one, two } = await startWorkers(3, { threshold: 3, window: '5s', ttl: '7s' });
    await one.fail(1, 2);
    expect(await two.candidates()).toEqual([0, 1, 2]);
    await one.fail(1);
    expect(await one.candidates()).toEqual([0, 2]);
    expect(await two.candidates()).toEqual([0, 2]);
    pass(7_001);
    expect(await two.candidates()).toEqual([0, 1, 2]);
  });
});

describe('maintenance (D.4 requirement 20)', () => {
  it('takes a backend out for every worker, for ever', async () => {
    const { one, two, store } = await startWorkers(2, null);
    const { backends } = await one.route();
    await store.maintain({ frontend: name, backend: backends[0]!, on: true, ttl: 60 });
    pass(86_400_000);
    expect(await one.candidates()).toEqual([1]);
    await store.maintain({ frontend: name, backend: backends[0]!, on: false, ttl: 60 });
    expect(await two.candidates()).toEqual([0, 1]);
  });

  it('lets sticky sessions drain until the time of the policy', async () => {
    const { one, store } = await startWorkers(2, { drain: '5m' });
    const backend = (await one.route()).backends[0]!;
    const drains = async () => one.view.drains(await one.route(), backend);
    expect(await drains()).toBe(false);
    await store.maintain({ frontend: name, backend, on: true, ttl: 60 });
    expect(await drains()).toBe(true);
    pass(299_999);
    expect(await drains()).toBe(true);
    pass(1);
    expect(await drains()).toBe(false);
  });

  it('lets nothing drain unless the policy says so', async () => {
    const { one, store } = await startWorkers(2, {});
    const backend = (await one.route()).backends[0]!;
    await store.maintain({ frontend: name, backend, on: true, ttl: 60 });
    expect(one.view.drains(await one.route(), backend)).toBe(false);
  });
});
