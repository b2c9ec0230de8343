import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createJwtCheck, findKeyOf } from '../../../src/auth/jwt.js';
import { ServiceCalls } from '../../../src/auth/service-call.js';
import type { Check, Verdict } from '../../../src/auth/verdict.js';
import { parseAuthProvider } from '../../../src/model/auth-provider.js';
import { HandClock, question } from '../../helpers/auth-question.js';
import { eventually } from '../../helpers/eventually.js';
import { type Issuer, startIssuer } from '../../helpers/issuer.js';

const calls = new ServiceCalls([]);
let issuer: Issuer;
let clock: HandClock;

beforeEach(async () => {
  issuer = await startIssuer();
  clock = new HandClock();
});

afterEach(async () => {
  await issuer.close();
});

function check(...fields: readonly string[]): Check {
  const parsed = parseAuthProvider({ values: ['type', 'jwt', 'jwks', issuer.url, ...fields], fault: '' });
  if (parsed.kind !== 'settings' || parsed.settings.type !== 'jwt') throw new Error(JSON.stringify(parsed));
  return createJwtCheck(parsed.settings, findKeyOf(parsed.settings, calls, clock), clock);
}

const inline = (...fields: readonly string[]): Check => check('jwks', JSON.stringify(issuer.keySet), ...fields);
const verdict = async (jwt: Check, token: string): Promise<Verdict> =>
  await jwt.check(question(['Authorization', `Bearer ${token}`]));
const now = (): number => Math.floor(clock.wall / 1000);

