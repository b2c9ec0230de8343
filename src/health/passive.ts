// Passive health: what real requests met becomes dead marks, in this worker at once and in the store without waiting for it.
import type { ServerConfig } from '../config/config.js';
import { codeOf } from '../errors/classify.js';
import type { ProxyError } from '../errors/proxy-error.js';
import type { Backend } from '../model/backend.js';
import type { Route } from '../model/frontend.js';
import type { HealthPolicy } from '../model/policy/health.js';
import { includesStatus } from '../model/status-ranges.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import type { Store } from '../store/store.js';
import { openTime } from './breaker.js';
import { type DeadRules, deadByError, deadByStatus, failsBreaker } from './decide-dead.js';
import { FailureWindow } from './failure-window.js';
import type { LocalMarks } from './local-marks.js';
import { reviveEverywhere } from './revival.js';
import { ejectionLimit, type Standing, standingsOf } from './standing.js';
import type { Trials } from './trials.js';

/** Told of the end of attempts. Never throws, never makes anybody wait. */
export interface PassiveHealth {
  /** A backend answered. */
  answered(route: Route, backend: Backend, status: number, hasRetryAfter: boolean): void;
  /** An attempt failed. */
  failed(route: Route, backend: Backend, error: ProxyError): void;
}

/** What passive health works with. */
export interface PassiveHealthParts {
  readonly store: Pick<Store, 'markDead' | 'revive'>;
  readonly marks: LocalMarks;
  readonly trials: Pick<Trials, 'running' | 'decided'>;
  readonly hchecker: { readonly active: boolean };
  readonly rules: DeadRules & Pick<ServerConfig, 'deadBackendTTL'>;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'deadMarks'>;
  /** Told of each mark, and what the backend met. */
  readonly marked?: (route: Route, backend: Backend, what: string) => void;
  /** Milliseconds since the epoch; a test gives its own. */
  readonly now?: () => number;
}

/** How a mark of a breaker differs from others. */
interface Opening {
  readonly retryAt: number;
  readonly opens: number;
  readonly since?: number;
}

