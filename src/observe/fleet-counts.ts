// What all nodes have counted, added up: sums of counts, percentiles of the latencies of all of them, and what runs on those that live.
import { type BackendCounts, FrontendCounts, noFrontend, otherFrontends } from './frontend-counts.js';
import type { KeyedCounts } from './keyed-counts.js';
import { readRecord, requestsPerSecond } from './node-record.js';
import type { AttemptFigures, RequestFigures } from './request-figures.js';

/**
 * What is counted of requests, of all or of one frontend, since `since` of the fleet; latencies are those of the last five to ten
 * minutes, and the most there were is that of each node, added up.
 */
export interface FleetRequestStats extends RequestFigures {
  /** Answers by class of status, such as `2xx`. */
  readonly classes: Readonly<Record<string, number>>;
  /** Requests that a rate limit turned away, that had to wait, and attempts after the first. */
  readonly limitedTotal: number;
  readonly queuedTotal: number;
  readonly retriesTotal: number;
  /** Bytes of requests and of responses, heads included. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface FleetRouteStats extends FleetRequestStats {
  /** By backend id. */
  readonly backends: Readonly<Record<string, AttemptFigures>>;
}

/** Of all requests, also of those that found no frontend. */
export interface FleetStats extends FleetRequestStats {
  /** By name of the frontend, such as `*.example.com`; `(other)` where there are too many to be told apart. */
  readonly routes: Readonly<Record<string, FleetRouteStats>>;
}

/** What a node has published. */
export interface NodePublication {
  readonly fields: ReadonlyMap<string, Buffer>;
  /** When, by the node's clock in milliseconds since the epoch. */
  readonly at: number;
  /** It is there: what it says runs does run. */
  readonly alive: boolean;
}

class Sum {
  readonly counts: FrontendCounts;
  perSecond = 0;

  constructor(name: string) {
    this.counts = new FrontendCounts(name);
  }

  add(other: FrontendCounts, alive: boolean): void {
    const { counts } = this;
    const { runningMax, waitingMax } = counts;
    counts.add(other);
    counts.runningMax = runningMax + other.runningMax;
    counts.waitingMax = waitingMax + other.waitingMax;
    if (!alive) return;
    counts.active += other.active;
    counts.running += other.running;
    counts.waiting += other.waiting;
    for (const backend of other.backends.values()) counts.backend(backend.id).active += backend.active;
  }
}

/** Made for one question, and filled node by node. */
export class FleetCounts {
  readonly #sums = new Map<string, Sum>();
  readonly #only: string | null;

  /** @param only the one frontend that is wanted; null: all of them */
  constructor(only: string | null = null) {
    this.#only = only;
  }

  /** Adds what a node has published. A field that cannot be understood, of another version perhaps, is left out. */
  add({ fields, at, alive }: NodePublication): void {
    for (const { counts, recent } of readRecord(fields)) {
      if (this.#only !== null && counts.name !== this.#only) continue;
      let sum = this.#sums.get(counts.name);
      if (sum === undefined) {
        sum = new Sum(counts.name);
        this.#sums.set(counts.name, sum);
      }
      sum.add(counts, alive);
      if (alive) sum.perSecond += requestsPerSecond(recent, at);
    }
  }

  /** Of one frontend; null: nothing was counted. */
  frontend(name: string): FleetRouteStats | null {
    const sum = this.#sums.get(name);
    return sum === undefined ? null : showRoute(sum);
  }

  all(): FleetStats {
    const all = new Sum('');
    const routes: [string, FleetRouteStats][] = [];
    for (const sum of this.#sums.values()) {
      const { backends, name } = sum.counts;
      if (name !== noFrontend && (name !== otherFrontends || sum.counts.requests > 0)) routes.push([name, showRoute(sum)]);
      backends.clear();
      all.add(sum.counts, true);
      all.perSecond += sum.perSecond;
    }
    return { ...showRequests(all), routes: Object.fromEntries(routes) };
  }
}

/** Zeros: of a frontend that nobody has asked for yet. */
export function emptyRouteStats(): FleetRouteStats {
  return showRoute(new Sum(''));
}

function showRoute(sum: Sum): FleetRouteStats {
  const backends = [...sum.counts.backends.values()].map((counts) => [counts.id, showBackend(counts)] as const);
  return { ...showRequests(sum), backends: Object.fromEntries(backends) };
}

function showRequests({ counts, perSecond }: Sum): FleetRequestStats {
  const { codes, errors } = counts;
  return {
    requestsTotal: counts.requests,
    requestsPerSec: perSecond,
    requestsActive: counts.active,
    errorsTotal: errors.total(),
    errors: errors.toObject(),
    codes: codes.toObject(),
    classes: classesOf(codes),
    ...showLatency(counts),
    hits: counts.hits,
    misses: errors.of('queue-full') + errors.of('queue-timeout'),
    limitedTotal: errors.of('rate-limited'),
    queuedTotal: counts.queued,
    retriesTotal: counts.retries,
    queueLength: counts.waiting,
    queueLengthMax: counts.waitingMax,
    activeLength: counts.running,
    activeLengthMax: counts.runningMax,
    bytesIn: counts.bytesIn,
    bytesOut: counts.bytesOut,
  };
}

function showBackend(counts: BackendCounts): AttemptFigures {
  return {
    hits: counts.attempts,
    activeLength: counts.active,
    activeLengthMax: counts.activeMax,
    errorsTotal: counts.errors.total(),
    errors: counts.errors.toObject(),
    codes: counts.codes.toObject(),
    ...showLatency(counts),
  };
}

function showLatency({
  latency,
}: FrontendCounts | BackendCounts): Pick<FleetRequestStats, 'avgLatencyMs' | 'latencyAvg' | 'latencyMs'> {
  const mean = latency.mean();
  return {
    avgLatencyMs: mean,
    latencyAvg: mean,
    latencyMs: { p50: latency.percentile(0.5), p95: latency.percentile(0.95), p99: latency.percentile(0.99) },
  };
}

function classesOf(codes: KeyedCounts<number>): Record<string, number> {
  const classes: Record<string, number> = {};
  for (const [code, count] of codes.entries()) {
    const name = code >= 100 && code < 600 ? `${Math.floor(code / 100)}xx` : 'other';
    classes[name] = (classes[name] ?? 0) + count;
  }
  return classes;
}
