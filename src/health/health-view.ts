// The one answer to "may this backend be used now?": the store's dead marks and those of this worker, read together.
import type { Backend } from '../model/backend.js';
import { deathsOf, maintenanceOf } from '../model/dead-set.js';
import type { Route } from '../model/frontend.js';
import type { HealthPolicy } from '../model/policy/health.js';
import { breakerState } from './breaker.js';
import type { LocalMarks } from './local-marks.js';
import { ejectionLimit, type Standing, standingsOf } from './standing.js';

/** Filters the backends of a route; balancers only choose from what it leaves. */
export interface HealthView {
  /**
   * The backends that may be tried now, in the order of the list; empty when all are dead or were tried. A backend whose
   * breaker is half-open is among them for one request.
   * @param tried backends that this exchange has tried already, or null
   */
  candidates(route: Route, tried: readonly Backend[] | null): readonly Backend[];
  /** Whether a backend that is no candidate may still serve the sessions that it has: it is under maintenance, and drains. */
  drains(route: Route, backend: Backend): boolean;
}

/** Who may try a backend whose breaker is half-open. */
export interface TrialGate {
  allows(route: Route, backend: Backend): boolean;
}

/** @param now milliseconds since the epoch */
export function createHealthView(marks: LocalMarks, trials: TrialGate, now: () => number = Date.now): HealthView {
  /** What a frontend without a policy of health has: whoever is marked is out. */
  function unlimited(route: Route, tried: readonly Backend[] | null): readonly Backend[] {
    const deaths = deathsOf(route.records, route.backends, now());
    return route.backends.filter(
      (backend, position) =>
        (deaths[position] ?? null) === null && !marks.has(route.frontend, backend.entry) && !wasTried(backend, tried),
    );
  }

  function limited(route: Route, health: HealthPolicy, tried: readonly Backend[] | null): readonly Backend[] {
    const standings = standingsOf(route, marks, now());
    const out = ejectedOnes(standings, health.maxEjected);
    const usable = standings.map(({ kind }, position) => kind === 'alive' || (kind === 'ejected' && !out.has(position)));
    if (health.panic && !usable.includes(true)) {
      return route.backends.filter(
        (backend, position) => standings[position]?.kind !== 'maintenance' && !wasTried(backend, tried),
      );
    }
    // A further attempt of a request that failed already is no trial: it has had trouble enough.
    const trial = tried === null ? trialAmong(route, standings, out) : null;
    return route.backends.filter(
      (backend, position) => (usable[position] === true && !wasTried(backend, tried)) || backend === trial,
    );
  }

  function trialAmong(route: Route, standings: readonly Standing[], out: ReadonlySet<number>): Backend | null {
    for (const position of out) {
      const standing = standings[position];
      const backend = route.backends[position] as Backend;
      if (standing?.kind !== 'ejected' || breakerState(standing.mark, now()) !== 'half-open') continue;
      if (trials.allows(route, backend)) return backend;
    }
    return null;
  }

  return {
    candidates(route, tried) {
      // Nothing is marked anywhere: the usual case, which allocates nothing.
      const quiet = marks.empty && route.unmarked;
      if (quiet) return tried === null ? route.backends : route.backends.filter((backend) => !tried.includes(backend));
      const health = route.policy?.health;
      return health === undefined ? unlimited(route, tried) : limited(route, health, tried);
    },

    drains(route, backend) {
      const drain = route.policy?.health?.drain ?? 0;
      if (drain === 0 || marks.has(route.frontend, backend.entry)) return false;
      const mark = maintenanceOf(route.records, backend);
      // Somebody who wrote the mark by hand may not have said when: it then drains until a prober has noted a time.
      return mark !== null && ((mark.since ?? 0) === 0 || now() < (mark.since ?? 0) + drain);
    },
  };
}

/**
 * The positions that are out. Two nodes may eject at the same moment what together is too much: each of them sees the same marks
 * and lets those that came first count.
 */
function ejectedOnes(standings: readonly Standing[], maxEjected: number): ReadonlySet<number> {
  const ejected: { position: number; since: number }[] = [];
  standings.forEach((standing, position) => {
    if (standing.kind === 'ejected') ejected.push({ position, since: standing.since });
  });
  ejected.sort((one, other) => one.since - other.since || one.position - other.position);
  const limit = maxEjected === 100 ? ejected.length : ejectionLimit(standings, maxEjected);
  return new Set(ejected.slice(0, limit).map(({ position }) => position));
}

function wasTried(backend: Backend, tried: readonly Backend[] | null): boolean {
  return tried?.includes(backend) ?? false;
}
