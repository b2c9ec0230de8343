// The order of look-up: the tables of Hipache's contract, as configured names and what serves a host.
import { describe, expect, it } from 'vitest';
import { normaliseHost } from '../../../src/routing/host-name.js';
import { lookupNames } from '../../../src/routing/host-order.js';

/** The first configured name in the order of look-up, or null. */
function served(configured: readonly string[], authority: string): string | null {
  const name = normaliseHost(authority);
  if (name === null) return null;
  return lookupNames(name.host, name.port).find((candidate) => configured.includes(candidate)) ?? null;
}

describe('the names that are tried', () => {
  it.each([
    ['a.b.c', ['a.b.c', '*.b.c', '*.c', '*']],
    ['simple', ['simple', '*']],
    ['', ['', '*']],
    ['a.b.c:8080', ['a.b.c:8080', 'a.b.c', '*.b.c', '*.c', '*']],
    ['[::1]:80', ['[::1]:80', '[::1]', '*']],
    ['[::ffff:10.0.0.1]', ['[::ffff:10.0.0.1]', '*']],
    ['1.2.3.4.5.6.7.8', ['1.2.3.4.5.6.7.8', '*.4.5.6.7.8', '*.5.6.7.8', '*.6.7.8', '*.7.8', '*.8', '*']],
  ])('for %j are in order', (authority, names) => {
    const { host, port } = normaliseHost(authority)!;
    expect(lookupNames(host, port)).toEqual(names);
  });

  it('are at most seven without a port and eight with one', () => {
    const deep = Array.from({ length: 60 }, () => 'x').join('.');
    expect(lookupNames(deep, '')).toHaveLength(7);
    expect(lookupNames(deep, '80')).toHaveLength(8);
  });
});

describe('a wildcard of two labels', () => {
  it.each([
    ['test.foo.bar', '*.foo.bar'],
    ['pipo.foo.bar', '*.foo.bar'],
    ['foo.bar', null],
  ])('%s is served by %s', (host, name) => {
    expect(served(['*.foo.bar'], host)).toBe(name);
  });
});

describe('a wildcard of one label', () => {
  it.each([
    ['bar.foo', '*.foo'],
    ['foo.bar', null],
    ['foo', null],
  ])('%s is served by %s', (host, name) => {
    expect(served(['*.foo'], host)).toBe(name);
  });
});

describe('an exact name', () => {
  it('foo.bar is served by foo.bar', () => {
    expect(served(['foo.bar'], 'foo.bar')).toBe('foo.bar');
  });

  it('is served whatever its depth', () => {
    expect(served(['a.b.c.d.e.f.g.h.i.j.k.l.m'], 'a.b.c.d.e.f.g.h.i.j.k.l.m')).toBe('a.b.c.d.e.f.g.h.i.j.k.l.m');
  });
});

describe('exact names and wildcards together', () => {
  const configured = ['*.foo.bar', 'foo.bar', 'pipo.foo.bar', '*.baz.foo.bar'];
  it.each([
    ['test.foo.bar', '*.foo.bar'],
    ['foo.bar', 'foo.bar'],
    ['pipo.foo.bar', 'pipo.foo.bar'],
    ['qux.baz.foo.bar', '*.baz.foo.bar'],
    ['qux.bix.foo.bar', '*.foo.bar'],
    ['qux.bix.bar.foo', null],
  ])('%s is served by %s', (host, name) => {
    expect(served(configured, host)).toBe(name);
  });
});

describe('wildcards of growing depth', () => {
  const configured = [
    '*.quux',
    '*.qux.quux',
    '*.baz.qux.quux',
    '*.bar.baz.qux.quux',
    'foo.bar.baz.qux.quux',
    '*.foo.bar.baz.qux.quux',
    '*.quuux.foo.bar.baz.qux.quux',
  ];
  it.each([
    ['too.deep.quuux.foo.bar.baz.qux.quux', '*.foo.bar.baz.qux.quux'],
    ['too.deep.foo.bar.baz.qux.quux', '*.foo.bar.baz.qux.quux'],
    ['foo.bar.baz.qux.quux', 'foo.bar.baz.qux.quux'],
    ['bar.bar.baz.qux.quux', '*.bar.baz.qux.quux'],
    ['foo.baz.qux.quux', '*.baz.qux.quux'],
    ['foo.qux.quux', '*.qux.quux'],
    ['foo.quux', '*.quux'],
  ])('%s is served by %s', (host, name) => {
    expect(served(configured, host)).toBe(name);
  });
});

describe('a frontend with a port', () => {
  it('is tried before the host without one', () => {
    expect(served(['example.com', 'example.com:8080'], 'example.com:8080')).toBe('example.com:8080');
    expect(served(['example.com', 'example.com:8080'], 'example.com:9090')).toBe('example.com');
    expect(served(['example.com', 'example.com:8080'], 'example.com')).toBe('example.com');
  });
});

describe('the catch-all', () => {
  it.each(['anything.at.all', 'simple', '', '[::1]:80'])('serves %j', (host) => {
    expect(served(['*'], host)).toBe('*');
  });

  it('comes after every other name', () => {
    expect(served(['*', '*.tld'], 'a.tld')).toBe('*.tld');
  });
});
