// The one answer to "may this backend be used now?": the store's dead marks and those of this worker, read together.
import type { Backend } from '../model/backend.js';
import { deadBackends } from '../model/dead-set.js';
import type { Route } from '../model/frontend.js';
import type { LocalMarks } from './local-marks.js';

/** Filters the backends of a route; balancers only choose from what it leaves. */
export interface HealthView {
  /**
   * The backends that may be tried now, in the order of the list; empty when all are dead or were tried.
   * @param tried backends that this exchange has tried already, or null
   */
  candidates(route: Route, tried: readonly Backend[] | null): readonly Backend[];
}

/** @param now milliseconds since the epoch */
export function createHealthView(marks: LocalMarks, now: () => number = Date.now): HealthView {
  return {
    candidates(route, tried) {
      // Nothing is marked anywhere: the usual case, which allocates nothing.
      if (tried === null && marks.empty && unmarked(route)) return route.backends;
      const dead = unmarked(route) ? null : deadBackends(route.records, route.backends, now());
      return route.backends.filter(
        (backend, position) =>
          dead?.[position] !== true && !marks.has(route.frontend, backend.entry) && !(tried?.includes(backend) ?? false),
      );
    },
  };
}

function unmarked(route: Route): boolean {
  for (const record of route.records) {
    if (record.dead.length > 0) return false;
  }
  return true;
}
