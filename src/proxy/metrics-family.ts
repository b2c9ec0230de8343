// A metric as monitors see it, and what the metrics of a node are made of.
import type { FrontendCounts } from '../observe/frontend-counts.js';
import type { MetricsSnapshot } from './node-stats.js';
import type { NodeIdentity } from './worker-messages.js';
import type { NodeState } from './worker-status.js';

/** A line of the page. */
export interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the parts of a histogram; absent: the name of the family. */
  readonly metricName?: string;
}

/** A metric with all its lines. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
}

/** A node, as it is asked for its metrics. */
export interface NodeView {
  readonly snapshot: MetricsSnapshot;
  readonly node: NodeIdentity;
  /** Null: not known yet. */
  readonly state: NodeState | null;
  readonly version: string;
  readonly frontends: readonly FrontendCounts[];
}
