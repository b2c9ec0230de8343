// Which prefix a path is below: compared with a walk over all of them.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PathPrefix, PrefixSet } from '../../../src/routing/path-prefix.js';

function entry(prefix: string): PathPrefix {
  return { name: `example.com${prefix}`, prefix, inString: false, seen: 0, version: 0 };
}

function setOf(onBorder: readonly string[], inString: readonly string[] = []): PrefixSet {
  const set = new PrefixSet();
  for (const prefix of new Set([...onBorder, ...inString])) set.add(entry(prefix));
  for (const prefix of new Set(inString)) set.match(set.get(prefix)!, 'string');
  return set;
}

/** By the definition. */
function naive(set: PrefixSet, path: string): string[] {
  return [...set]
    .filter(({ prefix, inString }) => {
      if (prefix === '' || prefix === path) return true;
      return path.startsWith(prefix) && (inString || path[prefix.length] === '/');
    })
    .map(({ prefix }) => prefix)
    .sort((one, other) => other.length - one.length);
}

const segment = fc.constantFrom('a', 'b', 'ab', 'abc', 'test', 'testing', 'x');
const path = fc.array(segment, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`);
const prefix = fc.array(segment, { maxLength: 4 }).map((parts) => (parts.length === 0 ? '' : `/${parts.join('/')}`));

describe('the longest prefix of a path', () => {
  it.each([
    ['/test', '/test'],
    ['/test/a', '/test'],
    ['/testing', ''],
    ['/test/deep', '/test/deep'],
    ['/test/deeper', '/test'],
    ['/test/deep/er', '/test/deep'],
    ['/', ''],
  ])('B.3: of %s is %j on borders of segments', (of, found) => {
    expect(setOf(['', '/test', '/test/deep']).longest(of)?.prefix).toBe(found);
  });

  it.each([
    ['/testing', '/test'],
    ['/test/deeper', '/test/deep'],
    ['/tes', ''],
    ['/other', ''],
  ])('B.3: of %s is %j where prefixes are matched as strings', (of, found) => {
    expect(setOf([''], ['/test', '/test/deep']).longest(of)?.prefix).toBe(found);
  });

  it('is null where no prefix matches', () => {
    expect(setOf(['/test']).longest('/')).toBeNull();
    expect(setOf([]).longest('/test')).toBeNull();
  });

  it('is the one that a walk over all prefixes finds, and so are the shorter ones', () => {
    fc.assert(
      fc.property(fc.array(prefix), fc.array(prefix), path, (onBorder, inString, asked) => {
        const set = setOf(onBorder, inString);
        const expected = naive(set, asked);
        expect(set.longest(asked)?.prefix).toBe(expected[0]);
        expect(set.all(asked).map((found) => found.prefix)).toEqual(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it('is right after prefixes came, went and changed how they match', () => {
    const change = fc.record({ prefix, what: fc.constantFrom('add', 'delete', 'segment', 'string') });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), path, (changes, asked) => {
        const set = new PrefixSet();
        for (const { prefix: of, what } of changes) {
          const known = set.get(of);
          if (known === undefined) set.add(entry(of));
          else if (what === 'delete') set.delete(known);
          else if (what !== 'add') set.match(known, what as 'segment' | 'string');
        }
        expect(set.all(asked).map((found) => found.prefix)).toEqual(naive(set, asked));
      }),
      { numRuns: 2000 },
    );
  });
});

it('a look-up takes no more steps among 100,000 prefixes than among ten', () => {
  const look = (count: number): number => {
    const set = setOf(Array.from({ length: count }, (_, at) => `/team-${at % 100}/app-${at}`));
    let gets = 0;
    const get = Map.prototype.get;
    Map.prototype.get = function (this: Map<unknown, unknown>, key: unknown) {
      gets++;
      return get.call(this, key);
    };
    try {
      set.longest(`/team-7/app-7/deep/below/${'x/'.repeat(100)}`);
      set.longest('/team-7/none');
    } finally {
      Map.prototype.get = get;
    }
    return gets;
  };
  expect(look(100_000)).toBe(look(10));
  expect(look(100_000)).toBeLessThan(8);
});
