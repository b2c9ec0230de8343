// Probes for the fleet, on a clock that the test moves and with backends that are as well as the test says.
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FleetHealth } from '../../../src/health/fleet-health.js';
import type { ProbeResult, StartProbe } from '../../../src/health/probe.js';
import type { Backend } from '../../../src/model/backend.js';
import { deathsOf } from '../../../src/model/dead-set.js';
import { parseBackends } from '../../../src/model/parse-backends.js';
import { MemoryStore } from '../../../src/store/memory-store.js';
import type { StoreListener } from '../../../src/store/store.js';
import { pass, settle } from './workers.js';

const name = 'example.com';
const entries = ['http://10.0.0.1:80', 'http://10.0.0.2:80'];
const { backends } = parseBackends(entries);

/** A store and the worker that probes. */
async function start(more: { recoveryInterval?: number; hchecker?: boolean; most?: number } = {}) {
  const store = new MemoryStore(null, () => undefined);
  const ill = new Set<string>();
  const probed: string[] = [];
  const hanging: ((result: ProbeResult) => void)[] = [];
  let hang = false;
  const logged: string[] = [];
  const note = (text: string) => void logged.push(text);
  const startProbe: StartProbe = (backend, request) => {
    probed.push(`${request.type} ${backend.entry}`);
    const found: ProbeResult = ill.has(backend.entry) ? { kind: 'ill', why: 'status 500' } : { kind: 'well' };
    if (!hang) return { result: Promise.resolve(found), stop: () => undefined };
    let answer: (result: ProbeResult) => void = () => undefined;
    const result = new Promise<ProbeResult>((resolve) => {
      answer = resolve;
    });
    hanging.push(answer);
    return { result, stop: () => answer({ kind: 'ill', why: 'stopped' }) };
  };
  const fleet = new FleetHealth({
    store,
    startProbe,
    hchecker: { active: more.hchecker ?? false },
    log: { debug: note, info: note, warn: note, error: note },
    deadBackendTTL: 30,
    recoveryInterval: more.recoveryInterval ?? 60_000,
    connectTimeout: 10_000,
  });
  const listener: StoreListener = fleet;
  await store.start(listener);
  onTestFinished(() => fleet.stop());
  return {
    store,
    fleet,
    ill,
    probed,
    logged,
    hanging,
    hang: (on: boolean) => {
      hang = on;
    },
    /** Lets time pass, a quarter of a second a tick. */
    async run(seconds: number) {
      for (let tick = 0; tick < seconds * 4; tick++) {
        pass(250);
        fleet.sweep();
        await settle();
      }
    },
    async dead(frontend = name, list: readonly Backend[] = backends) {
      const deaths = deathsOf(await store.readFrontends([frontend]), list, Date.now());
      return list.filter((_backend, at) => (deaths[at] ?? null) !== null).map((backend) => backend.index);
    },
    mark: (index: number, ttl = 30, host = name, frontend = name) =>
      store.markDead({ host, frontend, backend: backends[index] as Backend, size: 2, ttl, write: true }),
    check: (fields: Record<string, string>) => store.writeRecord('healthcheck', name, Object.entries(fields).flat()),
  };
}

type World = Awaited<ReturnType<typeof start>>;

/** With a frontend, and leading. */
async function leading(more: Parameters<typeof start>[0] = {}): Promise<World> {
  const world = await start(more);
  await world.store.writeFrontend(name, 'id', entries);
  world.fleet.start();
  await settle();
  expect(world.fleet.leads).toBe(true);
  return world;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
  onTestFinished(() => void vi.useRealTimers());
});

const seconds = { path: '/', interval: '1s', timeout: '500ms', rise: '2', fall: '3' };

