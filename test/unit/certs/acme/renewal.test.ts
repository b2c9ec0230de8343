import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adviceLasts, parseRenewalWindow, renewalTime, retryDelay } from '../../../../src/certs/acme/renewal.js';

const day = 86_400_000;
const certificate = (fingerprint: string) => ({ notBefore: 0, notAfter: 90 * day, fingerprint });

describe('the time of a renewal', () => {
  it('is two thirds of a life, up to three per cent of it earlier or later, the same on each node', () => {
    expect(renewalTime(certificate('80:00:00:00:AA'), null)).toBeCloseTo(60 * day, -3);
    expect(renewalTime(certificate('00:00:00:00'), null)).toBeCloseTo(57.3 * day, -3);
    expect(renewalTime(certificate('FF:FF:FF:FF'), null)).toBeCloseTo(62.7 * day, -3);
  });

  it('is within the window of the authority where there is one', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[0-9A-F]{8}$/),
        fc.nat(90 * day),
        fc.integer({ min: 1, max: day }),
        (drawn, start, length) => {
          const at = renewalTime(certificate(drawn), { start, end: start + length });
          return at >= start && at < start + length;
        },
      ),
    );
  });
});

it('advice that makes no sense is none', () => {
  const window = (start: unknown, end: unknown) => parseRenewalWindow({ suggestedWindow: { start, end } });
  expect(window('2026-01-02T04:00:00Z', '2026-01-03T04:00:00Z')).toEqual({
    start: Date.UTC(2026, 0, 2, 4),
    end: Date.UTC(2026, 0, 3, 4),
  });
  for (const [start, end] of [
    ['2026-01-03T04:00:00Z', '2026-01-02T04:00:00Z'],
    ['soon', 'later'],
    [undefined, null],
  ])
    expect(window(start, end)).toBe(null);
  expect(parseRenewalWindow({})).toBe(null);
  expect(parseRenewalWindow({ suggestedWindow: 7 })).toBe(null);
});

it('an authority is asked neither every second nor once a year, whatever it says', () => {
  expect(adviceLasts(0)).toBe(6 * 3_600_000);
  expect(adviceLasts(1_000)).toBe(60_000);
  expect(adviceLasts(3_600_000)).toBe(3_600_000);
  expect(adviceLasts(365 * day)).toBe(day);
});

it('the wait after failures doubles up to a day, and is no shorter than the authority asks for, up to a day', () => {
  expect([1, 2, 3].map((failures) => retryDelay(failures, 60_000, 0, 0.5))).toEqual([60_000, 120_000, 240_000]);
  expect(retryDelay(500, 60_000, 0, 0.5)).toBe(day);
  expect(retryDelay(1, 60_000, 3_600_000, 0)).toBe(3_600_000);
  expect(retryDelay(1, 60_000, 365 * day, 0)).toBe(day);
});
