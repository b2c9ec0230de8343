// Policy: which tier limits the requests of a frontend, and by what a client is known.
import * as z from 'zod';
import { type AddressSet, createAddressSet, parseRange } from '../../base/ip.js';
import { tierName } from '../tier-name.js';
import { jsonField, type PolicyOf, textField } from './field.js';
import { Disallowed, isObject, parsedBy } from './parsed-by.js';

const tierAllowed = '"none", or the name of a tier: 1 to 64 letters, digits and any of . _ -';
const rulesAllowed =
  'a rule or a list of rules: {"header": "X-API-Key"}, {"claim": "plan", "tiers": {"gold": "premium"}, "per": "sub"}, {"set": "premium"}, {"member": "ip"}, {"address": ["10.0.0.0/8"], "tier": "partner"}, {"referer": true}';

/** RFC 9110 section 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;

/** How a request comes to its tier. The first rule of a list that says something decides. */
export type TierRule =
  /** `member:key:<SHA-256>` of what a header holds; the key is then counted, not the address. */
  | { readonly kind: 'header'; readonly name: string }
  /** A claim of a token that the frontend's provider has verified; `per` is the claim that tells clients apart. */
  | { readonly kind: 'claim'; readonly claim: string; readonly per: string; readonly tiers: ReadonlyMap<string, string> | null }
  /** The asked host is a member of a set, whose name is the tier. */
  | { readonly kind: 'set'; readonly set: 'registered' | 'premium' }
  /** `member:ip:<address>` of the client, or `member:host:<host>` of the asked host. */
  | { readonly kind: 'member'; readonly of: 'ip' | 'host' }
  /** The client's address is in one of some ranges. */
  | { readonly kind: 'address'; readonly ranges: AddressSet; readonly tier: string }
  /** The host of Referer is a member of a set, as in cjs-proxy. Anybody can write it, so that a setting must allow it. */
  | { readonly kind: 'referer' };

export const limitFields = {
  /** The tier of requests that no rule is about; absent: what the settings say. */
  tier: textField(z.string().regex(tierName, tierAllowed).optional()),
  /** Rules that are asked before; absent: none. */
  limits: jsonField(parsedBy(parseRules)),
};

export type LimitPolicy = PolicyOf<typeof limitFields>;

function parseRules(written: unknown): readonly TierRule[] | Disallowed {
  const list: readonly unknown[] = Array.isArray(written) ? written : [written];
  if (list.length === 0 || list.length > 50) return new Disallowed(rulesAllowed);
  const rules: TierRule[] = [];
  for (const one of list) {
    const rule = isObject(one) ? parseRule(one) : null;
    if (rule === null) return new Disallowed(rulesAllowed);
    rules.push(rule);
  }
  return Object.freeze(rules);
}

/** Null: not a rule. An unknown member is a mistake, which must not make a rule mean more than was meant. */
function parseRule(written: Record<string, unknown>): TierRule | null {
  const { header, claim, per = 'sub', tiers, set, member, address, tier, referer } = written;
  switch (Object.keys(written).sort().join()) {
    case 'header':
      return typeof header === 'string' && token.test(header) ? { kind: 'header', name: header.toLowerCase() } : null;
    case 'claim':
    case 'claim,per':
    case 'claim,tiers':
    case 'claim,per,tiers': {
      const named = tiers === undefined ? null : parseTiers(tiers);
      if (!isClaim(claim) || !isClaim(per) || named === undefined) return null;
      return { kind: 'claim', claim, per, tiers: named };
    }
    case 'set':
      return set === 'registered' || set === 'premium' ? { kind: 'set', set } : null;
    case 'member':
      return member === 'ip' || member === 'host' ? { kind: 'member', of: member } : null;
    case 'address,tier': {
      const ranges = typeof address === 'string' ? address.split(/[\s,]+/) : address;
      if (!Array.isArray(ranges) || ranges.length === 0 || typeof tier !== 'string' || !tierName.test(tier)) return null;
      if (!ranges.every((range): range is string => typeof range === 'string' && parseRange(range.trim()) !== null)) return null;
      return { kind: 'address', ranges: createAddressSet(ranges), tier };
    }
    case 'referer':
      return referer === true ? { kind: 'referer' } : null;
    default:
      return null;
  }
}

function isClaim(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name.length <= 128;
}

/** Undefined: not a map of tiers. */
function parseTiers(written: unknown): ReadonlyMap<string, string> | undefined {
  if (!isObject(written)) return undefined;
  const entries = Object.entries(written);
  const fine =
    entries.length > 0 &&
    entries.every((entry): entry is [string, string] => typeof entry[1] === 'string' && tierName.test(entry[1]));
  return fine ? new Map(entries) : undefined;
}