describe('active checks (D.4 requirement 20)', () => {
  it('kill after `fall` failures and revive after `rise` successes', async () => {
    const world = await leading();
    await world.check(seconds);
    await world.run(3);
    expect(await world.dead()).toEqual([]);
    world.ill.add(entries[1]!);
    const before = world.probed.length;
    await world.run(1.5);
    expect(await world.dead()).toEqual([]);
    await world.run(3);
    expect(await world.dead()).toEqual([1]);
    expect(world.probed.length - before).toBeGreaterThanOrEqual(6);
    expect(world.logged).toContainEqual('example.com: backend #1 is dead (3 probes in a row failed: status 500)');
    world.ill.clear();
    await world.run(1);
    expect(await world.dead()).toEqual([1]);
    await world.run(2);
    expect(await world.dead()).toEqual([]);
    expect(world.logged).toContainEqual('example.com: backend #1 is alive (2 probes in a row succeeded)');
  });

  it('keep dead what still fails, for longer than any mark lasts', async () => {
    const world = await leading();
    await world.check(seconds);
    world.ill.add(entries[0]!);
    await world.run(6);
    for (let turn = 0; turn < 100; turn++) {
      await world.run(1);
      expect(await world.dead()).toEqual([0]);
    }
    expect(world.logged.filter((line) => line.includes('is dead'))).toHaveLength(1);
  });

  it('revive what requests found dead, before its time is up', async () => {
    const world = await leading();
    await world.check(seconds);
    await world.run(2);
    await world.mark(0, 3600);
    await world.run(4);
    expect(await world.dead()).toEqual([]);
  });

  it('kill the only backend too: a person asked for the check', async () => {
    const world = await leading();
    await world.store.writeFrontend(name, 'id', [entries[0]!]);
    await world.check(seconds);
    world.ill.add(entries[0]!);
    await world.run(6);
    expect(await world.dead()).toEqual([0]);
  });

  it('follow changes of the check and of the list, and end with them', async () => {
    const world = await leading();
    await world.check(seconds);
    await world.run(2);
    expect(new Set(world.probed)).toEqual(new Set(entries.map((entry) => `http ${entry}`)));
    await world.check({ type: 'tcp', interval: '1s' });
    await world.store.writeFrontend(name, 'id', ['http://10.0.0.3:80']);
    await world.run(0.25);
    world.probed.length = 0;
    await world.run(3);
    expect(new Set(world.probed)).toEqual(new Set(['tcp http://10.0.0.3:80']));
    await world.store.writeRecord('healthcheck', name, []);
    await world.run(0.25);
    world.probed.length = 0;
    await world.run(3);
    expect(world.probed).toEqual([]);
  });

  it('say once what is wrong with a check', async () => {
    const world = await leading();
    await world.check({ interval: 'often' });
    await world.run(1);
    await world.store.writeFrontend(name, 'id', entries);
    await world.run(1);
    expect(world.logged.filter((line) => line.includes('interval'))).toEqual([
      expect.stringContaining('healthcheck:example.com: interval is "often"; allowed: seconds'),
    ]);
  });

  it('do not touch maintenance, and do not revive it', async () => {
    const world = await leading();
    await world.check(seconds);
    await world.store.maintain({ frontend: name, backend: backends[0]!, on: true, ttl: 60 });
    await world.run(10);
    expect(await world.dead()).toEqual([0]);
    world.ill.add(entries[0]!);
    await world.run(10);
    await world.store.maintain({ frontend: name, backend: backends[0]!, on: false, ttl: 60 });
    world.ill.clear();
    await world.run(10);
    expect(await world.dead()).toEqual([]);
  });

  it('leave an opened breaker to its trial while they succeed', async () => {
    const world = await leading();
    await world.check(seconds);
    const retryAt = Date.now() + 3_600_000;
    const mark = { host: name, frontend: name, backend: backends[0]!, size: 2, ttl: 7200, write: true };
    await world.store.markDead({ ...mark, retryAt, opens: 1 });
    await world.run(10);
    expect(await world.dead()).toEqual([0]);
  });

  it('revive a backend of a wildcard for its hosts too', async () => {
    const world = await leading();
    await world.store.writeFrontend('*.wild.tld', 'id', entries);
    await world.store.writeRecord('healthcheck', '*.wild.tld', Object.entries(seconds).flat());
    await world.run(1);
    await world.mark(0, 3600, 'a.wild.tld', '*.wild.tld');
    await world.run(4);
    expect(await world.dead('*.wild.tld')).toEqual([]);
    expect(await world.dead('a.wild.tld')).toEqual([]);
  });

  it('are bounded: 64 probes at a time, however many are due', async () => {
    const world = await leading();
    const many = Array.from({ length: 200 }, (_, at) => `http://10.0.1.${at}:80`);
    await world.store.writeFrontend(name, 'id', many);
    world.hang(true);
    await world.check({ ...seconds, timeout: '60s' });
    await world.run(5);
    expect(world.probed).toHaveLength(64);
    for (const answer of world.hanging.splice(0)) answer({ kind: 'well' });
    await world.run(1);
    expect(world.probed).toHaveLength(128);
  });
});

