import { describe, expect, it } from 'vitest';
import { findTrap } from '../../../src/http1/target-traps.js';

const none = { encodedSlash: false, nul: false, dotSegment: false };
const all = { encodedSlash: true, nul: true, dotSegment: true };

describe('a path', () => {
  it.each(['/a%2Fb', '/a%2fb', '/a%5cb', '/a\\b', '/%2F'])('with an encoded slash is found: %s', (target) => {
    expect(findTrap(target, { ...none, encodedSlash: true })).toBe('an encoded slash');
    expect(findTrap(target, none)).toBe('');
  });

  it.each(['/a%00', '/%00.php', '/?a=%00'])('with a NUL is found: %s', (target) => {
    expect(findTrap(target, { ...none, nul: true })).toBe('a NUL');
    expect(findTrap(target, { ...all, nul: false })).toBe('');
  });

  it.each([
    '/.',
    '/..',
    '/../',
    '/a/../b',
    '/a/./b',
    '/a/..',
    '/%2e%2e/',
    '/a/.%2E/b',
    '/%2e/b',
    '/..;/admin',
    '/a/..;v=1/b',
    '/a%2f..%2fb',
    '/a%2f%2e%2e',
    '/..%5cb',
    '/a/..?x=1',
  ])('with a segment of dots is found: %s', (target) => {
    expect(findTrap(target, { ...none, dotSegment: true })).toBe('a segment of dots');
    expect(findTrap(target, none)).toBe('');
  });

  it.each([
    '/',
    '/a.b',
    '/a..b/c',
    '/...',
    '/.well-known/x',
    '/..a/',
    '/a..',
    '/?next=/../x',
    '/?a=%2Fb',
    '/100%25',
    '/%2f2e',
    '*',
  ])('that means one thing passes: %s', (target) => {
    expect(findTrap(target, { ...all, encodedSlash: false })).toBe('');
  });

  it('that is long and full of near misses is read in no time', () => {
    const target = `/${'..;%2f.;/%2e%2e;'.repeat(1000)}x`;
    const begun = performance.now();
    for (let turn = 0; turn < 20; turn++) findTrap(target, { ...none, nul: true });
    for (let turn = 0; turn < 20; turn++) findTrap(`/${'..a;%2f.;b'.repeat(1500)}`, { ...none, dotSegment: true });
    expect(performance.now() - begun).toBeLessThan(500);
  });
});
