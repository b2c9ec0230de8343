// What our node promises: bounds on its cost, mostly as ratios to another proxy measured in the same run.
import type { PeerName } from './peers/peer.js';

/** A median that a bar can bound: CPU-microseconds a request, milliseconds of the 99th percentile, resident MiB. */
type BarMetric = 'cpu' | 'p99' | 'rss';

/** One promise about one job. */
export interface Bar {
  readonly scenario: string;
  readonly metric: BarMetric;
  /** Whose median is the unit: a peer's, or our own on the job's baseline; null: `atMost` is absolute, in the metric's own unit. */
  readonly against: PeerName | 'baseline' | null;
  readonly atMost: number;
}

/** All promises, in the order of the table. */
export const bars: readonly Bar[] = [
  { scenario: 'small-64', metric: 'cpu', against: 'haproxy', atMost: 1.2 },
  { scenario: 'small-512', metric: 'cpu', against: 'haproxy', atMost: 1.2 },
  { scenario: 'small-64', metric: 'cpu', against: 'http-proxy', atMost: 0.3 },
  { scenario: 'small-512', metric: 'cpu', against: 'http-proxy', atMost: 0.3 },
  { scenario: 'large-64', metric: 'cpu', against: 'nginx', atMost: 1.2 },
  { scenario: 'post-64', metric: 'cpu', against: 'haproxy', atMost: 1.1 },
  { scenario: 'connect-64', metric: 'cpu', against: 'haproxy', atMost: 3 },
  { scenario: 'small-64', metric: 'p99', against: 'haproxy', atMost: 1.6 },
  { scenario: 'small-512', metric: 'p99', against: 'haproxy', atMost: 1.6 },
  { scenario: 'small-512', metric: 'rss', against: null, atMost: 120 },
  { scenario: 'prefixes-100k', metric: 'cpu', against: 'baseline', atMost: 1.1 },
  { scenario: 'limited-64', metric: 'cpu', against: 'baseline', atMost: 1.1 },
  { scenario: 'refused-64', metric: 'cpu', against: 'baseline', atMost: 0.5 },
  { scenario: 'clients-100k', metric: 'cpu', against: 'baseline', atMost: 1.2 },
  { scenario: 'auth-cached-64', metric: 'cpu', against: 'baseline', atMost: 1.1 },
  { scenario: 'policy-64', metric: 'cpu', against: 'baseline', atMost: 1.25 },
];
