// How each backend of a route stands: alive, under maintenance, dead, or ejected by what requests met.
import { deathsOf } from '../model/dead-set.js';
import type { Route } from '../model/frontend.js';
import type { BreakerMark } from './breaker.js';
import type { LocalMarks } from './local-marks.js';

/** One backend's. `ejected`: requests made the mark, so that the limit of ejections counts it; `since` tells which came first. */
export type Standing =
  | { readonly kind: 'alive' | 'maintenance' | 'dead' }
  | { readonly kind: 'ejected'; readonly since: number; readonly mark: BreakerMark };

const alive: Standing = Object.freeze({ kind: 'alive' });
const maintenance: Standing = Object.freeze({ kind: 'maintenance' });
const dead: Standing = Object.freeze({ kind: 'dead' });

/**
 * The standings in the order of the route's backends. Of two marks made by requests that of this worker is the newer one.
 * @param now milliseconds since the epoch
 */
export function standingsOf(route: Route, marks: LocalMarks, now: number): readonly Standing[] {
  const deaths = deathsOf(route.records, route.backends, now);
  return route.backends.map((backend, position): Standing => {
    const death = deaths[position] ?? null;
    if (death?.kind === 'mark' && death.mark.manual === true) return maintenance;
    const local = marks.find(route.frontend, backend.entry);
    if (death?.kind === 'member' || (death?.kind === 'mark' && death.mark.probed === true)) return dead;
    const mark = local ?? death?.mark ?? null;
    if (mark === null) return alive;
    // A mark that was made anew keeps its place among the others.
    return { kind: 'ejected', since: death?.mark.since ?? local?.since ?? 0, mark };
  });
}

/**
 * How many may be ejected by requests at a time: what the limit leaves beside those that are dead for other reasons. Backends
 * under maintenance count as if they were not in the list.
 * @param maxEjected percent
 */
export function ejectionLimit(standings: readonly Standing[], maxEjected: number): number {
  const count = (kind: Standing['kind']): number => standings.filter((standing) => standing.kind === kind).length;
  const pool = standings.length - count('maintenance');
  return Math.max(0, Math.floor((pool * maxEjected) / 100) - count('dead'));
}
