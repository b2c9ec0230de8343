import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyPace } from '../../../src/listener/body-pace.js';

const rate = 100;
const grace = 10_000;

describe('the pace of a body', () => {
  it('allows as much silence as the grace at its beginning', () => {
    const pace = new BodyPace(rate, grace);
    expect(pace.owed(0, 0)).toBe(grace);
    expect(pace.owed(9_999, 0)).toBeGreaterThan(0);
    expect(pace.owed(10_000, 0)).toBeLessThanOrEqual(0);
  });

  it('allows any length to one that keeps to the rate, in drops or in gulps', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: grace - 1 }), { maxLength: 100 }), (pauses) => {
        const pace = new BodyPace(rate, grace);
        let now = 0;
        let received = 0;
        pace.owed(now, received);
        for (const pause of pauses) {
          now += pause;
          received += Math.ceil((pause * rate) / 1000);
          expect(pace.owed(now, received)).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('ends one that trickles, as late as the difference of the rates says', () => {
    const pace = new BodyPace(rate, grace);
    pace.owed(0, 0);
    let now = 0;
    while (pace.owed(now + 100, (now + 100) / 20) > 0) now += 100;
    // Half of the rate: the credit lasts twice the grace.
    expect(now).toBeGreaterThanOrEqual(2 * grace - 200);
    expect(now).toBeLessThanOrEqual(2 * grace);
  });

  it('lets a fast beginning pay for no more than the grace', () => {
    const pace = new BodyPace(rate, grace);
    pace.owed(0, 0);
    pace.owed(100, 1_000_000);
    expect(pace.owed(100 + grace - 1, 1_000_000)).toBeGreaterThan(0);
    expect(pace.owed(100 + grace, 1_000_000)).toBeLessThanOrEqual(0);
  });

  it('does not count the time in which nobody takes the bytes', () => {
    const pace = new BodyPace(rate, grace);
    pace.owed(0, 0);
    pace.rest(4_000, 0);
    expect(pace.owed(100_000, 0)).toBe(6_000);
    expect(pace.owed(105_999, 0)).toBeGreaterThan(0);
    expect(pace.owed(106_001, 0)).toBeLessThanOrEqual(0);
  });

  it('begins anew with another body', () => {
    const pace = new BodyPace(rate, grace);
    pace.owed(0, 0);
    pace.owed(9_000, 5);
    pace.begin();
    expect(pace.owed(20_000, 0)).toBe(grace);
  });
});
