// Every metric of a node on one page: what it is called for monitors, what it means, and how the workers' numbers become one.
//
// Names follow the conventions of Prometheus: base units (seconds, bytes, ratios), and `_total` for what only grows.

export const prefix = 'cjs_proxy_';

/** How the numbers of several workers become those of the node: one series for all, the highest, or one a worker. */
type Merging = 'sum' | 'max' | 'worker';

/** A metric of workers as a whole. */
export interface MetricEntry {
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  /** Names of its labels. */
  readonly labels: readonly string[];
  readonly merging: Merging;
}

function counter(help: string, ...labels: readonly string[]): MetricEntry {
  return { kind: 'counter', help, labels, merging: 'sum' };
}

function gauge(merging: Merging, help: string, ...labels: readonly string[]): MetricEntry {
  return { kind: 'gauge', help, labels, merging };
}

/** By name without the prefix. What a worker tells under other names is not shown. */
export const workerMetrics = {
  connections_open: gauge('sum', 'Connections of clients that are open.'),
  connections_refused_total: counter('Connections of clients that were closed when they came, by the reason.', 'reason'),
  tunnels_open: gauge('sum', 'Tunnels that are open, such as WebSockets.'),
  tunnels_total: counter('Requests that became a tunnel.'),
  requests_in_flight: gauge('sum', 'Requests that have begun and not ended.'),
  http2_sessions_total: counter('Connections of clients that spoke HTTP/2.'),
  http2_sessions_open: gauge('sum', 'Connections of clients that speak HTTP/2.'),
  http2_abuses_total: counter('Connections of HTTP/2 that were closed for what they did, by what.', 'reason'),
  retries_refused_total: counter('Further attempts that a retry budget did not allow.'),
  backend_dead_marks_total: counter('Backends that were marked dead.'),
  backend_stale_connections_total: counter('Kept connections to backends that turned out to be closed when they were used.'),
  mirror_requests_total: counter('Copies of requests for mirrors, by what became of them.', 'result'),
  rate_limit_decisions_total: counter(
    'Requests that were counted for a rate limit, by its tier and what was decided.',
    'tier',
    'result',
  ),
  route_lookups_total: counter('Look-ups of routes: answered from memory, or by asking the store.', 'result'),
  routes_served_stale_total: counter('Routes that were served although they may have changed, because the store was away.'),
  route_faults_total: counter('Records of frontends that could not be understood.'),
  store_reads_total: counter('Reads of the store, by what became of them.', 'result'),
  store_up: gauge('worker', 'Whether the store is reached: 1, or 0.'),
  store_staleness_seconds: gauge(
    'max',
    'How long the worker that has been cut off longest has not heard of the store, or of its primary by a replica; 0: all do.',
  ),
  overloaded: gauge('worker', 'Whether the worker sheds load: 1, or 0.'),
  event_loop_utilization_ratio: gauge('worker', 'Share of the last second in which the event loop was busy.'),
  event_loop_delay_seconds: gauge('worker', 'Mean delay of the event loop in the last second.'),
  resident_memory_bytes: gauge('worker', 'Memory of the process.'),
  cpu_seconds_total: counter('Processor time of all workers.'),
  stream_connections_total: counter('Connections of clients to a TCP stream.', 'stream'),
  stream_connections_open: gauge('sum', 'Connections of clients to a TCP stream that are open.', 'stream'),
  stream_clients_waiting: gauge('sum', 'Clients of a TCP stream that wait for their turn.', 'stream'),
  stream_bytes_total: counter('Bytes of a TCP stream, from clients (in) and to them (out).', 'stream', 'direction'),
  stream_ends_total: counter('Connections of clients to a TCP stream that ended, by why.', 'stream', 'reason'),
  stream_connect_failures_total: counter('Attempts to connect to a target of a TCP stream that failed.', 'stream'),
  stream_exchanges_total: counter('Messages of a TCP stream that were answered.', 'stream'),
} as const satisfies Record<string, MetricEntry>;

export type WorkerMetric = keyof typeof workerMetrics;
