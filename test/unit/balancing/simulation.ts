// A frontend under load in a time of its own: requests come at random, backends take their time, observers are told.
import type { Balancer } from '../../../src/balancing/balancer.js';
import type { Loads } from '../../../src/balancing/loads.js';
import type { Backend } from '../../../src/model/backend.js';
import type { Route } from '../../../src/model/frontend.js';

export interface Simulation {
  readonly route: Route;
  readonly loads: Loads;
  readonly balancer: Balancer;
  readonly random: () => number;
  /** Shared with `loads` and the balancer. */
  readonly time: { now: number };
  /** Milliseconds that a backend takes with so many requests in flight; negative: it fails after as many. */
  readonly service: (backend: Backend, inFlight: number) => number;
}

/** What came of it. */
export interface Outcome {
  /** Requests by index of their backend. */
  readonly counts: readonly number[];
  /** Milliseconds that each took, failures included, in order of size. */
  readonly latencies: readonly number[];
}

/**
 * Lets requests come for a while.
 * @param rate a second
 */
export function simulate(
  { route, loads, balancer, random, time, service }: Simulation,
  { seconds, rate }: { seconds: number; rate: number },
): Outcome {
  const counts = route.backends.map(() => 0);
  const latencies: number[] = [];
  const running: { at: number; took: number; failed: boolean; backend: Backend }[] = [];
  const end = time.now + seconds * 1_000;

  function finishUntil(moment: number): void {
    running.sort((one, other) => one.at - other.at);
    for (let next = running[0]; next !== undefined && next.at <= moment; next = running[0]) {
      running.shift();
      time.now = next.at;
      latencies.push(next.took);
      if (next.failed) loads.failed(route, next.backend);
      else loads.answered(route, next.backend, 200, next.took);
      loads.ended(route, next.backend);
    }
  }

  for (;;) {
    const arrival = time.now + (-Math.log(1 - random()) * 1_000) / rate;
    finishUntil(Math.min(arrival, end));
    time.now = Math.min(arrival, end);
    if (arrival >= end) break;
    const backend = balancer.pick(route.backends, route, '', null) as Backend;
    counts[backend.index]!++;
    loads.started(route, backend);
    const took = service(backend, loads.of(route.frontend)?.get(backend.id)?.inFlight ?? 1);
    running.push({ at: time.now + Math.abs(took), took: Math.abs(took), failed: took < 0, backend });
  }
  finishUntil(Number.POSITIVE_INFINITY);
  time.now = Math.max(time.now, end);
  return { counts, latencies: latencies.sort((one, other) => one - other) };
}

/** The latency that a share of the requests stayed below. */
export function quantile({ latencies }: Outcome, share: number): number {
  return latencies[Math.min(Math.floor(latencies.length * share), latencies.length - 1)] ?? 0;
}

/** The share of requests that each backend got, e.g. `24.9 25.3 24.8 25.0 %`. */
export function shown({ counts }: Outcome): string {
  const sum = counts.reduce((all, one) => all + one, 0);
  return `${counts.map((count) => ((100 * count) / sum).toFixed(1)).join(' ')} %`;
}
