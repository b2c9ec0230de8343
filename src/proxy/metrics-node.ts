// The metrics of a node as a whole: who it is, how its workers are, and what they count besides requests.
import { type Figures, partsOfFigureKey } from '../observe/figures.js';
import { type MetricEntry, prefix, type WorkerMetric, workerMetrics } from '../observe/metric-catalog.js';
import type { Family, NodeView, Sample } from './metrics-family.js';

export function nodeFamilies(view: NodeView): Family[] {
  return [...identityFamilies(view), ...workerFamilies(view)];
}

function identityFamilies({ node, state, version }: NodeView): Family[] {
  const one = (name: string, help: string, value: number, labels: Sample['labels'] = {}): Family => ({
    name: `${prefix}${name}`,
    help,
    type: 'gauge',
    samples: [{ value, labels }],
  });
  return [
    one('info', 'Always 1: who answers.', 1, { node: node.id, version }),
    one('start_time_seconds', 'When the node started, in seconds since the epoch.', node.startedAt / 1000),
    one('workers', 'Workers that serve.', state?.serving ?? 0),
    one('workers_wanted', 'Workers that there should be.', state?.wanted ?? 0),
    one('store_revision', 'The last revision of the store that is in force in all workers.', state?.revision ?? 0),
  ];
}

function workerFamilies({ snapshot: { counters, gauges } }: NodeView): Family[] {
  return Object.entries(workerMetrics).map(([metric, entry]: [string, MetricEntry]) => {
    const samples =
      entry.kind === 'counter'
        ? samplesOf(metric, entry, counters)
        : entry.merging === 'worker'
          ? Object.entries(gauges).flatMap(([worker, figures]) => samplesOf(metric, entry, figures, { worker }))
          : samplesOf(metric, entry, merged(Object.values(gauges), entry));
    // A counter without labels begins at 0, so that its first event is seen as a growth.
    const empty = samples.length === 0 && entry.labels.length === 0 && entry.merging !== 'worker';
    return {
      name: `${prefix}${metric}`,
      help: entry.help,
      type: entry.kind,
      samples: empty ? [{ value: 0, labels: {} }] : samples,
    };
  });
}

/** What all workers have under the name of one metric, by key. */
function merged(workers: readonly Figures[], { merging }: MetricEntry): Figures {
  const all: Record<string, number> = {};
  for (const figures of workers) {
    for (const [key, value] of Object.entries(figures)) {
      const before = all[key] ?? 0;
      all[key] = merging === 'max' ? Math.max(before, value) : before + value;
    }
  }
  return all;
}

function samplesOf(metric: string, entry: MetricEntry, figures: Figures, more: Sample['labels'] = {}): Sample[] {
  return Object.entries(figures).flatMap(([key, value]) => {
    const [name, ...labels] = partsOfFigureKey(key);
    if (name !== metric || labels.length !== entry.labels.length) return [];
    return [
      { value, labels: { ...more, ...Object.fromEntries(entry.labels.map((label, at) => [label, labels[at] as string])) } },
    ];
  });
}

/** The sum of a figure without labels over all workers that live. */
export function totalOf({ snapshot: { counters, gauges } }: NodeView, metric: WorkerMetric): number {
  if (workerMetrics[metric].kind === 'counter') return counters[metric] ?? 0;
  return Object.values(gauges).reduce((sum, figures) => sum + (figures[metric] ?? 0), 0);
}
