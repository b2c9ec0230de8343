// How many requests a client may make: takes the points of its tier, once a request, whatever becomes of the request.
import { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange } from '../../exchange/exchange.js';
import type { TierLimit, TierVerdict } from '../../limits/tier-limit.js';
import type { Tiers } from '../../limits/tiers.js';
import type { Route } from '../../model/frontend.js';
import { costOf } from '../../model/tier.js';
import { noTier } from '../../model/tier-name.js';
import { normalPath } from '../../routing/path-normal.js';
import type { ClientTier, FindClientTier } from '../client-tier.js';
import type { LimitLines } from '../limit-lines.js';
import type { Stage, StageResult } from '../stage.js';

/** What limiting needs. */
export interface LimitParts {
  readonly tiers: Pick<Tiers, 'get'>;
  readonly find: FindClientTier;
  readonly lines: LimitLines;
  /** Whether frontends that name no tier are limited too. */
  readonly all: boolean;
}

type Decision = StageResult | Promise<StageResult>;

export function createLimit({ tiers, find, lines, all }: LimitParts): Stage {
  // Making an error costs as much as refusing does; one a tier is enough, since its clients are told nothing else.
  const refusals = new WeakMap<TierLimit, ProxyError>();

  function refusalOf(limit: TierLimit): ProxyError {
    const known = refusals.get(limit);
    if (known !== undefined) return known;
    const refusal = new ProxyError('rate-limited', `tier ${limit.tier.name}`);
    refusals.set(limit, refusal);
    return refusal;
  }

  function settle(exchange: Exchange, limit: TierLimit, verdict: TierVerdict): StageResult {
    if (verdict.admitted) {
      exchange.responseLines += lines.of(limit.tier, verdict);
      limit.admitted++;
      return undefined;
    }
    limit.refused++;
    exchange.responseLines += lines.ofRefusal(limit.tier, verdict);
    return refusalOf(limit);
  }

  function take(exchange: Exchange, limit: TierLimit, client: string): Decision {
    const { costs, scope } = limit.tier;
    const cost = costs.length === 0 ? 1 : costOf(costs, exchange.head.method, normalPath(exchange.head.target));
    if (cost === 0) return undefined;
    const { frontend } = exchange.route as Route;
    const key = scope === 'client' ? client : scope === 'frontend' ? frontend : `${client}@${frontend}`;
    const verdict = limit.take(key, cost, exchange.startedAt);
    if (!(verdict instanceof Promise)) return settle(exchange, limit, verdict);
    return verdict.then(
      (later) => settle(exchange, limit, later),
      (error: unknown) => new ProxyError('limit-away', `tier ${limit.tier.name}`, error),
    );
  }

  function limited(exchange: Exchange, found: ClientTier | null): Decision {
    if (found === null || found.tier === noTier) return undefined;
    const limit = tiers.get(found.tier);
    if (!(limit instanceof Promise)) return take(exchange, limit, found.client);
    return limit.then((later) => take(exchange, later, found.client));
  }

  return (exchange) => {
    const policy = exchange.route?.policy ?? null;
    if (!all && (policy === null || (policy.tier === undefined && policy.limits === undefined))) return undefined;
    const found = find(exchange, policy);
    return found instanceof Promise ? found.then((later) => limited(exchange, later)) : limited(exchange, found);
  };
}
