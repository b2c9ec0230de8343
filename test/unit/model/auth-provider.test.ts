import { describe, expect, it } from 'vitest';
import { type AuthSettings, parseAuthProvider, plainCallback } from '../../../src/model/auth-provider.js';

function settings(...values: readonly string[]): AuthSettings {
  const parsed = parseAuthProvider({ values, fault: '' });
  if (parsed.kind !== 'settings') throw new Error(JSON.stringify(parsed));
  return parsed.settings;
}

function faults(...values: readonly string[]): readonly string[] {
  const parsed = parseAuthProvider({ values, fault: '' });
  return parsed.kind === 'faulty' ? parsed.faults : [];
}

describe('D.5 22-23: the record of a provider', () => {
  it('is absent without fields, and cannot be used with the wrong type', () => {
    expect(parseAuthProvider({ values: [], fault: '' })).toEqual({ kind: 'absent' });
    expect(parseAuthProvider({ values: [], fault: 'auth:x has the wrong type' })).toMatchObject({ kind: 'faulty' });
  });

  it('has defaults for all but what cannot be guessed', () => {
    expect(settings('type', 'basic')).toMatchObject({
      ...{ ttl: 10_000, refusedTtl: 2_000, realm: 'restricted', stripAuthorization: false, userHeader: undefined },
      users: new Map(),
    });
    expect(settings('type', 'http', 'url', 'https://auth.example/verify')).toMatchObject({
      ...{ timeout: 5_000, requestHeaders: ['Authorization', 'Cookie'], copyHeaders: [] },
    });
    expect(settings('type', 'jwt', 'jwks', 'https://issuer.example/keys')).toMatchObject({
      requireExpiry: true,
      userClaim: 'sub',
    });
    expect(settings('type', 'callback')).toEqual(plainCallback);
  });

  it('reads durations, flags and lists as people write them', () => {
    const url = ['url', 'http://127.0.0.1:9/'];
    expect(settings('type', 'http', ...url, 'ttl', '1m', 'refusedTtl', '0', 'copyHeaders', 'X-A, X-B')).toMatchObject({
      ...{ ttl: 60_000, refusedTtl: 0, copyHeaders: ['X-A', 'X-B'] },
    });
    expect(settings('type', 'http', ...url, 'requestHeaders', '["Cookie"]', 'stripAuthorization', 'true')).toMatchObject({
      ...{ requestHeaders: ['Cookie'], stripAuthorization: true },
    });
  });

  it.each([
    [['realm', 'x'], 'type is missing; allowed: basic, bearer, jwt, http, callback'],
    [['type', 'digest'], 'type is "digest"; allowed: basic, bearer, jwt, http, callback'],
    [['type', 'jwt'], 'jwks is missing; needed: the http or https URL of a JWKS'],
    [['type', 'http'], 'url is missing; needed: an http or https URL'],
    [['type', 'http', 'url', 'ftp://x/'], 'url cannot be used; allowed: an http or https URL'],
    [['type', 'basic', 'relm', 'x'], 'relm is not a field of type basic; the nearest one is realm'],
    [['type', 'jwt', 'jwks', 'http://x/', 'audiance', 'x'], 'audiance is not a field of type jwt; the nearest one is audience'],
    [['type', 'basic', 'realm', 'a\r\nb'], 'realm is "a\\r\\nb"; allowed: up to 200 visible ASCII characters'],
    [['type', 'basic', 'ttl', 'long'], 'ttl is "long"; allowed: seconds from 0 to 3600'],
    [['type', 'basic', 'userHeader', 'X-Forwarded-For'], 'userHeader is "X-Forwarded-For"; allowed: a header name that is free'],
    [['type', 'basic', 'userHeader', 'Host'], 'userHeader is "Host"; allowed'],
    [['type', 'basic', 'userHeader', 'a b'], 'userHeader is "a b"; allowed'],
    [['type', 'http', 'url', 'http://x/', 'copyHeaders', 'Content-Length'], 'copyHeaders is "Content-Length"; allowed'],
    [['type', 'jwt', 'jwks', 'http://x/', 'requiredClaims', 'admin'], 'requiredClaims is "admin"; allowed: an object of claim'],
    [
      ['type', 'jwt', 'jwks', 'http://x/', 'claimHeaders', '{"a":"Host"}'],
      'claimHeaders is an object; allowed at a: a header name',
    ],
    [['type', 'bearer', 'user:alice', 'x'], 'user: entries are not for type bearer'],
    [['type', 'basic', 'user:', 'x'], 'a user name is wrong'],
  ])('says what is wrong with %j', (values, text) => {
    expect(faults(...values)).toEqual([expect.stringContaining(text)]);
  });

  it('shows no secret that was put into the wrong place', () => {
    const all = [
      ...faults('type', 'http', 'url', 'http://admin:hunter2@auth.example/'),
      ...faults('type', 'jwt', 'jwks', 'hunter2'),
      ...faults('type', 'bearer', 'token:hunter2', 'x'),
      ...faults('type', 'basic', 'token:hunter2', 'x'),
    ];
    expect(all).toHaveLength(4);
    expect(all.join()).not.toContain('hunter2');
  });
});
