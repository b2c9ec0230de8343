// Passive health: what real requests met becomes dead marks, in this worker at once and in the store without waiting for it.
import type { ServerConfig } from '../config/config.js';
import { codeOf } from '../errors/classify.js';
import type { ProxyError } from '../errors/proxy-error.js';
import type { Backend } from '../model/backend.js';
import type { Route } from '../model/frontend.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import type { Store } from '../store/store.js';
import { type DeadRules, deadByError, deadByStatus } from './decide-dead.js';
import type { LocalMarks } from './local-marks.js';

/** Told of the end of attempts. Never throws, never makes anybody wait. */
export interface PassiveHealth {
  /** A backend answered. */
  answered(route: Route, backend: Backend, status: number, hasRetryAfter: boolean): void;
  /** An attempt failed. */
  failed(route: Route, backend: Backend, error: ProxyError): void;
}

/** What passive health works with. */
export interface PassiveHealthParts {
  readonly store: Pick<Store, 'markDead'>;
  readonly marks: LocalMarks;
  readonly hchecker: { readonly active: boolean };
  readonly rules: DeadRules & Pick<ServerConfig, 'deadBackendTTL'>;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'deadMarks'>;
}

export function createPassiveHealth({ store, marks, hchecker, rules, log, metrics }: PassiveHealthParts): PassiveHealth {
  const ttl = rules.deadBackendTTL;

  function met(route: Route, backend: Backend, what: string): void {
    // The only backend is never marked nor published: a mark could but turn its errors into ours (Hipache's rule).
    if (route.backends.length <= 1) return;
    // Made already and on its way to the store, or kept here while the store is away.
    if (marks.has(route.frontend, backend.entry)) return;
    const write = ttl > 0 && !(hchecker.active && checkedByHchecker(route, backend));
    log.warn(`${route.host}: backend #${backend.index} is ${write ? 'dead' : 'reported'} (${what})`, {
      frontend: route.frontend,
      backend: backend.origin,
    });
    const mark = write ? marks.add(route.host, route.frontend, backend.entry, ttl) : null;
    if (write) metrics.deadMarks++;
    const { host, frontend, backends } = route;
    store.markDead({ host, frontend, backend, size: backends.length, ttl, write }).then(
      () => {
        if (mark !== null) marks.written(mark);
      },
      (error: unknown) => {
        log.warn(`${host}: the mark of backend #${backend.index} stays in this worker alone`, { error });
      },
    );
  }

  return {
    answered(route, backend, status, hasRetryAfter) {
      if (status < 500) return;
      if (deadByStatus(status, hasRetryAfter, rules, hchecker.active)) met(route, backend, `HTTP error code ${status}`);
    },

    failed(route, backend, error) {
      if (deadByError(error)) met(route, backend, codeOf(error.cause) || error.code);
    },
  };
}

/**
 * Whether an active hchecker would check a backend after a message: it compares the list entry of the published host with
 * `scheme://host[:port]`, so it leaves alone wildcards and entries with a path, options or without a scheme. Those stay ours.
 */
function checkedByHchecker(route: Route, backend: Backend): boolean {
  return route.frontend === route.host && /^https?:\/\/[^/?#]+$/.test(backend.entry);
}
