// Which backend an attempt goes to: asks the health view who may be used, the sticky cookie whose client it is, and a balancer.
import type { Balancer, Weights } from '../../balancing/balancer.js';
import { eligible, type Shares, sharesOf } from '../../balancing/shares.js';
import type { SlowStart } from '../../balancing/slow-start.js';
import type { Strategy } from '../../config/strategy.js';
import type { Exchange } from '../../exchange/exchange.js';
import type { HealthView } from '../../health/health-view.js';
import type { Backend } from '../../model/backend.js';
import type { Route } from '../../model/frontend.js';
import type { RoutePolicy } from '../../model/policy/policy.js';
import { clientKey } from '../client-key.js';
import type { StickyCookies } from '../sticky-cookie.js';
import type { TrafficSplit } from '../traffic-split.js';

/** What picking needs. */
export interface PickBackendParts {
  readonly view: HealthView;
  readonly balancers: Readonly<Record<Strategy, Balancer>>;
  /** Strategy of frontends that choose none. */
  readonly standard: Strategy;
  readonly slowStart: SlowStart;
  readonly cookies: StickyCookies;
  readonly split: TrafficSplit;
}

/** Part of the stage `forward`, which asks once an attempt. */
export class PickBackend {
  readonly #parts: PickBackendParts;
  readonly #standard: Balancer;
  readonly #shares = new WeakMap<Route, Shares>();

  constructor(parts: PickBackendParts) {
    this.#parts = parts;
    this.#standard = parts.balancers[parts.standard];
  }

  /** A backend that is alive and untried; null when there is none. */
  pick(exchange: Exchange): Backend | null {
    const route = exchange.route as Route;
    const candidates = this.#parts.view.candidates(route, exchange.tried);
    const { policy } = route;
    if (candidates.length === 0) return policy === null ? null : this.#session(exchange, route, candidates, policy);
    if (policy === null && route.even) return this.#standard.pick(candidates, route, exchange.clientAddress, null);
    return this.#pickByShares(exchange, route, candidates, policy);
  }

  /** The answer of a backend is about to be relayed. */
  answered(exchange: Exchange, route: Route, backend: Backend): void {
    const sticky = route.policy?.sticky;
    if (sticky !== undefined) this.#parts.cookies.tell(exchange, route, sticky, backend);
  }

  #pickByShares(exchange: Exchange, route: Route, candidates: readonly Backend[], policy: RoutePolicy | null): Backend | null {
    const shares = this.#sharesOf(route);
    const usable = eligible(candidates, shares);
    if (policy === null) return this.#standard.pick(usable, route, exchange.clientAddress, weighed(shares, shares.weights));
    const weights = this.#weightsNow(exchange, route, candidates, shares, policy);
    const session = this.#session(exchange, route, candidates, policy);
    const within = this.#within(exchange, route, usable, session, policy);
    if (session !== null && within.includes(session)) return session;
    const balancer = policy.strategy === undefined ? this.#standard : this.#parts.balancers[policy.strategy];
    const key = clientKey(exchange, policy.strategy === 'HASH' ? policy.hashOn : undefined);
    // A turn by index would give those who follow another group more than their share; weighed ones count each for itself.
    return balancer.pick(within, route, key, policy.split === undefined ? weighed(shares, weights) : weights);
  }

  /** The backend that the client has a session with: a candidate, also without weight or a backup, or one that is under maintenance and drains. */
  #session(exchange: Exchange, route: Route, candidates: readonly Backend[], { sticky }: RoutePolicy): Backend | null {
    if (sticky === undefined) return null;
    const asked = this.#parts.cookies.asked(exchange, route, sticky);
    if (asked === null || candidates.includes(asked)) return asked;
    return exchange.tried?.includes(asked) !== true && this.#parts.view.drains(route, asked) ? asked : null;
  }

  /** Those of one group where there is a split, the backend of the session among them if it may serve. */
  #within(
    exchange: Exchange,
    route: Route,
    usable: readonly Backend[],
    session: Backend | null,
    { split }: RoutePolicy,
  ): readonly Backend[] {
    const all = session === null || usable.includes(session) ? usable : [...usable, session];
    return split === undefined ? all : this.#parts.split.among(exchange, route, split, all, session);
  }

  #weightsNow(
    { tried }: Exchange,
    route: Route,
    candidates: readonly Backend[],
    { weights }: Shares,
    { slowStart: duration }: RoutePolicy,
  ): Weights {
    if (duration === 0) return weights;
    const { slowStart } = this.#parts;
    return tried === null
      ? slowStart.weigh(route, candidates, weights, duration)
      : slowStart.weighAgain(route, candidates, weights, duration);
  }

  #sharesOf(route: Route): Shares {
    let shares = this.#shares.get(route);
    if (shares === undefined) {
      shares = sharesOf(route);
      this.#shares.set(route, shares);
    }
    return shares;
  }
}

/** Weights that are all equal, and not reduced just now, need not be weighed. */
function weighed({ equal, weights: whole }: Shares, weights: Weights): Weights | null {
  return equal && weights === whole ? null : weights;
}
