import { describe, expect, it } from 'vitest';
import { strategies } from '../../../../src/config/strategy.js';
import { parsePolicy } from '../../../../src/model/policy/policy.js';

const read = (field: string, text: string) => parsePolicy([field, text]);

describe('the policy of balancing', () => {
  it.each(strategies)('has the strategy %s', (strategy) => {
    expect(read('strategy', strategy)).toMatchObject({ policy: { strategy }, faults: [] });
  });

  it('asks for nothing where it is silent', () => {
    expect(parsePolicy(['weights', '{}']).policy).toMatchObject({ weights: {}, slowStart: 0 });
    const { strategy, hashOn, sticky } = parsePolicy([]).policy;
    expect([strategy, hashOn, sticky]).toEqual([undefined, undefined, undefined]);
  });

  it.each([
    ['path', { kind: 'path', name: '' }],
    ['header:X-User', { kind: 'header', name: 'X-User' }],
    ['cookie:sid', { kind: 'cookie', name: 'sid' }],
    ['query:a[0]', { kind: 'query', name: 'a[0]' }],
  ])('understands the hashOn %s', (text, hashOn) => {
    expect(read('hashOn', text)).toMatchObject({ policy: { hashOn }, faults: [] });
  });

  it.each([
    ['true', { path: '/' }],
    ['{}', { path: '/' }],
    [
      '{"cookie": "a", "ttl": 60, "path": "/x", "secure": false, "sameSite": "LAX"}',
      { cookie: 'a', ttl: 60_000, path: '/x', secure: false, sameSite: 'Lax' },
    ],
  ])('understands the sticky %s', (text, sticky) => {
    expect(read('sticky', text)).toEqual({ policy: expect.objectContaining({ sticky }), faults: [], refusal: '' });
  });

  it('has no sticky cookie when it says false', () => {
    expect(read('sticky', 'false')).toMatchObject({ faults: [] });
    expect(read('sticky', 'false').policy.sticky).toBeUndefined();
  });

  it.each([
    ['30s', 30_000],
    ['5', 5_000],
    ['0', 0],
  ])('understands the slowStart %s', (text, slowStart) => {
    expect(read('slowStart', text)).toMatchObject({ policy: { slowStart }, faults: [] });
  });

  it.each([
    [
      'strategy',
      'random',
      'is "random"; allowed: "RANDOM", "ROUND_ROBIN", "IP_HASH", "LEAST_LATENCY", "LEAST_CONNECTIONS", "HASH"',
    ],
    ['hashOn', 'header:', 'is "header:"; allowed: "path", "header:NAME", "cookie:NAME" or "query:NAME"'],
    ['hashOn', 'header:a b', 'allowed: "path", "header:NAME"'],
    ['weights', '3', 'is 3; allowed: an object of backend ids and weights'],
    ['weights', '{"a": "1"}', 'allowed at a: a number from 0 to 1000000'],
    ['weights', '{"a": 1e9}', 'allowed at a: a number from 0 to 1000000'],
    ['slowStart', 'later', 'is "later"; allowed: seconds from 0 to 86400'],
    ['sticky', '1', 'is 1; allowed: true, false or an object'],
    ['sticky', '{"domain": ".example.com"}', 'allowed at domain: a domain name such as "example.com"'],
    ['sticky', '{"name": "at"}', 'has the unknown member "name"; allowed: true, false or an object with any of cookie'],
  ])('names a wrong %s of %s and goes on without', (field, text, message) => {
    const { policy, faults, refusal } = read(field, text);
    expect(faults).toEqual([expect.stringContaining(`${field} `)]);
    expect(faults[0]).toContain(message);
    expect(refusal).toBe('');
    expect(policy).toEqual(parsePolicy([]).policy);
  });
});
