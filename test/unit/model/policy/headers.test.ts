// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so variables are written in headers
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../../src/model/policy/policy.js';

function faultOf(field: string, value: unknown): string {
  const { faults } = parsePolicy([field, typeof value === 'string' ? value : JSON.stringify(value)]);
  return faults.join('\n');
}

function namesOf(field: 'headers' | 'responseHeaders', value: unknown): { request: string[]; response: string[] } {
  const { policy, faults } = parsePolicy([field, JSON.stringify(value)]);
  expect(faults).toEqual([]);
  const changes = policy[field];
  const shown = (list: readonly { kind: string; name: string }[] = []) => list.map(({ kind, name }) => `${kind} ${name}`);
  return { request: shown(changes?.request), response: shown(changes?.response) };
}

describe('headers of a policy', () => {
  it('reads an object of names and values, for the backend (D.2 9)', () => {
    expect(namesOf('headers', { 'X-One': 'a', 'X-Two': 2, 'X-Three': null })).toEqual({
      request: ['set X-One', 'set X-Two', 'remove X-Three'],
      response: [],
    });
  });

  it('reads names with the prefixes res: and any: for the client (D.2 9)', () => {
    expect(namesOf('headers', { 'res:X-One': 'a', 'any:X-Two': 'b', 'req:X-Three': 'c' })).toEqual({
      request: ['set X-Two', 'set X-Three'],
      response: ['set X-One', 'set X-Two'],
    });
  });

  it('reads lists of set, add and remove, and those of type, key and value', () => {
    const list = [
      { set: 'X-A', value: '1' },
      { add: 'X-A', value: '2' },
      { remove: 'X-B' },
      { type: 'res', key: 'X-C', value: '3' },
    ];
    expect(namesOf('headers', list)).toEqual({ request: ['set X-A', 'add X-A', 'remove X-B'], response: ['set X-C'] });
    expect(namesOf('responseHeaders', [{ remove: 'Server' }])).toEqual({ request: [], response: ['remove Server'] });
  });

  it.each(['Connection', 'transfer-encoding', 'Content-Length', 'Keep-Alive', 'TE', 'Trailer', 'Upgrade', 'Proxy-Connection'])(
    'refuses to touch %s, which belongs to the connection',
    (name) => {
      expect(faultOf('headers', { [name]: 'x' })).toContain(`names other than ${name}, which belongs to the connection`);
      expect(faultOf('responseHeaders', [{ remove: name }])).toContain('belongs to the connection');
    },
  );

  it('sends whoever wants to set Host to hostHeader', () => {
    expect(faultOf('headers', { host: 'x' })).toContain('hostHeader');
    expect(faultOf('responseHeaders', { host: 'x' })).toBe('');
  });

  it.each([
    ['line breaks', 'a\r\nX-Evil: 1'],
    ['a bare line feed', 'a\nb'],
    ['NUL', 'a\0b'],
    ['DEL', 'a\x7fb'],
  ])('refuses %s in a value', (_what, value) => {
    expect(faultOf('headers', { 'X-A': value })).toContain('control characters');
  });

  it.each(['X A', 'X:A', 'X-A\r\nX-B', '', 'é', 'a'.repeat(101)])('refuses the name %j', (name) => {
    expect(faultOf('headers', { [name]: 'x' })).toContain('header names');
  });

  it('names the known variable that an unknown one is nearest to', () => {
    expect(faultOf('headers', { 'X-A': '${client-ip}' })).toContain('${client_ip} perhaps');
    expect(faultOf('headers', { 'X-A': '${nonsense}' })).toContain('the variables ${client_ip}');
    expect(faultOf('headers', { 'X-A': '${host' })).toContain('a } behind each ${');
  });

  it('never shows a value, which may be a secret', () => {
    for (const value of ['{"Authorization": "Bearer s3cret"', { Authorization: 's3cret\n' }, { Authorization: '${s3cret}' }])
      expect(faultOf('headers', value)).toMatch(/^headers is (a text|an object); allowed: /);
    expect(faultOf('headers', { Authorization: '${s3cret}' })).not.toContain('s3cret');
  });

  it.each([
    [5],
    ['text'],
    [['x']],
    [[{ set: 'X' }]],
    [[{ set: 'X', add: 'Y', value: 'z' }]],
    [[{ remove: 'X', value: 'y' }]],
    [{ 'X-A': {} }],
  ])('refuses %j as a whole and leaves the heads alone', (value) => {
    const { policy, faults, refusal } = parsePolicy(['headers', JSON.stringify(value)]);
    expect(faults).toHaveLength(1);
    expect(refusal).toBe('');
    expect(policy.headers).toBeUndefined();
  });

  it('bounds the number of changes and the length of values', () => {
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`X-${at}`, 'x']));
    expect(faultOf('headers', many)).toContain('at most 64 changes');
    expect(faultOf('headers', { 'X-A': 'x'.repeat(4097) })).toContain('up to 4096 bytes');
  });

  it('takes a host, with or without a port, as hostHeader', () => {
    for (const host of ['pass', 'backend', 'app.internal', 'app.internal:8080', '10.0.0.1', '[::1]:80'])
      expect(parsePolicy(['hostHeader', host])).toMatchObject({ policy: { hostHeader: host }, faults: [] });
    for (const host of ['a b', 'http://x', 'x/y', 'x\r\ny', '', 'x:y'])
      expect(faultOf('hostHeader', host)).toContain('hostHeader is');
  });
});
