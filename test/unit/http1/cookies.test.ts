import { describe, expect, it } from 'vitest';
import { cookieValue } from '../../../src/http1/cookies.js';
import { headerListFromPairs } from '../../../src/http1/header-pairs.js';

const valueIn = (name: string, ...lines: readonly string[]): string =>
  cookieValue(headerListFromPairs(lines.flatMap((line) => ['Cookie', line])), name);

describe('the value of a cookie', () => {
  it('is found first, in the middle and last, with and without blanks', () => {
    expect(valueIn('group', 'group=a')).toBe('a');
    expect(valueIn('group', 'x=1; group=a; y=2')).toBe('a');
    expect(valueIn('group', 'x=1;group=a')).toBe('a');
    expect(valueIn('group', 'x=1; group=a ')).toBe('a');
  });

  it('is that of the whole name, in its case', () => {
    expect(valueIn('group', 'mygroup=a; group2=b; Group=c')).toBe('');
    expect(valueIn('group', 'x=group=a')).toBe('');
  });

  it('is the first of several, on one line or on many', () => {
    expect(valueIn('group', 'group=a; group=b')).toBe('a');
    expect(valueIn('group', 'x=1', 'group=a', 'group=b')).toBe('a');
  });

  it('comes without the quotes around it', () => {
    expect(valueIn('group', 'group="a"')).toBe('a');
    expect(valueIn('group', 'group="')).toBe('"');
  });

  it('is empty where there is no such cookie, or junk', () => {
    expect(valueIn('group')).toBe('');
    expect(valueIn('group', 'group')).toBe('');
    expect(valueIn('group', ';;; =;')).toBe('');
    expect(valueIn('group', 'group=')).toBe('');
  });
});
