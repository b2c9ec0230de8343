import { tmpdir } from 'node:os';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.js';
import { classifyConnectError } from '../../../src/errors/classify.js';
import type { ProbeResult } from '../../../src/health/probe.js';
import { parseStream, type StreamPlan } from '../../../src/model/stream.js';
import type { StreamTarget } from '../../../src/model/stream-target.js';
import { createStreamCounters } from '../../../src/observe/stream-counters.js';
import { Targets } from '../../../src/stream/targets.js';
import { recordingLogger } from '../../helpers/recording-logger.js';

let now = 0;
let probes: { target: string; settle(result: ProbeResult): void }[] = [];
let counters = createStreamCounters('db');
beforeEach(() => {
  now = 1_000;
  probes = [];
  counters = createStreamCounters('db');
});

function planOf(targets: readonly string[], hash: readonly string[] = []): StreamPlan {
  const streams = [{ name: 'db', port: 0, strategy: 'ROUND_ROBIN' }];
  const [config] = loadConfig({ env: {}, cwd: tmpdir(), root: false, settings: { streams } }).streams;
  if (config === undefined) throw new Error('no stream');
  const plan = parseStream(config, { values: hash, fault: '' }, { values: targets, fault: '' });
  expect(plan.faults).toEqual([]);
  return plan;
}

function create(plan: StreamPlan): { targets: Targets; said(): string[] } {
  const { logger, lines } = recordingLogger();
  const targets = new Targets({
    plan,
    log: logger,
    counters,
    startProbe: (target) => {
      let settle: (result: ProbeResult) => void = () => undefined;
      const result = new Promise<ProbeResult>((resolve) => {
        settle = resolve;
      });
      probes.push({ target: target.id, settle });
      return { result, stop: () => settle({ kind: 'ill', why: 'stopped' }) };
    },
    deadTime: 30_000,
    recoveryInterval: 5_000,
    now: () => now,
  });
  return { targets, said: () => lines.map(({ msg }) => msg) };
}

const a = 'tcp://10.0.0.1:1#id=a';
const b = 'tcp://10.0.0.2:1#id=b';
const c = 'tcp://10.0.0.3:1#id=c';
const refused = classifyConnectError(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }));
const ownTrouble = classifyConnectError(Object.assign(new Error('no'), { code: 'EADDRNOTAVAIL' }));

function picked(targets: Targets, tried: readonly string[] = [], key = '192.0.2.1'): string {
  const pick = targets.pick(key, tried);
  return typeof pick === 'string' ? pick : pick.id;
}

function byId(plan: StreamPlan, id: string): StreamTarget {
  return plan.targets.find((target) => target.id === id) as StreamTarget;
}

