import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../../src/exchange/exchange.js';
import { headerListFromPairs } from '../../../src/http1/header-pairs.js';
import type { HashOn } from '../../../src/model/policy/balancing.js';
import { clientKey } from '../../../src/pipeline/client-key.js';

const address = '10.1.2.3';

function keyOf(hashOn: HashOn | undefined, target = '/', ...pairs: readonly string[]): string {
  const exchange = { clientAddress: address, head: { target, headers: headerListFromPairs(pairs) } };
  return clientKey(exchange as unknown as Exchange, hashOn);
}

const query: HashOn = { kind: 'query', name: 'id' };
const header: HashOn = { kind: 'header', name: 'X-User' };
const cookie: HashOn = { kind: 'cookie', name: 'sid' };
const path: HashOn = { kind: 'path', name: '' };

describe('the key of a request', () => {
  it('is the address of the client unless the policy names a part of the request', () => {
    expect(keyOf(undefined, '/x?id=1', 'X-User', 'u')).toBe(address);
  });

  it.each([
    ['/a/b', '/a/b'],
    ['/a/b?x=1', '/a/b'],
    ['/?', '/'],
    ['*', '*'],
  ])('by path of %s is %s', (target, key) => {
    expect(keyOf(path, target)).toBe(key);
  });

  it.each([
    ['/?id=7', '7'],
    ['/?a=1&id=7&id=8', '7'],
    ['/?xid=1&id=7', '7'],
    ['/?ID=1&id=%37', '%37'],
    ['/?id=a=b', 'a=b'],
    ['/?id=', address],
    ['/?id', address],
    ['/?xid=1', address],
    ['/id=1', address],
    ['/', address],
  ])('by the query of %s is %s', (target, key) => {
    expect(keyOf(query, target)).toBe(key);
  });

  it('by a header is its first value, whatever the case of its name', () => {
    expect(keyOf(header, '/', 'x-USER', 'u1', 'X-User', 'u2')).toBe('u1');
    expect(keyOf(header, '/', 'X-Users', 'u1')).toBe(address);
    expect(keyOf(header, '/', 'X-User', '')).toBe(address);
  });

  it('by a cookie is its value', () => {
    expect(keyOf(cookie, '/', 'Cookie', 'a=b; sid=s1; c=d')).toBe('s1');
    expect(keyOf(cookie, '/', 'Cookie', 'xsid=s1')).toBe(address);
  });
});
