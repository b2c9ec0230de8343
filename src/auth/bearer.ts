// Bearer tokens (RFC 6750) that a record lists by their SHA-256.
import { hash, timingSafeEqual } from 'node:crypto';
import type { BearerSettings } from '../model/auth-provider.js';
import { bearerChallenge } from './challenge.js';
import { passedAs } from './header-text.js';
import type { Check, Verdict } from './verdict.js';

/** The token in the value of Authorization, or null. */
export function parseBearer(authorization: string): string | null {
  return /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(authorization)?.[1] ?? null;
}

interface Known {
  readonly digest: Buffer;
  readonly verdict: Verdict;
}

/** Digits of a digest by which a token is found; all of them are compared then, in constant time. */
const findBy = 16;

export function createBearerCheck({ tokens, realm, userHeader }: BearerSettings): Check {
  const known = new Map<string, Known[]>();
  for (const [digest, label] of tokens) {
    const verdict = passedAs(label, userHeader);
    const beginning = digest.slice(0, findBy);
    known.set(beginning, [...(known.get(beginning) ?? []), { digest: Buffer.from(digest, 'hex'), verdict }]);
  }
  const missing: Verdict = Object.freeze({ kind: 'refused', challenge: bearerChallenge(realm) });
  const wrong: Verdict = Object.freeze({ kind: 'refused', challenge: bearerChallenge(realm, 'invalid_token') });

  return {
    keyOf: ({ authorization }) => authorization,
    check({ authorization }) {
      const token = parseBearer(authorization);
      if (token === null) return missing;
      const digits = hash('sha256', token, 'hex');
      const digest = Buffer.from(digits, 'hex');
      const found = known.get(digits.slice(0, findBy))?.find((one) => timingSafeEqual(one.digest, digest));
      return found?.verdict ?? wrong;
    },
  };
}
