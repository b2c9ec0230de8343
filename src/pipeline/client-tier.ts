// Which tier limits a request, and by what its client is counted: the rules of the frontend, then its tier, then the settings.

import type { Exchange } from '../exchange/exchange.js';
import { Kind } from '../http1/headers.js';
import type { MemberKind, Members } from '../limits/members.js';
import { addressKey, type KeyDigests, nameKey } from '../limits/tier-key.js';
import type { LimitPolicy, TierRule } from '../model/policy/limits.js';
import { tierName } from '../model/tier-name.js';
import { normaliseHost } from '../routing/host-name.js';

/** What a rule comes to. */
export interface ClientTier {
  readonly tier: string;
  /** What is counted where the tier is about clients. */
  readonly client: string;
}

/** What the rules ask. */
export interface ClientTierParts {
  readonly members: Pick<Members, 'tierOf' | 'isIn'>;
  readonly digests: KeyDigests;
  /** The tier of requests that neither a rule nor the frontend gives one; empty: none. */
  readonly standard: string;
  /** Whether Referer may be believed. */
  readonly referer: boolean;
}

/** Finds the tier of a request; null: it is not limited. A promise only when the store must be asked. */
export type FindClientTier = (exchange: Exchange, policy: LimitPolicy | null) => ClientTier | null | Promise<ClientTier | null>;

type Found = ClientTier | null | Promise<ClientTier | null>;

export function createFindClientTier(parts: ClientTierParts): FindClientTier {
  const { members, digests, standard, referer } = parts;
  // Where all frontends are limited, the sets of cjs-proxy raise some, as they did there.
  const standardRules: readonly TierRule[] = [
    { kind: 'set', set: 'premium' },
    { kind: 'set', set: 'registered' },
    ...(referer ? [{ kind: 'referer' } as const] : []),
  ];

  function firstOf(exchange: Exchange, rules: readonly TierRule[], from: number, last: string): Found {
    for (let at = from; at < rules.length; at++) {
      const found = ask(exchange, rules[at] as TierRule);
      if (found === null) continue;
      if (!(found instanceof Promise)) return found;
      return found.then((later) => later ?? firstOf(exchange, rules, at + 1, last));
    }
    return last === '' ? null : { tier: last, client: addressKey(exchange.clientAddress) };
  }

  function ask(exchange: Exchange, rule: TierRule): Found {
    switch (rule.kind) {
      case 'header':
        return byKey(exchange, rule.name);
      case 'claim':
        return byClaim(exchange, rule);
      case 'set':
        return byHost(exchange, rule.set, hostOf(exchange.authority));
      case 'member': {
        const client = addressKey(exchange.clientAddress);
        return member(rule.of, rule.of === 'ip' ? client : hostOf(exchange.authority), client);
      }
      case 'address':
        if (!rule.ranges.has(exchange.clientAddress)) return null;
        return { tier: rule.tier, client: addressKey(exchange.clientAddress) };
      case 'referer':
        return referer ? byReferer(exchange) : null;
    }
  }

  function member(kind: MemberKind, id: string, client: string): Found {
    if (id === '') return null;
    const tier = members.tierOf(kind, id);
    const named = (name: string): ClientTier | null => (name === '' ? null : { tier: name, client });
    return tier instanceof Promise ? tier.then(named) : named(tier);
  }

  /** A key that nobody has given out counts for nothing: otherwise a client would have as many accounts as it can make up keys. */
  function byKey({ head }: Exchange, name: string): Found {
    const [value = ''] = head.headers.values(name);
    const digest = digests.of(name === 'authorization' ? value.replace(/^bearer +/i, '') : value);
    return digest === '' ? null : member('key', digest, `key:${digest}`);
  }

  function byHost({ clientAddress }: Exchange, set: 'registered' | 'premium', host: string): Found {
    if (host === '') return null;
    const is = members.isIn(set, host);
    const named = (isMember: boolean): ClientTier | null => (isMember ? { tier: set, client: addressKey(clientAddress) } : null);
    return is instanceof Promise ? is.then(named) : named(is);
  }

  function byReferer(exchange: Exchange): Found {
    const host = hostOf(exchange.head.headers.first(Kind.referer).split('/')[2] ?? '');
    const premium = byHost(exchange, 'premium', host);
    if (premium instanceof Promise) return premium.then((found) => found ?? byHost(exchange, 'registered', host));
    return premium ?? byHost(exchange, 'registered', host);
  }

  return (exchange, policy) => {
    const rules = policy?.limits;
    if (rules !== undefined) return firstOf(exchange, rules, 0, policy?.tier ?? (standard === '' ? 'anonymous' : standard));
    if (policy?.tier !== undefined) return { tier: policy.tier, client: addressKey(exchange.clientAddress) };
    return standard === '' ? null : firstOf(exchange, standardRules, 0, standard);
  };
}

/** Without port and in lower case; empty where there is none. */
function hostOf(authority: string): string {
  return normaliseHost(authority)?.host ?? '';
}

/** The issuer has signed it, so that it may stand for the client; who has no name is counted by address. */
function byClaim({ claims, clientAddress }: Exchange, rule: Extract<TierRule, { kind: 'claim' }>): ClientTier | null {
  const value = claimOf(claims, rule.claim);
  const tier = rule.tiers === null ? value : (rule.tiers.get(value) ?? '');
  if (!tierName.test(tier)) return null;
  const name = claimOf(claims, rule.per);
  return { tier, client: name === '' ? addressKey(clientAddress) : `${rule.per}:${nameKey(name)}` };
}

function claimOf(claims: Readonly<Record<string, unknown>> | null, name: string): string {
  const claim = claims !== null && Object.hasOwn(claims, name) ? claims[name] : undefined;
  return typeof claim === 'string' || typeof claim === 'number' || typeof claim === 'boolean' ? String(claim) : '';
}
