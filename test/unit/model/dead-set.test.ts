// Which backends are dead: our marks by entry, foreign members by index, entries by hand, expiries.
import { describe, expect, it } from 'vitest';
import { deathsOf, maintenanceOf, membersOf, unmarked } from '../../../src/model/dead-set.js';
import type { DeadMark, FrontendRecord } from '../../../src/model/frontend.js';
import { parseBackends } from '../../../src/model/parse-backends.js';

const now = 1_000_000;
const entries = ['http://a:80', 'http://b:80/base', 'http://c:80#weight=2'];
const { backends } = parseBackends(entries);

function record(
  dead: readonly string[],
  marks: readonly DeadMark[] = [],
  deadUntil = now + 30_000,
  name = 'site',
): FrontendRecord {
  return { name, list: ['site', ...entries], dead, marks, deadUntil, policy: [], policyFault: '', fault: '' };
}

function mark(entry: string, index: number, until = now + 30_000): DeadMark {
  return { entry, index, until };
}

/** Positions of the dead backends. */
function dead(...records: FrontendRecord[]): number[] {
  const answer = deathsOf(records, backends, now);
  return backends.map((_backend, position) => position).filter((position) => answer[position]);
}

describe('members that somebody else wrote', () => {
  it('are indexes', () => {
    expect(dead(record(['1']))).toEqual([1]);
    expect(dead(record(['0', '2']))).toEqual([0, 2]);
  });

  it('are entries, or URLs as they are published', () => {
    expect(dead(record(['http://a:80']))).toEqual([0]);
    expect(dead(record(['http://a:80/']))).toEqual([0]);
    expect(dead(record(['http://b:80']))).toEqual([1]);
    expect(dead(record(['http://b:80/base']))).toEqual([1]);
    expect(dead(record(['http://c:80#weight=2']))).toEqual([2]);
  });

  it.each(['', 'undefined', 'NaN', '-1', '3', '1.5', '01', '1abc', ' 1', 'http://other:80'])('mean nothing as %j', (member) => {
    expect(dead(record([member]))).toEqual([]);
  });
});

describe('members that a mark claims', () => {
  it('stand for the entry of the mark', () => {
    expect(dead(record(['0'], [mark('http://a:80', 0)]))).toEqual([0]);
  });

  it('follow the entry when the list has shifted', () => {
    expect(dead(record(['1'], [mark('http://a:80', 1)]))).toEqual([0]);
  });

  it('hurt nobody when the entry is gone', () => {
    expect(dead(record(['1'], [mark('http://gone:80', 1)]))).toEqual([]);
  });

  it('end with the mark, though others have kept the set alive', () => {
    expect(dead(record(['0', '1'], [mark('http://a:80', 0, now), mark('http://b:80/base', 1, now + 1)]))).toEqual([1]);
  });

  it('may be claimed by two marks', () => {
    expect(dead(record(['0'], [mark('http://a:80', 0), mark('http://b:80/base', 0)]))).toEqual([0, 1]);
  });

  it('mark every backend with the same entry', () => {
    const twice = parseBackends(['http://a:80', 'http://a:80']).backends;
    expect(deathsOf([record(['1'], [mark('http://a:80', 1)])], twice, now).map((death) => death?.kind)).toEqual(['mark', 'mark']);
  });
});

describe('revival', () => {
  it('comes with the removal of the member', () => {
    expect(dead(record(['1'], [mark('http://a:80', 0), mark('http://b:80/base', 1)]))).toEqual([1]);
    expect(dead(record([], [mark('http://a:80', 0)]))).toEqual([]);
  });

  it('comes with the expiry of the set', () => {
    expect(dead(record(['0'], [mark('http://a:80', 0)], now))).toEqual([]);
    expect(dead(record(['0'], [], now))).toEqual([]);
    expect(dead(record(['0'], [], now + 1))).toEqual([0]);
    expect(dead(record(['0'], [], Number.POSITIVE_INFINITY))).toEqual([0]);
  });
});

describe('the records of the host and of the frontend that matched', () => {
  it('both count, by indexes into the list that matched', () => {
    const host = { ...record(['0'], [], now + 1, 'a.site'), list: [] };
    expect(dead(host, record(['2'], [], now + 1, '*.site'))).toEqual([0, 2]);
  });

  it('keep their marks apart: one record does not claim the members of the other', () => {
    const host = { ...record(['0'], [], now + 1, 'a.site'), list: [] };
    expect(dead(host, record([], [mark('http://b:80/base', 0)], now + 1, '*.site'))).toEqual([0]);
  });
});

it('an index means the place in the list, also where a faulty entry stands before it', () => {
  const parsed = parseBackends(['notaurl', 'http://a:80']).backends;
  expect(deathsOf([record(['1'])], parsed, now)).toEqual([{ kind: 'member' }]);
  expect(deathsOf([record(['0'])], parsed, now)).toEqual([]);
});

it('nothing is allocated while nothing is dead', () => {
  expect(deathsOf([record([])], backends, now)).toBe(deathsOf([record(['junk'])], backends, now));
});

describe('maintenance (D.4 requirement 20)', () => {
  const held: DeadMark = { entry: 'http://b:80/base', index: -1, until: Number.POSITIVE_INFINITY, manual: true };

  it('needs no member, and no expiry of the set ends it', () => {
    expect(dead(record([], [held], now))).toEqual([1]);
    expect(dead(record(['0'], [held], now - 1))).toEqual([1]);
  });

  it.each(['http://b:80/base', 'http://b:80', 'b'])('may name its backend as %s', (name) => {
    const named = parseBackends(['http://a:80', 'http://b:80/base#id=b', 'http://b:80/base']).backends;
    const answer = deathsOf([record([], [{ ...held, entry: name }])], named, now);
    expect(answer[0]).toBeNull();
    expect(answer.some((death) => death !== null)).toBe(true);
  });

  it('goes before what else is said of its backend', () => {
    const answer = deathsOf([record(['1'], [held])], backends, now);
    expect(answer[1]).toEqual({ kind: 'mark', mark: held });
    expect(maintenanceOf([record(['1'], [held])], backends[1]!)).toBe(held);
    expect(maintenanceOf([record(['1'], [held])], backends[0]!)).toBeNull();
  });

  it('claims its index, so that a shifted list hurts nobody', () => {
    expect(dead(record(['0'], [{ ...held, index: 0 }]))).toEqual([1]);
  });
});

describe('the members that keep a backend dead', () => {
  it('are the index of its mark, its own index, and its names', () => {
    expect(membersOf(record(['1', '0', '2'], [mark('http://a:80', 1)]), backends[0]!)).toEqual(['1', '0']);
    expect(membersOf(record(['http://a:80', 'http://a:80/', '1']), backends[0]!)).toEqual(['http://a:80', 'http://a:80/']);
  });

  it('are none that the mark of another backend claims', () => {
    expect(membersOf(record(['0'], [mark('http://a:80', 0), mark('http://b:80/base', 0)]), backends[0]!)).toEqual([]);
  });
});

it('records without members and marks say nothing', () => {
  expect(unmarked([record([]), record([])])).toBe(true);
  expect(unmarked([record([]), record([], [mark('http://a:80', 0)])])).toBe(false);
  expect(unmarked([record(['0'])])).toBe(false);
});
