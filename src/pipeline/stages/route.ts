// Which frontend serves the host and the path that were asked for.
import { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange } from '../../exchange/exchange.js';
import { Kind } from '../../http1/headers.js';
import type { Route } from '../../model/frontend.js';
import type { Tally } from '../../observe/tally.js';
import type { RouteCache, RouteMiss } from '../../routing/route-cache.js';
import type { Stage, StageResult } from '../stage.js';

/** The route in force for what an exchange asks for, or why there is none. A promise only when the store must be asked. */
export type FindRoute = (exchange: Exchange) => Route | ProxyError | Promise<Route | ProxyError>;

export function createFindRoute(routes: RouteCache): FindRoute {
  return (exchange) => {
    const { authority } = exchange;
    const secure = exchange.scheme === 'https';
    // HTTP/1.0 allows it, but it asks for no site: not even the catch-all is meant, as in Hipache. An empty Host may mean it, and
    // so may a pattern, as in Proxima.
    if (authority === '' && !exchange.head.headers.has(Kind.host) && !routes.hasPatternFor('', secure))
      return new ProxyError('no-host');
    const found = routes.find(authority, exchange.head.target, secure);
    if (found instanceof Promise) return found.then((later) => routeOrError(exchange, later));
    return routeOrError(exchange, found);
  };
}

/** @param tally where the requests of a frontend are counted from here on */
export function createRouteStage(find: FindRoute, tally: Tally): Stage {
  function settle(exchange: Exchange, found: Route | ProxyError): StageResult {
    if (found instanceof ProxyError) return found;
    exchange.route = found;
    // A client that left meanwhile has been accounted for.
    if (!exchange.ended) {
      // The name is asked for only where it is needed: of many hosts it is not in the processor's cache.
      exchange.counts = found.counts.frontend ?? tally.frontend(found.counts, found.frontend);
      exchange.counts.begins();
    }
    return found.fault === '' ? undefined : new ProxyError('bad-frontend-record', `${found.frontend}: ${found.fault}`);
  }

  return (exchange) => {
    const found = find(exchange);
    if (found instanceof Promise) return found.then((later) => settle(exchange, later));
    return settle(exchange, found);
  };
}

function routeOrError(exchange: Exchange, found: Route | RouteMiss): Route | ProxyError {
  if (!('kind' in found)) return found;
  switch (found.kind) {
    case 'unknown':
      return new ProxyError('unknown-frontend', exchange.head.authority);
    case 'bad-host':
      return new ProxyError('bad-host', exchange.head.authority);
    case 'away':
      return new ProxyError('store-away', exchange.head.authority);
    case 'late':
      return new ProxyError('store-late', exchange.head.authority);
  }
}
