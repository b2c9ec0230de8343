// The numbers of a worker as a whole, gathered once a second from whoever has them.
import { performance } from 'node:perf_hooks';
import type { Overload } from '../limits/overload.js';
import type { Tiers } from '../limits/tiers.js';
import type { Connections } from '../listener/connections.js';
import { type Figures, figureKey } from '../observe/figures.js';
import type { WorkerMetric } from '../observe/metric-catalog.js';
import type { Metrics } from '../observe/metrics.js';
import type { RouteCache } from '../routing/route-cache.js';
import type { Store } from '../store/store.js';

/** Counters since the start, and what is true now. */
export interface WorkerFigures {
  readonly counters: Figures;
  readonly gauges: Figures;
}

export interface FigureParts {
  readonly metrics: Metrics;
  readonly routes: RouteCache;
  readonly store: Pick<Store, 'state' | 'cutOff'>;
  readonly connections: Pick<Connections, 'size'>;
  readonly overload: Pick<Overload, 'shedding' | 'delay'>;
  readonly tiers: Pick<Tiers, 'used'>;
}

/** Tiers that are told apart. */
const mostTiers = 100;

/** Gives what reads them. */
export function createFigures(parts: FigureParts): () => WorkerFigures {
  let loop = performance.eventLoopUtilization();
  let heardAt = performance.now();
  let counters: Record<string, number> = {};
  let gauges: Record<string, number> = {};

  function count(value: number, metric: WorkerMetric, ...labels: string[]): void {
    if (value > 0) counters[figureKey(metric, ...labels)] = value;
  }

  function gauge(value: number, metric: WorkerMetric, ...labels: string[]): void {
    gauges[figureKey(metric, ...labels)] = value;
  }

  function readRequests({ metrics, routes }: FigureParts): void {
    gauge(metrics.active, 'requests_in_flight');
    gauge(metrics.tunnels, 'tunnels_open');
    count(metrics.upgrades, 'tunnels_total');
    count(metrics.http2Sessions, 'http2_sessions_total');
    gauge(metrics.http2Open, 'http2_sessions_open');
    for (const [reason, closed] of Object.entries(metrics.http2Abuses)) count(closed, 'http2_abuses_total', reason);
    count(metrics.retriesRefused, 'retries_refused_total');
    count(metrics.deadMarks, 'backend_dead_marks_total');
    count(metrics.staleConnections, 'backend_stale_connections_total');
    count(metrics.mirrored, 'mirror_requests_total', 'sent');
    count(metrics.mirrorFailures, 'mirror_requests_total', 'failed');
    count(metrics.mirrorsSkipped, 'mirror_requests_total', 'skipped');
    count(routes.hits, 'route_lookups_total', 'memory');
    count(routes.misses, 'route_lookups_total', 'store');
    count(routes.servedStale, 'routes_served_stale_total');
    count(routes.faults, 'route_faults_total');
  }

  function readStore({ store, routes: { reader } }: FigureParts): void {
    const now = performance.now();
    if (store.state !== 'away' && store.cutOff !== true) heardAt = now;
    gauge(store.state === 'away' ? 0 : 1, 'store_up');
    gauge((now - heardAt) / 1000, 'store_staleness_seconds');
    count(reader.reads - reader.failures, 'store_reads_total', 'ok');
    count(reader.failures, 'store_reads_total', 'failed');
    count(reader.refused, 'store_reads_total', 'refused');
  }

  function readDoor({ metrics, connections, overload, tiers }: FigureParts): void {
    gauge(connections.size, 'connections_open');
    for (const [reason, refused] of Object.entries(metrics.turnedAway)) count(refused, 'connections_refused_total', reason);
    gauge(overload.shedding === 'nothing' ? 0 : 1, 'overloaded');
    gauge(overload.delay / 1000, 'event_loop_delay_seconds');
    let left = mostTiers;
    for (const { tier, admitted, refused } of tiers.used()) {
      if (left-- === 0) break;
      count(admitted, 'rate_limit_decisions_total', tier.name, 'admitted');
      count(refused, 'rate_limit_decisions_total', tier.name, 'refused');
    }
  }

  function readProcess(): void {
    const before = loop;
    loop = performance.eventLoopUtilization();
    gauge(performance.eventLoopUtilization(loop, before).utilization, 'event_loop_utilization_ratio');
    gauge(process.memoryUsage.rss(), 'resident_memory_bytes');
    const { user, system } = process.cpuUsage();
    count((user + system) / 1e6, 'cpu_seconds_total');
  }

  function readStreams({ metrics: { streams } }: FigureParts): void {
    for (const stream of streams.values()) {
      const { name } = stream;
      count(stream.connections, 'stream_connections_total', name);
      gauge(stream.active, 'stream_connections_open', name);
      gauge(stream.waiting, 'stream_clients_waiting', name);
      count(stream.bytesIn, 'stream_bytes_total', name, 'in');
      count(stream.bytesOut, 'stream_bytes_total', name, 'out');
      count(stream.connectFailures, 'stream_connect_failures_total', name);
      count(stream.exchanges, 'stream_exchanges_total', name);
      for (const [reason, ended] of stream.ends) count(ended, 'stream_ends_total', name, reason);
    }
  }

  return () => {
    counters = {};
    gauges = {};
    readRequests(parts);
    readStore(parts);
    readDoor(parts);
    readProcess();
    readStreams(parts);
    return { counters, gauges };
  };
}
