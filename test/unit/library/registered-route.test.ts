import { describe, expect, it } from 'vitest';
import { frontendNames, normaliseRoutePrefix, parseRegisteredRoute } from '../../../src/library/registered-route.js';

describe('B.2: a registered route', () => {
  it.each([
    ['Test/', '/test'],
    ['test', '/test'],
    ['/test', '/test'],
    ['/Test/Deep/', '/test/deep'],
    ['/', '/'],
    ['//', '//'],
  ])('with the prefix %s has %s', (written, prefix) => {
    expect(normaliseRoutePrefix(written)).toBe(prefix);
  });

  it.each([
    [4321, 4321],
    ['4321', 4321],
    [0, null],
    ['0', null],
    [-1, null],
    [65_536, null],
    [1.5, null],
    ['4321x', null],
    [null, null],
    [undefined, null],
  ])('with the port %j has %j', (written, port) => {
    expect(parseRegisteredRoute({ prefix: '/test', port: written }, 'localhost')?.port ?? null).toBe(port);
  });

  it.each([
    [null],
    [[]],
    ['text'],
    [7],
    [{}],
    [{ port: 1 }],
    [{ prefix: '', port: 1 }],
    [{ prefix: 7, port: 1 }],
    [{ prefix: {}, port: 1 }],
  ])('is none: %j', (written) => {
    expect(parseRegisteredRoute(written, 'localhost')).toBeNull();
  });

  it('leads to this machine unless hosts count', () => {
    const written = { prefix: '/test', port: 1, host: '10.0.0.1' };
    expect(parseRegisteredRoute(written, 'localhost')?.host).toBe('localhost');
    expect(parseRegisteredRoute(written, 'any')?.host).toBe('10.0.0.1');
    expect(parseRegisteredRoute({ ...written, host: '::1' }, 'any')?.host).toBe('[::1]');
    expect(parseRegisteredRoute({ ...written, host: 'a b' }, 'any')).toBeNull();
    expect(parseRegisteredRoute({ prefix: '/test', port: 1 }, 'any')?.host).toBe('localhost');
  });

  it('keeps members that nobody knows', () => {
    expect(parseRegisteredRoute({ prefix: 'a', port: 1, team: 'blue' }, 'localhost')).toMatchObject({ team: 'blue' });
  });

  it('is a frontend for all hosts, or one for each of its own', () => {
    const names = (written: object) => frontendNames(parseRegisteredRoute({ port: 1, ...written }, 'localhost')!);
    expect(names({ prefix: '/Test' })).toEqual(['*/test']);
    expect(names({ prefix: '/' })).toEqual(['*']);
    expect(names({ prefix: '/', reqHostNames: ['A.Example', 'b.example:80'] })).toEqual(['a.example', 'b.example']);
    expect(names({ prefix: '/ü', reqHostNames: ['a.example'] })).toEqual(['a.example/%c3%bc']);
  });

  it.each([[[]], ['a.example'], [['a b']], [['']], [[7]]])('is none with the hosts %j', (reqHostNames) => {
    expect(parseRegisteredRoute({ prefix: '/', port: 1, reqHostNames }, 'localhost')).toBeNull();
  });
});