describe('D.5 22: a JSON Web Token', () => {
  it('passes when it is signed with a key of the issuer, by URL or in the record', async () => {
    const token = await issuer.token();
    for (const jwt of [check(), inline()]) expect(await verdict(jwt, token)).toMatchObject({ kind: 'passed', headers: [] });
  });

  it('is refused when anything of it was changed, or somebody else signed it', async () => {
    const jwt = inline();
    const token = await issuer.token();
    const [head = '', payload = '', signature = ''] = token.split('.');
    const admin = Buffer.from(JSON.stringify({ sub: 'root', exp: now() + 100 })).toString('base64url');
    const stranger = await startIssuer();
    try {
      for (const wrong of [
        `${head}.${admin}.${signature}`,
        `${head}.${payload}.`,
        `${head}.${payload}`,
        'x.y.z',
        await stranger.token(),
      ])
        expect(await verdict(jwt, wrong)).toEqual({
          kind: 'refused',
          challenge: 'Bearer realm="restricted", error="invalid_token"',
        });
    } finally {
      await stranger.close();
    }
  });

  it('is refused without a signature, and when its public key is used as a secret', async () => {
    const jwt = inline();
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = part({ sub: 'root', exp: now() + 100 });
    expect(await verdict(jwt, `${part({ alg: 'none' })}.${claims}.`)).toMatchObject({ kind: 'refused' });
    const publicKey = Buffer.from(JSON.stringify(issuer.keySet.keys[0]));
    const forged = await new SignJWT({ sub: 'root', exp: now() + 100 })
      .setProtectedHeader({ alg: 'HS256', kid: 'first' })
      .sign(publicKey);
    expect(await verdict(jwt, forged)).toMatchObject({ kind: 'refused' });
  });

  it.each([['none'], ['HS256'], ['["ES256","HS512"]'], ['[]']])(
    'is never verified with %s: the record is refused',
    (algorithms) => {
      const parsed = parseAuthProvider({ values: ['type', 'jwt', 'jwks', issuer.url, 'algorithms', algorithms], fault: '' });
      expect(parsed).toMatchObject({ kind: 'faulty', faults: [expect.stringContaining('algorithms is')] });
    },
  );

  it('is refused with an algorithm that the record does not list', async () => {
    expect(await verdict(inline('algorithms', 'RS256 PS256'), await issuer.token())).toMatchObject({ kind: 'refused' });
    expect(await verdict(inline('algorithms', 'ES256'), await issuer.token())).toMatchObject({ kind: 'passed' });
  });

  it('must be of the issuer and for the audience', async () => {
    const jwt = inline('issuer', 'https://issuer.example', 'audience', '["app","other"]');
    expect(await verdict(jwt, await issuer.token())).toMatchObject({ kind: 'passed' });
    expect(await verdict(jwt, await issuer.token({ aud: ['x', 'other'] }))).toMatchObject({ kind: 'passed' });
    expect(await verdict(jwt, await issuer.token({ iss: 'https://issuer.example/' }))).toMatchObject({ kind: 'refused' });
    expect(await verdict(jwt, await issuer.token({ aud: 'x' }))).toMatchObject({ kind: 'refused' });
  });

  it('is valid between its times, with some tolerance, and says until when', async () => {
    const jwt = inline('clockTolerance', '10s');
    const end = now() - 5;
    expect(await verdict(jwt, await issuer.token({ exp: end }))).toMatchObject({
      kind: 'passed',
      headers: [],
      until: end * 1000 + 10_000,
    });
    expect(await verdict(jwt, await issuer.token({ exp: now() - 15 }))).toMatchObject({ kind: 'refused' });
    expect(await verdict(jwt, await issuer.token({ nbf: now() + 15 }))).toMatchObject({ kind: 'refused' });
    expect(await verdict(jwt, await issuer.token({ nbf: now() + 5 }))).toMatchObject({ kind: 'passed' });
  });

  it('must have an end unless the record says otherwise', async () => {
    const token = await issuer.token({ exp: undefined });
    expect(await verdict(inline(), token)).toMatchObject({ kind: 'refused' });
    expect(await verdict(inline('requireExpiry', 'false'), token)).toMatchObject({ kind: 'passed', headers: [] });
  });

  it('must have the claims that are required; who lacks one is known and may not', async () => {
    const jwt = inline('requiredClaims', '{"role":["admin","ops"],"scope":"write","verified":true}');
    const good = { role: ['dev', 'ops'], scope: 'read write', verified: true };
    expect(await verdict(jwt, await issuer.token(good))).toMatchObject({ kind: 'passed' });
    for (const wrong of [
      { ...good, role: 'dev' },
      { ...good, scope: 'writer' },
      { ...good, verified: 'true' },
      { scope: 'write' },
    ])
      expect(await verdict(jwt, await issuer.token(wrong))).toEqual({
        kind: 'forbidden',
        challenge: 'Bearer realm="restricted", error="insufficient_scope"',
      });
  });

  it('gives its claims to the backend as headers that nothing in them can break', async () => {
    const jwt = inline(
      'userHeader',
      'X-User',
      'userClaim',
      'email',
      'claimHeaders',
      '{"groups":"X-Groups","age":"X-Age","o":"X-O"}',
    );
    const token = await issuer.token({ email: 'ü\r\nX-Admin: 1', groups: ['a', 'b,c', { x: 1 }], age: 7, o: { secret: 1 } });
    expect(await verdict(jwt, token)).toMatchObject({
      headers: ['X-User', '%C3%BC%0D%0AX-Admin:%201', 'X-Groups', 'a,b%2Cc', 'X-Age', '7'],
    });
  });

  it('may be signed with either of two keys when it names none', async () => {
    const old = await issuer.token({}, null);
    await issuer.addKey('second');
    const jwt = inline();
    expect(await verdict(jwt, old)).toMatchObject({ kind: 'passed' });
    expect(await verdict(jwt, await issuer.token({}, null))).toMatchObject({ kind: 'passed' });
    const stranger = await startIssuer();
    expect(await verdict(jwt, await stranger.token({}, null))).toMatchObject({ kind: 'refused' });
    await stranger.close();
  });

  it('asks for one where none was shown', () => {
    expect(inline().check(question(['Authorization', 'Basic eDp5']))).toEqual({
      kind: 'refused',
      challenge: 'Bearer realm="restricted"',
    });
  });

  it.each([
    ['a secret key', { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }],
    ['no key', { keys: [] }],
  ])('the record may not hold %s, and is never shown', (_what, jwks) => {
    const parsed = parseAuthProvider({ values: ['type', 'jwt', 'jwks', JSON.stringify(jwks)], fault: '' });
    expect(parsed).toMatchObject({ kind: 'faulty', faults: [expect.stringMatching(/^jwks cannot be used; allowed: /)] });
    expect(JSON.stringify(parsed)).not.toContain('c2VjcmV0');
  });

  it('the record may not hold a private key', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwks = JSON.stringify({ keys: [await exportJWK(privateKey)] });
    expect(parseAuthProvider({ values: ['type', 'jwt', 'jwks', jwks], fault: '' }).kind).toBe('faulty');
  });
});

