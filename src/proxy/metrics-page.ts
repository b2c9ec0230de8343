// `/metrics`: what a node has counted, in the text format of Prometheus. Loaded by the first monitor that asks.
import promClient from 'prom-client';
import { packageVersion } from '../base/package-version.js';
import { ByteReader } from '../base/varints.js';
import type { MetricsConfig } from '../config/config.js';
import { readFrontend } from '../observe/counts-bytes.js';
import type { FrontendCounts } from '../observe/frontend-counts.js';
import type { AdminAnswer } from './admin.js';
import type { NodeView } from './metrics-family.js';
import { frontendFamilies } from './metrics-frontends.js';
import { nodeFamilies } from './metrics-node.js';
import { planbFamilies } from './metrics-planb.js';
import type { MetricsSnapshot } from './node-stats.js';
import type { NodeIdentity } from './worker-messages.js';
import type { NodeState } from './worker-status.js';

/** What the page is made of. */
interface PageParts {
  readonly snapshot: MetricsSnapshot;
  readonly node: NodeIdentity;
  /** Null: not known yet. */
  readonly state: NodeState | null;
  readonly names: MetricsConfig['names'];
}

export async function renderMetrics({ names, ...parts }: PageParts): Promise<AdminAnswer> {
  const frontends: FrontendCounts[] = [];
  const from = new ByteReader(parts.snapshot.frontends);
  while (!from.done) frontends.push(readFrontend(from));
  const view: NodeView = { ...parts, version: packageVersion, frontends };
  const families = [
    ...(names === 'planb' ? [] : [...nodeFamilies(view), ...frontendFamilies(view)]),
    ...(names === 'standard' ? [] : planbFamilies(view)),
  ];
  // The library's way to print numbers that were added up elsewhere.
  const registry = promClient.AggregatorRegistry.aggregate([
    families.map(({ samples, ...family }) => ({ ...family, values: samples, aggregator: 'sum' })),
  ]);
  return { status: 200, contentType: registry.contentType, body: await registry.metrics() };
}
