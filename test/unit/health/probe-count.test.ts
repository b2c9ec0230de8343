import { describe, expect, it } from 'vitest';
import { ProbeCount } from '../../../src/health/probe-count.js';

/** The probes after which what is thought of a backend changed. `+` succeeded, `-` failed. */
function changes(probes: string, { rise = 2, fall = 3, dead = false } = {}): number[] {
  const count = new ProbeCount(dead);
  return [...probes].flatMap((probe, at) => (count.probed(probe === '+', rise, fall) ? [at] : []));
}

describe('rise and fall (D.4 requirement 20)', () => {
  it('kill after so many failures in a row', () => {
    expect(changes('--')).toEqual([]);
    expect(changes('---')).toEqual([2]);
    expect(changes('--+--+--')).toEqual([]);
    expect(changes('--+---')).toEqual([5]);
  });

  it('revive after so many successes in a row', () => {
    expect(changes('+-+-', { dead: true })).toEqual([]);
    expect(changes('+-++', { dead: true })).toEqual([3]);
  });

  it('go back and forth', () => {
    expect(changes('---++---', { rise: 2, fall: 3 })).toEqual([2, 4, 7]);
    expect(changes('-+-+', { rise: 1, fall: 1 })).toEqual([0, 1, 2, 3]);
  });

  it('begin anew when others found out something', () => {
    const count = new ProbeCount(false);
    count.probed(false, 2, 3);
    count.probed(false, 2, 3);
    count.told(true);
    expect(count.probed(true, 2, 3)).toBe(false);
    count.told(true);
    expect(count.probed(true, 2, 3)).toBe(true);
    expect(count.dead).toBe(false);
  });
});