export function createPassiveHealth(parts: PassiveHealthParts): PassiveHealth {
  const { store, marks, trials, hchecker, rules, log, metrics, now = Date.now } = parts;
  const failures = new FailureWindow(now);

  /** Marks a backend, and says so. */
  function mark(route: Route, backend: Backend, what: string, ttl: number, opening?: Opening): Promise<void> {
    const { host, frontend, backends } = route;
    const write = ttl > 0 && (opening !== undefined || !(hchecker.active && checkedByHchecker(route, backend)));
    const seconds = opening === undefined ? '' : ` for ${Math.ceil((opening.retryAt - now()) / 1000)} s, time ${opening.opens}`;
    const state = opening === undefined ? (write ? 'dead' : 'reported') : `out of its circuit${seconds}`;
    log.warn(`${host}: backend #${backend.index} is ${state} (${what})`, { frontend, backend: backend.origin });
    const local = write ? marks.add(host, frontend, backend.entry, ttl, opening) : null;
    if (write) {
      metrics.deadMarks++;
      parts.marked?.(route, backend, what);
    }
    return store.markDead({ host, frontend, backend, size: backends.length, ttl, write, ...opening }).then(
      () => {
        if (local !== null) marks.written(local);
      },
      (error: unknown) => {
        log.warn(`${host}: the mark of backend #${backend.index} stays in this worker alone`, { error });
      },
    );
  }

  /** The server's rule, for frontends that ask for none of their own: the first failure marks. */
  function met(route: Route, backend: Backend, what: string): void {
    // The only backend is never marked nor published: a mark could but turn its errors into ours (Hipache's rule).
    if (route.backends.length <= 1) return;
    // Made already and on its way to the store, or kept here while the store is away.
    if (marks.has(route.frontend, backend.entry)) return;
    void mark(route, backend, what, rules.deadBackendTTL);
  }

  /** The frontend's own rule: the n-th failure within the window marks, if the limit of ejections allows another one. */
  function counted(route: Route, backend: Backend, health: HealthPolicy, what: string): void {
    if (route.backends.length <= 1) return;
    if (trials.running(route, backend)) {
      trials.decided(route, backend, open(route, backend, health, what));
      return;
    }
    const key = `${route.frontend} ${backend.entry}`;
    if (!failures.failed(key, health.threshold, health.window)) return;
    const standings = standingsOf(route, marks, now());
    // An answer that was on its way when the mark was made, or a request of a panic, says nothing new.
    if (standings[route.backends.indexOf(backend)]?.kind !== 'alive' || !hasRoom(standings, health)) return;
    failures.forget(key);
    if (health.breaker !== undefined) void open(route, backend, health, what);
    else void mark(route, backend, what, ttlOf(health));
  }

  function open(route: Route, backend: Backend, health: HealthPolicy, what: string): Promise<void> {
    if (health.breaker === undefined) return Promise.resolve();
    const standing = standingsOf(route, marks, now())[route.backends.indexOf(backend)];
    const previous = standing?.kind === 'ejected' ? standing : null;
    const opens = (previous?.mark.opens ?? 0) + 1;
    const time = openTime(health.breaker, opens);
    // The mark outlasts the time that the breaker is open: until a request has been let through, it is half-open.
    const ttl = Math.ceil(time / 1000) + ttlOf(health);
    const since = previous === null || previous.since === 0 ? {} : { since: previous.since };
    return mark(route, backend, what, ttl, { retryAt: now() + time, opens, ...since });
  }

  function passed(route: Route, backend: Backend): void {
    if (!trials.running(route, backend)) return;
    const { host, frontend } = route;
    log.info(`${host}: backend #${backend.index} is back in its circuit`, { frontend, backend: backend.origin });
    marks.drop(frontend, backend.entry);
    const told = reviveEverywhere(store, route, backend).catch((error: unknown) => {
      log.warn(`${host}: backend #${backend.index} could not be revived for all`, { error });
    });
    trials.decided(route, backend, told);
  }

  /** Seconds that a mark of a frontend's own rule lasts. */
  function ttlOf(health: HealthPolicy): number {
    return health.ttl === undefined ? rules.deadBackendTTL : Math.ceil(health.ttl / 1000);
  }

  return {
    answered(route, backend, status, hasRetryAfter) {
      const health = route.policy === null ? undefined : route.policy.health;
      if (health === undefined) {
        if (status >= 500 && deadByStatus(status, hasRetryAfter, rules, hchecker.active))
          met(route, backend, `HTTP error code ${status}`);
        return;
      }
      const fails =
        health.statuses === undefined
          ? deadByStatus(status, hasRetryAfter, rules, hchecker.active)
          : includesStatus(health.statuses, status);
      if (fails) counted(route, backend, health, `HTTP error code ${status}`);
      else passed(route, backend);
    },

    failed(route, backend, error) {
      const health = route.policy === null ? undefined : route.policy.health;
      const what = codeOf(error.cause) || error.code;
      if (health === undefined) {
        if (deadByError(error)) met(route, backend, what);
      } else if (health.breaker === undefined ? deadByError(error) : failsBreaker(error)) {
        counted(route, backend, health, what);
      }
    },
  };
}

function hasRoom(standings: readonly Standing[], health: HealthPolicy): boolean {
  const ejected = standings.filter((standing) => standing.kind === 'ejected').length;
  return ejected < ejectionLimit(standings, health.maxEjected);
}

/**
 * Whether an active hchecker would check a backend after a message: it compares the list entry of the published host with
 * `scheme://host[:port]`, so it leaves alone wildcards and entries with a path, options or without a scheme. Those stay ours.
 */
function checkedByHchecker(route: Route, backend: Backend): boolean {
  return route.frontend === route.host && /^https?:\/\/[^/?#]+$/.test(backend.entry);
}
