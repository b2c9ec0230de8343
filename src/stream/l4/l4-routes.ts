// From the host that a connection asks for to its route: the list `patterns`, then the routes of the configuration, then frontends.
import type { Route } from '../../model/frontend.js';
import type { HostPattern } from '../../routing/host-pattern.js';
import type { PatternList } from '../../routing/pattern-list.js';
import { isMiss, type RouteCache, type RouteMiss } from '../../routing/route-cache.js';

/** Found for a host; null: nothing is meant for it. `away`: the store cannot be asked, and was not asked before. */
type FoundRoute = Route | 'away' | null;

/** Asks for the route of a host. @param secure the connection speaks TLS */
export type FindL4Route = (host: string, secure: boolean) => FoundRoute | Promise<FoundRoute>;

/** @param own routes of the configuration, which name their backends themselves */
export function createFindL4Route(routes: Pick<RouteCache, 'find' | 'patternFor'>, own: PatternList | null): FindL4Route {
  const decide = (host: string, secure: boolean, pattern: HostPattern | null): FoundRoute | Promise<FoundRoute> => {
    const ownTarget = pattern === null ? own?.match(host, secure)?.target : undefined;
    if (ownTarget?.kind === 'backend') return ownTarget.route;
    const found = routes.find(host, '/', secure);
    if (found instanceof Promise) return found.then((later) => ofClass(later, secure, pattern));
    return ofClass(found, secure, pattern);
  };
  return (host, secure) => {
    const pattern = routes.patternFor(host, secure);
    return pattern instanceof Promise ? pattern.then((later) => decide(host, secure, later)) : decide(host, secure, pattern);
  };
}

/** A frontend serves the connections of its class alone: TLS where it is passed through, else clear text. A pattern says so itself. */
function ofClass(found: Route | RouteMiss, secure: boolean, pattern: HostPattern | null): FoundRoute {
  if (isMiss(found)) return found.kind === 'away' || found.kind === 'late' ? 'away' : null;
  if (pattern !== null && (pattern.secure !== null || pattern.target.kind === 'backend')) return found;
  return passesThrough(found) === secure ? found : null;
}

/** Whether the TLS of a frontend is its backends' affair. */
export function passesThrough(route: Route): boolean {
  return route.policy?.tls === 'passthrough';
}