describe('D.5 23: the keys of an issuer', () => {
  it('are fetched once for many tokens', async () => {
    const jwt = check();
    const tokens = await Promise.all(Array.from({ length: 10 }, (_, at) => issuer.token({ sub: `user ${at}` })));
    const verdicts = await Promise.all(tokens.map((token) => verdict(jwt, token)));
    expect(new Set(verdicts.map(({ kind }) => kind))).toEqual(new Set(['passed']));
    expect(issuer.fetches).toBe(1);
  });

  it('are fetched again when a token names one that is not known, but not for each', async () => {
    const jwt = check('jwksCooldown', '30s');
    expect(await verdict(jwt, await issuer.token())).toMatchObject({ kind: 'passed' });
    await issuer.addKey('second');
    clock.forward(1_000);
    expect(await verdict(jwt, await issuer.token())).toMatchObject({ kind: 'refused' });
    expect(issuer.fetches).toBe(1);
    clock.forward(30_000);
    expect(await verdict(jwt, await issuer.token())).toMatchObject({ kind: 'passed' });
    expect(issuer.fetches).toBe(2);
    for (let at = 0; at < 5; at += 1) {
      const [head = '', ...rest] = (await issuer.token()).split('.');
      const invented = Buffer.from(Buffer.from(head, 'base64url').toString().replace('second', `x${at}`)).toString('base64url');
      expect(await verdict(jwt, [invented, ...rest].join('.'))).toMatchObject({ kind: 'refused' });
    }
    expect(issuer.fetches).toBe(2);
  });

  it('are fetched again when they are old, while nobody waits; one that was withdrawn is worth nothing then', async () => {
    const jwt = check('jwksMaxAge', '60s', 'jwksCooldown', '0s');
    const old = await issuer.token();
    expect(await verdict(jwt, old)).toMatchObject({ kind: 'passed' });
    await issuer.addKey('second');
    issuer.dropOldKeys();
    clock.forward(61_000);
    await verdict(jwt, old);
    await eventually('the old key to be worth nothing', async () => (await verdict(jwt, old)).kind === 'refused');
    expect(await verdict(jwt, await issuer.token())).toMatchObject({ kind: 'passed' });
  });

  it.each([
    ['answers 500', { status: 500 }],
    ['redirects', { status: 302 }],
    ['sends no JSON', { text: '<html>' }],
    ['sends no keys', { text: '{"keys":"none"}' }],
  ])('leave nobody in while there are none: the issuer %s', async (_what, broken) => {
    Object.assign(issuer, broken);
    const jwt = check();
    const token = await issuer.token();
    expect(await verdict(jwt, token)).toMatchObject({
      kind: 'away',
      detail: expect.stringContaining('the keys cannot be fetched'),
    });
    expect(await verdict(jwt, token)).toMatchObject({ kind: 'away' });
    expect(issuer.fetches).toBe(1);
    issuer.status = 200;
    issuer.text = null;
    clock.forward(1_000);
    expect(await verdict(jwt, token)).toMatchObject({ kind: 'passed' });
  });

  it('are used on while the issuer is away', async () => {
    const jwt = check('jwksMaxAge', '60s');
    const token = await issuer.token();
    expect(await verdict(jwt, token)).toMatchObject({ kind: 'passed' });
    issuer.status = 503;
    clock.forward(100_000);
    expect(await verdict(jwt, token)).toMatchObject({ kind: 'passed' });
    await eventually('a fetch', () => issuer.fetches === 2);
    expect(await verdict(jwt, token)).toMatchObject({ kind: 'passed' });
  });
});