describe('the recovery of dead backends (D.4 requirement 20)', () => {
  it('revives what accepts a connection, after the interval and before its time is up', async () => {
    const world = await leading();
    await world.mark(0, 3600);
    await world.run(53);
    expect(await world.dead()).toEqual([0]);
    await world.run(8);
    expect(await world.dead()).toEqual([]);
    expect(world.probed).toEqual([`tcp ${entries[0]}`]);
  });

  it('tries it before its mark ends, and keeps dead what still fails', async () => {
    const world = await leading();
    world.ill.add(entries[0]!);
    await world.mark(0, 30);
    for (let turn = 0; turn < 60; turn++) {
      await world.run(5);
      expect(await world.dead()).toEqual([0]);
    }
    expect(world.probed.length).toBeGreaterThanOrEqual(5);
    expect(world.probed.length).toBeLessThan(10);
    world.ill.clear();
    await world.run(61);
    expect(await world.dead()).toEqual([]);
  });

  it('leaves a mark alone that is younger than a second', async () => {
    const world = await leading({ recoveryInterval: 250 });
    await world.mark(0, 30);
    await world.run(0.75);
    expect(world.probed).toEqual([]);
    await world.run(1);
    expect(await world.dead()).toEqual([]);
  });

  it.each([
    ['where the setting turns it off', { recoveryInterval: 0 }],
    ['beside an active hchecker', { hchecker: true }],
  ])('does not happen %s', async (_where, more) => {
    const world = await leading(more);
    await world.mark(0, 3600);
    await world.run(200);
    expect(world.probed).toEqual([]);
    expect(await world.dead()).toEqual([0]);
  });

  it('leaves maintenance and breakers alone', async () => {
    const world = await leading();
    await world.store.maintain({ frontend: name, backend: backends[0]!, on: true, ttl: 60 });
    const mark = { host: name, frontend: name, backend: backends[1]!, size: 2, ttl: 7200, write: true };
    await world.store.markDead({ ...mark, retryAt: Date.now() + 3_600_000, opens: 1 });
    await world.run(200);
    expect(world.probed).toEqual([]);
    expect(await world.dead()).toEqual([0, 1]);
  });

  it('finds what was dead before it began', async () => {
    const world = await start();
    await world.store.writeFrontend(name, 'id', entries);
    await world.mark(1, 3600);
    world.fleet.start();
    await settle();
    await world.run(62);
    expect(await world.dead()).toEqual([]);
  });

  it('tells those who know no maintenance again and again that its backend is dead', async () => {
    const world = await leading();
    await world.store.maintain({ frontend: name, backend: backends[0]!, on: true, ttl: 60 });
    for (let turn = 0; turn < 10; turn++) {
      await world.run(30);
      expect((await world.store.readFrontends([name]))[0]?.dead).toEqual(['0']);
    }
  });
});

it('nothing is probed by a worker that does not lead (D.4 requirement 20)', async () => {
  const world = await start();
  await world.store.writeFrontend(name, 'id', entries);
  await world.store.takeLease('probes', 'somebody else', 3_600_000);
  world.fleet.start();
  await settle();
  await world.check(seconds);
  await world.mark(0, 3600);
  await world.run(100);
  expect(world.fleet.leads).toBe(false);
  expect(world.probed).toEqual([]);
});

it('what runs is stopped with the worker, and the lease is free for another one (D.4 requirement 20)', async () => {
  const world = await leading();
  world.hang(true);
  await world.check({ ...seconds, fall: '1' });
  await world.run(2);
  expect(world.hanging.length).toBeGreaterThan(0);
  await world.fleet.stop();
  await settle();
  expect(await world.store.takeLease('probes', 'another one', 1000)).toBe(true);
  expect(await world.dead()).toEqual([]);
});
