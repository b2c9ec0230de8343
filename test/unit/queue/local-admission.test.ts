import { performance } from 'node:perf_hooks';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Place, QueueLimits, Refusal, Waiter } from '../../../src/queue/admission.js';
import { LocalAdmission } from '../../../src/queue/local-admission.js';

/** One who comes to the line of a frontend, and what became of it. */
class Guest implements Waiter {
  readonly name: number;
  readonly #log: number[];
  state: 'outside' | 'waiting' | 'in flight' | 'refused' = 'outside';
  why: Refusal | null = null;
  giveBack: () => void = () => {};
  calls = 0;

  constructor(name: number, log: number[] = []) {
    this.name = name;
    this.#log = log;
  }

  comes(admission: LocalAdmission<Guest>, limits: QueueLimits, frontend = 'example.com'): this {
    const line = admission.line(frontend, limits);
    if (line.enter()) {
      this.state = 'in flight';
      this.#log.push(this.name);
      this.giveBack = line.leave;
      return this;
    }
    const place: Place | null = line.wait(this);
    this.state = place === null ? 'refused' : 'waiting';
    if (place !== null) this.giveBack = () => place.giveBack();
    return this;
  }

  goes(): void {
    this.giveBack();
    this.giveBack = () => {};
    this.state = 'outside';
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

const limits = (active: number, waiting: number, timeout = 0): QueueLimits => ({ active, waiting, timeout });

const setUp = () => {
  const admission = new LocalAdmission<Guest>();
  const log: number[] = [];
  let names = 0;
  return {
    admission,
    log,
    come: (bounds: QueueLimits, frontend?: string) => new Guest(names++, log).comes(admission, bounds, frontend),
  };
};

describe('a line', () => {
  it('lets so many in, so many wait, and refuses the next', () => {
    const { come } = setUp();
    const states = Array.from({ length: 6 }, () => come(limits(2, 3)).state);
    expect(states).toEqual(['in flight', 'in flight', 'waiting', 'waiting', 'waiting', 'refused']);
  });

  it('refuses at once where nobody may wait', () => {
    const { come } = setUp();
    expect([come(limits(1, 0)).state, come(limits(1, 0)).state]).toEqual(['in flight', 'refused']);
  });

  it('lets in one for each that leaves, in the order in which they came', () => {
    const { come, log } = setUp();
    const guests = Array.from({ length: 4 }, () => come(limits(1, 9)));
    expect(log).toEqual([0]);
    for (let turn = 0; turn < 3; turn++) {
      guests[turn]!.goes();
      expect(log).toEqual([0, 1, 2, 3].slice(0, turn + 2));
    }
  });

  it('forgets one that leaves at its head, in its middle or at its end', () => {
    const { come, log, admission } = setUp();
    const guests = Array.from({ length: 6 }, () => come(limits(1, 9)));
    for (const leaver of [1, 3, 5]) guests[leaver]!.goes();
    expect(admission.known('example.com')).toMatchObject({ active: 1, waiting: 2 });
    for (const guest of [0, 2, 4]) guests[guest]!.goes();
    expect(log).toEqual([0, 2, 4]);
    expect(admission.frontends()).toEqual([]);
  });

  it('gives the place of one that leaves as soon as it was let in to the next', () => {
    const { come, log } = setUp();
    const [first, second, third] = Array.from({ length: 3 }, () => come(limits(1, 9)));
    first!.goes();
    second!.goes();
    expect(log).toEqual([0, 1, 2]);
    expect(third!.state).toBe('in flight');
  });

  it('counts a place that is given back twice once', () => {
    const { come, admission } = setUp();
    const [first, second, third] = Array.from({ length: 3 }, () => come(limits(1, 9)));
    first!.goes();
    const again = second!.giveBack;
    second!.goes();
    again();
    expect(admission.known('example.com')).toMatchObject({ active: 1, waiting: 0 });
    expect(third!.state).toBe('in flight');
  });

  it('is one for each frontend', () => {
    const { come, admission } = setUp();
    expect(come(limits(1, 0), 'a.com').state).toBe('in flight');
    expect(come(limits(1, 0), 'b.com').state).toBe('in flight');
    expect(come(limits(1, 0), 'a.com').state).toBe('refused');
    expect(admission.frontends()).toEqual(['a.com', 'b.com']);
  });
});

describe('other limits', () => {
  it('let waiters in at once when there are more', () => {
    const { come, log, admission } = setUp();
    for (let guest = 0; guest < 5; guest++) come(limits(1, 9));
    admission.known('example.com')!.change(limits(3, 9));
    expect(log).toEqual([0, 1, 2]);
    admission.known('example.com')!.change(limits(Number.POSITIVE_INFINITY, 0));
    expect(log).toEqual([0, 1, 2, 3, 4]);
  });

  it('let those in flight and in the line go on when there are fewer', () => {
    const { come, log, admission } = setUp();
    const guests = Array.from({ length: 5 }, () => come(limits(3, 9)));
    admission.known('example.com')!.change(limits(1, 1));
    expect(come(limits(1, 1)).state).toBe('refused');
    for (const guest of guests.slice(0, 2)) guest.goes();
    expect(log).toEqual([0, 1, 2]);
    guests[2]!.goes();
    expect(log).toEqual([0, 1, 2, 3]);
    guests[3]!.goes();
    expect(log).toEqual([0, 1, 2, 3, 4]);
  });
});

/** The clock of the test moves timers and what the line reads. */
function holdTime(): void {
  vi.useFakeTimers();
  vi.spyOn(performance, 'now').mockImplementation(() => Date.now());
}

function releaseTime(): void {
  vi.restoreAllMocks();
  vi.useRealTimers();
}

describe('time', () => {
  beforeEach(holdTime);
  afterEach(releaseTime);

  it('is up for one that has waited for as long as it may', () => {
    const { come, log, admission } = setUp();
    const first = come(limits(1, 9, 1000));
    const second = come(limits(1, 9, 1000));
    vi.advanceTimersByTime(500);
    const third = come(limits(1, 9, 1000));
    vi.advanceTimersByTime(499);
    expect(second.state).toBe('waiting');
    vi.advanceTimersByTime(30);
    expect([second.state, second.why, third.state]).toEqual(['refused', 'timeout', 'waiting']);
    first.goes();
    expect(log).toEqual([0, 2]);
    vi.advanceTimersByTime(5000);
    expect(third.state).toBe('in flight');
    expect(admission.known('example.com')).toMatchObject({ active: 1, waiting: 0 });
  });

  it('is counted from when one came, also under a limit that came later', () => {
    const { come, admission } = setUp();
    come(limits(1, 9));
    const patient = come(limits(1, 9));
    vi.advanceTimersByTime(3_600_000);
    expect(patient.state).toBe('waiting');
    const late = come(limits(1, 9));
    admission.known('example.com')!.change(limits(1, 9, 60_000));
    vi.advanceTimersByTime(20);
    expect([patient.state, late.state]).toEqual(['refused', 'waiting']);
    admission.known('example.com')!.change(limits(1, 9));
    vi.advanceTimersByTime(3_600_000);
    expect(late.state).toBe('waiting');
  });

  it('costs no timer where nobody waits', () => {
    const { come } = setUp();
    come(limits(1, 9, 1000)).goes();
    expect(vi.getTimerCount()).toBe(0);
  });
});

type Step =
  | { readonly kind: 'come' }
  | { readonly kind: 'go'; readonly who: number }
  | { readonly kind: 'change'; readonly active: number; readonly waiting: number; readonly timeout: number }
  | { readonly kind: 'time'; readonly passes: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ kind: 'come' } as const) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('go' as const), who: fc.nat(40) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      active: fc.integer({ min: 1, max: 5 }),
      waiting: fc.nat(6),
      timeout: fc.constantFrom(0, 0, 50, 500),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), passes: fc.nat(200) }) },
);