describe('the targets of a stream', () => {
  it('are taken in turn, without those that were tried, have weight 0, or are backups', () => {
    const { targets } = create(planOf([a, `${b}&weight=0`, c, 'tcp://10.0.0.4:1#id=d&backup']));
    expect([picked(targets), picked(targets), picked(targets)]).toEqual(['a', 'c', 'a']);
    expect(picked(targets, ['a'])).toBe('c');
    expect(picked(targets, ['a', 'c'])).toBe('d');
    expect(picked(targets, ['a', 'c', 'd'])).toBe('none');
    expect(picked(create(planOf([`${a}&weight=0`])).targets)).toBe('none');
  });

  it('that are dead are left out, said once, and tried only where there is no other', () => {
    const plan = planOf([a, b]);
    const { targets, said } = create(plan);
    targets.failed(byId(plan, 'a'), refused);
    targets.failed(byId(plan, 'a'), refused);
    expect(said()).toEqual(['stream db: target tcp://10.0.0.1:1 is dead (ECONNREFUSED)']);
    expect([picked(targets), picked(targets)]).toEqual(['b', 'b']);
    expect(picked(targets, ['b'])).toBe('a');
    targets.connected(byId(plan, 'a'), 3);
    expect(said()[1]).toBe('stream db: target tcp://10.0.0.1:1 is back');
    expect(new Set([picked(targets), picked(targets)])).toEqual(new Set(['a', 'b']));
    expect(counters).toMatchObject({ connectFailures: 2, deadMarks: 1 });
  });

  it('are not dead for trouble of our own', () => {
    const plan = planOf([a, b]);
    const { targets, said } = create(plan);
    targets.failed(byId(plan, 'a'), ownTrouble);
    expect(said()).toEqual([]);
    expect(new Set([picked(targets), picked(targets)])).toEqual(new Set(['a', 'b']));
  });

  it('that are dead are probed, stay dead while they are ill, and come back when they are well', async () => {
    const plan = planOf([a, b]);
    const { targets, said } = create(plan);
    targets.failed(byId(plan, 'a'), refused);
    targets.sweep();
    expect(probes).toHaveLength(0);
    for (let round = 1; round <= 10; round++) {
      now += 5_000;
      targets.sweep();
      expect(probes).toHaveLength(round);
      probes[round - 1]?.settle({ kind: 'ill', why: 'ECONNREFUSED' });
      await Promise.resolve();
      expect([picked(targets), picked(targets)]).toEqual(['b', 'b']);
    }
    now += 5_000;
    targets.sweep();
    probes.at(-1)?.settle({ kind: 'well' });
    await Promise.resolve();
    expect(said()).toHaveLength(2);
    expect(new Set([picked(targets), picked(targets)])).toEqual(new Set(['a', 'b']));
  });

  it('that are alive are probed too where that is asked for, and are dead from the first failure to the next success', async () => {
    const plan = planOf([a, b], ['checkInterval', '2s']);
    const { targets, said } = create(plan);
    targets.sweep();
    expect(probes.map(({ target }) => target)).toEqual(['a', 'b']);
    probes[0]?.settle({ kind: 'well' });
    probes[1]?.settle({ kind: 'ill', why: 'ETIMEDOUT' });
    await Promise.resolve();
    expect(said()).toEqual(['stream db: target tcp://10.0.0.2:1 is dead (ETIMEDOUT)']);
    expect([picked(targets), picked(targets)]).toEqual(['a', 'a']);
    now += 2_000;
    targets.sweep();
    expect(probes.slice(2).map(({ target }) => target)).toEqual(['a', 'b']);
    probes[2]?.settle({ kind: 'well' });
    probes[3]?.settle({ kind: 'well' });
    await Promise.resolve();
    expect(said()[1]).toBe('stream db: target tcp://10.0.0.2:1 is back');
    expect(new Set([picked(targets), picked(targets)])).toEqual(new Set(['a', 'b']));
    expect(counters.deadMarks).toBe(1);
  });

  it('that are probed when the stream closes are not said to be dead', async () => {
    const { targets, said } = create(planOf([a], ['checkInterval', '2s']));
    targets.sweep();
    targets.close();
    probes[0]?.settle({ kind: 'ill', why: 'stopped' });
    await Promise.resolve();
    expect(said()).toEqual([]);
  });

  it('that are full are left out until a connection ends, and who waits is told', () => {
    const plan = planOf([`${a}&max=1`, b], ['targetConnections', '2']);
    const { targets } = create(plan);
    let freed = 0;
    const end = targets.onFree(() => {
      freed++;
    });
    targets.opened(byId(plan, 'a'));
    expect([picked(targets), picked(targets)]).toEqual(['b', 'b']);
    targets.opened(byId(plan, 'b'));
    targets.opened(byId(plan, 'b'));
    expect(picked(targets)).toBe('full');
    expect(Object.fromEntries(counters.targets)).toEqual({ a: 1, b: 2 });
    targets.released(byId(plan, 'a'));
    expect(freed).toBe(1);
    expect(picked(targets)).toBe('a');
    end();
    targets.released(byId(plan, 'b'));
    expect(freed).toBe(1);
    expect(Object.fromEntries(counters.targets)).toEqual({ b: 1 });
  });

  it('keep their standing when the list changes, and are forgotten when they have gone', () => {
    const plan = planOf([a, b], ['targetConnections', '1']);
    const { targets } = create(plan);
    targets.opened(byId(plan, 'a'));
    targets.failed(byId(plan, 'b'), refused);
    targets.update(planOf([c, b, a], ['targetConnections', '1']));
    expect([picked(targets), picked(targets)]).toEqual(['c', 'c']);
    targets.update(planOf([c]));
    targets.released(byId(plan, 'a'));
    targets.update(planOf([b]));
    expect(picked(targets)).toBe('b');
  });

  it('follow the strategy: the least busy by weight, or one for each address', () => {
    const least = planOf([a, `${b}&weight=2`], ['strategy', 'LEAST_CONNECTIONS']);
    const { targets } = create(least);
    const chosen: string[] = [];
    for (let client = 0; client < 6; client++) {
      const pick = targets.pick('192.0.2.1', []);
      if (typeof pick === 'string') throw new Error(pick);
      chosen.push(pick.id);
      targets.opened(pick);
    }
    expect(chosen.filter((id) => id === 'b')).toHaveLength(4);
    const hashed = create(planOf([a, b, c], ['strategy', 'IP_HASH'])).targets;
    const homes = Array.from({ length: 40 }, (_, last) => picked(hashed, [], `192.0.2.${last}`));
    expect(new Set(homes).size).toBe(3);
    expect(homes.map((_, last) => picked(hashed, [], `192.0.2.${last}`))).toEqual(homes);
  });
});
