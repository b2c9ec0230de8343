// Which frontend serves the host that was asked for.
import { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange } from '../../exchange/exchange.js';
import { Kind } from '../../http1/headers.js';
import type { Route } from '../../model/frontend.js';
import type { RouteCache, RouteMiss } from '../../routing/route-cache.js';
import type { Stage, StageResult } from '../stage.js';

export function createRouteStage(routes: RouteCache): Stage {
  return (exchange) => {
    const { authority } = exchange;
    // HTTP/1.0 allows it, but it asks for no site: not even the catch-all is meant, as in Hipache. An empty Host may mean it.
    if (authority === '' && !exchange.head.headers.has(Kind.host)) return new ProxyError('no-host');
    const found = routes.find(authority);
    if (found instanceof Promise) return found.then((later) => settle(exchange, later));
    return settle(exchange, found);
  };
}

function settle(exchange: Exchange, found: Route | RouteMiss): StageResult {
  if ('kind' in found) {
    switch (found.kind) {
      case 'unknown':
        return new ProxyError('unknown-frontend', exchange.head.authority);
      case 'bad-host':
        return new ProxyError('bad-host', exchange.head.authority);
      case 'away':
        return new ProxyError('store-away', exchange.head.authority);
    }
  }
  exchange.route = found;
  if (found.fault !== '') return new ProxyError('bad-frontend-record', `${found.frontend}: ${found.fault}`);
  return undefined;
}