describe('a line under all of it', () => {
  beforeEach(holdTime);
  afterEach(releaseTime);

  it('never exceeds its limits, keeps the order and leaks nothing, whoever comes and goes and whatever changes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { admission, log } = setUp();
        const guests: Guest[] = [];
        let bounds = limits(2, 3);
        /** Those in flight when the limit became lower may stay. */
        let most = 2;
        const here = (state: Guest['state']) => guests.filter((guest) => guest.state === state).length;
        for (const now of steps) {
          if (now.kind === 'come') {
            const before = { active: here('in flight'), waiting: here('waiting') };
            const guest = new Guest(guests.length, log).comes(admission, bounds);
            const expected =
              before.active < bounds.active && before.waiting === 0
                ? 'in flight'
                : before.waiting < bounds.waiting
                  ? 'waiting'
                  : 'refused';
            expect(guest.state).toBe(expected);
            guests.push(guest);
          } else if (now.kind === 'go') guests[now.who]?.goes();
          else if (now.kind === 'time') vi.advanceTimersByTime(now.passes);
          else {
            bounds = limits(now.active, now.waiting, now.timeout);
            admission.known('example.com')?.change(bounds);
          }
          const active = here('in flight');
          const waiting = here('waiting');
          most = Math.max(bounds.active, Math.min(most, active));
          expect(active).toBeLessThanOrEqual(most);
          // Nobody waits in front of a free place, and the line counts right.
          if (waiting > 0) expect(active).toBeGreaterThanOrEqual(bounds.active);
          expect(admission.known('example.com')?.active ?? 0).toBe(active);
          expect(admission.known('example.com')?.waiting ?? 0).toBe(waiting);
          expect(log).toEqual([...log].sort((a, b) => a - b));
          for (const guest of guests) expect(guest.calls).toBeLessThanOrEqual(1);
        }
        for (const guest of guests) guest.goes();
        expect(admission.frontends()).toEqual([]);
        expect(here('waiting')).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
