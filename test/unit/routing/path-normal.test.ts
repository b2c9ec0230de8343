// The normal form of a path: what is the same to a backend is the same to the look-up.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalPath, normalPrefix } from '../../../src/routing/path-normal.js';

describe('the path of a request', () => {
  it.each([
    ['/test', '/test'],
    ['/', '/'],
    ['/test/a', '/test/a'],
    // B.3
    ['/TEST/a?Q=1', '/test/a'],
    ['/te%73t', '/test'],
    ['/te%53T', '/test'],
    ['/?x=/admin', '/'],
    ['/a/?b', '/a'],
    ['/a?b/../c', '/a'],
    ['//a///b//', '/a/b'],
    ['/./a/./b/.', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/%2e%2E/b', '/b'],
    ['/a/.%2e/b', '/b'],
    ['/a/b/..', '/a'],
    ['/a/...', '/a/...'],
    ['/.well-known/x', '/.well-known/x'],
    ['/%7Euser/%2Dx%5f', '/~user/-x_'],
  ])('%s is looked up as %s', (target, path) => {
    expect(normalPath(target)).toBe(path);
  });

  it.each(['/..', '/../admin', '/a/../../admin', '/%2e%2e/admin', '//../admin', '/a/b/../../../a', '*', '', 'admin', '?x'])(
    '%j leads nowhere below the root and is looked up as /',
    (target) => {
      expect(normalPath(target)).toBe('/');
    },
  );

  it('has no more segments for an encoded slash, nor fewer', () => {
    expect(normalPath('/a%2Fb')).toBe('/a%2fb');
    expect(normalPath('/a%2f..%2Fb/..')).toBe('/');
    expect(normalPath('/%2e%2e%2fadmin')).toBe('/..%2fadmin');
  });

  it('is not decoded twice', () => {
    expect(normalPath('/%252e%252e/a')).toBe('/%252e%252e/a');
    expect(normalPath('/%2574est')).toBe('/%2574est');
  });

  it('B.7-1: may hold percent signs that encode nothing', () => {
    expect(normalPath('/%E0%A4%A')).toBe('/%e0%a4%25a');
    expect(normalPath('/%')).toBe('/%25');
    expect(normalPath('/%zz/100%')).toBe('/%25zz/100%25');
    // Else the second round would read `%2e`.
    expect(normalPath('/%%32e')).toBe('/%252e');
  });

  it('is the same whether bytes beyond ASCII are encoded or not', () => {
    expect(normalPath('/caf\xc3\xa9')).toBe('/caf%c3%a9');
    expect(normalPath('/caf%C3%A9')).toBe('/caf%c3%a9');
    expect(normalPrefix('/Café')).toBe('/caf%c3%a9');
  });
});

const pieces = fc.constantFrom(
  '/',
  '.',
  '..',
  '%2e',
  '%2E',
  '%2f',
  '%',
  '%%',
  '%3',
  '32',
  'e',
  'a',
  'B',
  '%41',
  'é',
  '\xff',
  '?',
  ';',
  '\\',
  '~',
);
const targets = fc.array(pieces, { maxLength: 12 }).map((parts) => `/${parts.join('')}`);

describe('any path', () => {
  it('has a normal form that stays as it is', () => {
    fc.assert(
      fc.property(targets, (target) => {
        const once = normalPath(target);
        expect(normalPath(once)).toBe(once);
      }),
      { numRuns: 3000 },
    );
  });

  it('has a normal form with no empty segment, no dot segment, no query and nothing in upper case', () => {
    fc.assert(
      fc.property(targets, (target) => {
        const path = normalPath(target);
        expect(path.startsWith('/')).toBe(true);
        if (path !== '/') expect(path.slice(1).split('/')).not.toContainEqual(expect.stringMatching(/^\.{0,2}$/));
        expect(path).toMatch(/^[!-@[-~]*$/);
        expect(path).not.toContain('?');
      }),
      { numRuns: 3000 },
    );
  });

  it('has the normal form that URL gives it, but for its case and the slashes that it keeps', () => {
    const plain = fc.array(fc.constantFrom('/', './', '../', '/a', '/b', '/%2e%2e/', '/..', 'c'), { maxLength: 8 });
    fc.assert(
      fc.property(plain, (parts) => {
        const target = `/${parts.join('')}`.replace(/\/\/+/g, '/');
        fc.pre(normalPath(target) !== '/');
        const { pathname } = new URL(`http://x${target}`);
        expect(normalPath(target)).toBe(pathname.replace(/\/+/g, '/').replace(/(.)\/$/, '$1'));
      }),
    );
  });
});

describe('the prefix of a name', () => {
  it.each([
    ['/api', '/api'],
    ['/API/', '/api'],
    ['/', ''],
    ['//', ''],
    ['/a b', '/a b'],
  ])('%s is written as %j', (written, prefix) => {
    expect(normalPrefix(written)).toBe(prefix);
  });
});
