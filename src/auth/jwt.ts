// JSON Web Tokens (RFC 7519) signed by an issuer whose public keys are known: jose verifies, this decides what it means.
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { JwtSettings } from '../model/auth-provider.js';
import { parseBearer } from './bearer.js';
import { bearerChallenge } from './challenge.js';
import { headerText } from './header-text.js';
import { createRemoteKeys, type FindKey, KeysAway } from './key-set.js';
import type { ServiceCalls } from './service-call.js';
import type { Check, Verdict } from './verdict.js';
import type { AuthClock } from './verdict-cache.js';

/** The keys of a record: fetched from its URL, or those that it holds. */
export function findKeyOf(settings: JwtSettings, calls: ServiceCalls, clock: AuthClock): FindKey {
  const { jwks, jwksMaxAge: maxAge, jwksCooldown: cooldown, timeout } = settings;
  if (typeof jwks === 'string') return createRemoteKeys({ url: jwks, maxAge, cooldown, timeout }, calls, clock);
  return createLocalJWKSet(jwks as unknown as JSONWebKeySet);
}

export function createJwtCheck(settings: JwtSettings, findKey: FindKey, clock: AuthClock): Check {
  const { realm, issuer, audience, algorithms, clockTolerance, requireExpiry } = settings;
  const missing: Verdict = Object.freeze({ kind: 'refused', challenge: bearerChallenge(realm) });
  const wrong: Verdict = Object.freeze({ kind: 'refused', challenge: bearerChallenge(realm, 'invalid_token') });
  const forbidden: Verdict = Object.freeze({ kind: 'forbidden', challenge: bearerChallenge(realm, 'insufficient_scope') });
  const options: JWTVerifyOptions = {
    algorithms: [...algorithms],
    clockTolerance: clockTolerance / 1000,
    ...(issuer === undefined ? {} : { issuer: [...issuer] }),
    ...(audience === undefined ? {} : { audience: [...audience] }),
    ...(requireExpiry ? { requiredClaims: ['exp'] } : {}),
  };

  async function verify(token: string): Promise<Verdict> {
    try {
      const payload = await verified(token, findKey, { ...options, currentDate: new Date(clock.wall) });
      if (!hasClaims(payload, settings.requiredClaims)) return forbidden;
      const headers = claimLines(payload, settings);
      return payload.exp === undefined
        ? { kind: 'passed', headers, claims: payload }
        : { kind: 'passed', headers, claims: payload, until: payload.exp * 1000 + clockTolerance };
    } catch (error) {
      if (error instanceof KeysAway) return { kind: 'away', detail: error.message };
      // Everything else says that this token proves nothing; a key that jose cannot use is the fault of the record or the issuer.
      if (error instanceof errors.JOSEError) return wrong;
      return { kind: 'away', detail: 'a key cannot be used to verify tokens' };
    }
  }

  return {
    keyOf: ({ authorization }) => authorization,
    check({ authorization }) {
      const token = parseBearer(authorization);
      return token === null ? missing : verify(token);
    },
  };
}

/** A token that names no key may be signed with any that fits its algorithm: while an issuer changes keys there are two. */
async function verified(token: string, findKey: FindKey, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, findKey, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (other) {
        if (!(other instanceof errors.JWSSignatureVerificationFailed)) throw other;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** Each claim has one of the values that are allowed; a list has one of them among its members, `scope` among its words. */
function hasClaims(payload: JWTPayload, required: JwtSettings['requiredClaims']): boolean {
  return Object.entries(required).every(([name, allowed]) => {
    const values: readonly unknown[] = Array.isArray(allowed) ? allowed : [allowed];
    const claim = Object.hasOwn(payload, name) ? payload[name] : undefined;
    return membersOf(name, claim).some((one) => values.includes(one));
  });
}

function membersOf(name: string, claim: unknown): readonly unknown[] {
  if (Array.isArray(claim)) return claim;
  return name === 'scope' && typeof claim === 'string' ? claim.split(' ') : [claim];
}

function claimLines(payload: JWTPayload, { userHeader, userClaim, claimHeaders }: JwtSettings): string[] {
  const lines: string[] = [];
  const add = (claim: string, header: string): void => {
    const text = Object.hasOwn(payload, claim) ? claimText(payload[claim]) : '';
    if (text !== '') lines.push(header, text);
  };
  if (userHeader !== undefined) add(userClaim, userHeader);
  for (const [claim, header] of Object.entries(claimHeaders)) add(claim, header);
  return lines;
}

/** Texts, numbers and flags; lists with commas, which are encoded within their members. Objects have no form in a header. */
function claimText(claim: unknown): string {
  if (Array.isArray(claim)) {
    const members = claim.map((one: unknown) => (Array.isArray(one) ? '' : claimText(one).replaceAll(',', '%2C')));
    return members.filter((text) => text !== '').join(',');
  }
  return typeof claim === 'string' || typeof claim === 'number' || typeof claim === 'boolean' ? headerText(String(claim)) : '';
}
