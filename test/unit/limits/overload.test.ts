import { describe, expect, it } from 'vitest';
import { LoopDelay, Overload } from '../../../src/limits/overload.js';
import { eventually } from '../../helpers/eventually.js';

const limit = 100;
const patience = 1000;

/** An overload whose delays a test gives, one for each quarter of a second. */
function withDelays() {
  let delay = 0;
  let now = 0;
  const told: boolean[] = [];
  const overload = new Overload({ limit, patience, measure: () => delay, changed: (shedding) => told.push(shedding) });
  const pass = (...delays: readonly number[]): void => {
    for (const one of delays) {
      delay = one;
      now += 250;
      overload.sweep(now);
    }
  };
  return { overload, pass, told };
}

describe('an overload', () => {
  it('does not begin with one long turn', () => {
    const { overload, pass } = withDelays();
    pass(0, 5000, 0, 5000, 0);
    expect(overload.shedding).toBe('nothing');
    expect(overload.episode).toBe(0);
  });

  it('begins with a delay that stays, and turns new connections away', () => {
    const { overload, pass, told } = withDelays();
    pass(limit, limit);
    expect(overload.shedding).toBe('connections');
    expect(overload.episode).toBe(1);
    expect(told).toEqual([true]);
  });

  it('turns all new requests away from twice the delay on, for as long as it is that', () => {
    const { overload, pass } = withDelays();
    pass(2 * limit, 2 * limit);
    expect(overload.shedding).toBe('requests');
    pass(limit);
    expect(overload.shedding).toBe('connections');
  });

  it('ends when the delay has been small for a while, and not before', () => {
    const { overload, pass, told } = withDelays();
    pass(limit, limit, 0, 0, 0, limit * 0.8, 0, 0, 0);
    expect(overload.shedding).toBe('connections');
    pass(0);
    expect(overload.shedding).toBe('nothing');
    expect(told).toEqual([true, false]);
    pass(limit, limit);
    expect(overload.episode).toBe(2);
  });

  it('leaves health green until it lasts', () => {
    const { overload, pass } = withDelays();
    pass(limit, limit);
    expect(overload.lasts).toBe(false);
    pass(limit, limit, limit);
    expect(overload.lasts).toBe(false);
    pass(limit);
    expect(overload.lasts).toBe(true);
    pass(0, 0, 0, 0);
    expect(overload.lasts).toBe(false);
  });

  it('is not looked for with a limit of 0', () => {
    const measure = (): number => expect.unreachable();
    const overload = new Overload({ limit: 0, patience, measure, changed: measure });
    overload.sweep(250);
    expect(overload.shedding).toBe('nothing');
  });
});

describe('the delay of the event loop', () => {
  it('is small where nothing is done, and tells of long turns', async () => {
    const delay = new LoopDelay();
    delay.start();
    try {
      const begun = performance.now();
      await eventually('some looks', () => performance.now() - begun > 200);
      const idle = delay.mean();
      const busyUntil = performance.now() + 600;
      await eventually('long turns', () => {
        const turnEnd = performance.now() + 150;
        while (performance.now() < turnEnd);
        return performance.now() > busyUntil;
      });
      const busy = delay.mean();
      expect(busy).toBeGreaterThan(70);
      expect(idle).toBeLessThan(busy);
    } finally {
      delay.stop();
    }
  });
});
