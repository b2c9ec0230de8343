// Basic authentication (RFC 7617): names and passwords against the hashes of a record.
import { randomBytes } from 'node:crypto';
import type { BasicSettings } from '../model/auth-provider.js';
import { basicChallenge } from './challenge.js';
import { passedAs } from './header-text.js';
import type { PasswordChecks } from './password-checks.js';
import { type PasswordHash, parsePasswordHash, standardCost } from './password-hash.js';
import type { AuthQuestion, Check, Verdict } from './verdict.js';

/** A name and a password as a client showed them. */
export interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

/** The check, and what is wrong with single users of the record: they cannot log in, the others can. */
export interface BasicCheck {
  readonly check: Check;
  readonly faults: readonly string[];
}

/** Reads the value of Authorization. Null: it is not of this scheme, or malformed. */
export function parseBasic(authorization: string): BasicCredentials | null {
  const encoded = /^basic +([A-Za-z0-9+/_-]+={0,2}) *$/i.exec(authorization)?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  // Control characters belong to neither (RFC 7617 section 2).
  if (colon < 1 || /[\x00-\x1f\x7f]/.test(text)) return null;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** @param checks shared by all providers of the process */
export function createBasicCheck(settings: BasicSettings, checks: PasswordChecks): BasicCheck {
  const hashes = new Map<string, PasswordHash>();
  const faults: string[] = [];
  for (const [user, text] of settings.users) {
    const hash = parsePasswordHash(text);
    if (hash === null) faults.push(`user:${user} is no password hash; allowed: $scrypt$ln=14,r=8,p=5$<salt>$<hash>`);
    else hashes.set(user, hash);
  }
  // An unknown name takes as long as a known one, or the time would tell which names there are.
  const nobody: PasswordHash = {
    ...(hashes.values().next().value ?? standardCost),
    salt: randomBytes(16),
    hash: randomBytes(32),
  };
  const refused: Verdict = Object.freeze({ kind: 'refused', challenge: basicChallenge(settings.realm) });

  async function verify(user: string, pending: Promise<boolean>): Promise<Verdict> {
    try {
      const right = await pending;
      return right && hashes.has(user) ? passedAs(user, settings.userHeader) : refused;
    } catch (error) {
      return { kind: 'away', detail: `a password could not be hashed: ${error instanceof Error ? error.message : 'unknown'}` };
    }
  }

  return {
    faults,
    check: {
      keyOf: ({ authorization }: AuthQuestion) => authorization,
      check({ authorization }) {
        const shown = parseBasic(authorization);
        if (shown === null) return refused;
        const pending = checks.verify(shown.password, hashes.get(shown.user) ?? nobody);
        return pending === 'busy' ? { kind: 'busy' } : verify(shown.user, pending);
      },
    },
  };
}
