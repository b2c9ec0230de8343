import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSafePattern, SafePattern } from '../../../src/base/safe-pattern.js';

function patternOf(source: string, flags = ''): SafePattern {
  const pattern = parseSafePattern(source, flags);
  if (typeof pattern === 'string') throw new Error(`${source}: ${pattern}`);
  return pattern;
}

describe('a safe pattern', () => {
  it.each([
    ['^/user/(\\d+)$', '/user/42'],
    ['^/user/(\\d+)$', '/user/x'],
    ['^/(.*)/x/(.*)$', '/a/x/b/x/c'],
    ['^/(.*?)/x/(.*)$', '/a/x/b/x/c'],
    ['^/(?<year>\\d{4})-(\\d{2})?', '/2026-'],
    ['(a|ab)(c|bcd)(d*)', 'abcd'],
    ['^(?:(a)|b)*$', 'aab'],
    ['x{2,3}?', 'xxxx'],
    ['[\\]\\-/]+', 'a]-/b'],
    ['^a|b$', 'cb'],
    ['', 'abc'],
    ['$', 'abc'],
  ])('finds in %s what JavaScript finds', (source, text) => {
    const found = new RegExp(source).exec(text);
    expect(patternOf(source).match(text)).toEqual(found === null ? null : [...found]);
  });

  it('takes any case with the flag i', () => {
    expect(patternOf('^/APP/[a-c]+$', 'i').test('/app/ABC')).toBe(true);
    expect(patternOf('^/APP/[a-c]+$').test('/app/ABC')).toBe(false);
  });

  it.each([
    ['(a)\\1', 'no reference back'],
    ['(?<x>a)\\k<x>', 'no reference back'],
    ['(?=a)b', 'look-ahead'],
    ['(?<!a)b', 'look-ahead'],
    ['(a*)*', 'match nothing'],
    ['(a|)+', 'match nothing'],
    ['a\\b', 'characters'],
    ['(', 'without mistakes'],
    ['a{2', 'characters'],
    ['((((a{99}){99}){99}){99})', 'fewer repetitions'],
    ['a'.repeat(1025), 'up to 1024'],
  ])('refuses %s', (source, reason) => {
    expect(parseSafePattern(source)).toContain(reason);
  });

  it('refuses flags that would change what a match is', () => {
    for (const flags of ['g', 'm', 'y', 'u', 'v', 'ii']) expect(parseSafePattern('a', flags)).toContain('flags');
  });

  it('takes a bounded number of steps for expressions that backtracking takes for ever', () => {
    let asked = 0;
    const counted = { has: (code: number) => ++asked > 0 && code === 97 };
    for (const source of ['^(?:a+)+$', '^(?:a|a)+$', '^(?:a|aa)+$', '^(.*)(.*)(.*)(.*)x$']) {
      const text = `${'a'.repeat(5000)}!`;
      expect(patternOf(source).test(text)).toBe(false);
    }
    // The same program with a set that counts how often it is asked: once a place and way, of which this one has one.
    const instructions = [
      { op: 'split', first: 1, second: 3 },
      { op: 'character', set: counted },
      { op: 'jump', to: 0 },
      { op: 'split', first: 4, second: 6 },
      { op: 'character', set: counted },
      { op: 'jump', to: 3 },
      { op: 'atEnd' },
      { op: 'match' },
    ] as const;
    const pattern = new SafePattern('a*a*$', '', { instructions, slots: 2, anchored: true });
    expect(pattern.test(`${'a'.repeat(1000)}!`)).toBe(false);
    expect(asked).toBeLessThanOrEqual(2 * 1001);
  });

  it('agrees with JavaScript on whatever it accepts', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      'c',
      '.',
      '[ab]',
      '[^a]',
      '\\w',
      '(a|b)',
      '(ab|a)',
      '(?:b|c)',
      '(a)',
      '(b+)',
      '(?:(a)|b)',
      '^',
      '$',
      '|',
    );
    const mark = fc.constantFrom('', '', '', '*', '+', '?', '*?', '+?', '{1,2}', '{2}', '??', '{0,2}?');
    const source = fc.array(fc.tuple(piece, mark), { maxLength: 6 }).map((parts) => parts.map((part) => part.join('')).join(''));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '/'), maxLength: 8 });
    let accepted = 0;
    fc.assert(
      fc.property(source, text, (expression, input) => {
        const pattern = parseSafePattern(expression);
        if (typeof pattern === 'string') return;
        accepted++;
        const found = new RegExp(expression).exec(input);
        expect(pattern.match(input)).toEqual(found === null ? null : [...found]);
      }),
      { numRuns: 5000 },
    );
    expect(accepted).toBeGreaterThan(1000);
  });
});
