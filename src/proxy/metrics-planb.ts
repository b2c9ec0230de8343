// The same numbers by the names that PlanB gave them, so that its dashboards and alerts go on working.
import { LatencyCounts } from '../observe/latency-counts.js';
import type { Family, NodeView } from './metrics-family.js';
import { backendLatency, codesOf, histogram } from './metrics-frontends.js';
import { totalOf } from './metrics-node.js';

/** Upper bounds in seconds: the ones that its library took by default. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function planbFamilies(view: NodeView): Family[] {
  const { frontends } = view;
  const requests = new LatencyCounts();
  for (const { latency } of frontends) requests.add(latency);
  const open = totalOf(view, 'connections_open') - totalOf(view, 'tunnels_open');
  return [
    {
      name: 'planb_reverseproxy_connections_current_open',
      help: 'The current number of open connections excluding hijacked ones.',
      type: 'gauge',
      samples: [{ value: Math.max(0, open), labels: {} }],
    },
    histogramFamily('planb_reverseproxy_http_request_duration_seconds', 'The total HTTP request latencies in seconds.', requests),
    histogramFamily(
      'planb_reverseproxy_backend_request_duration_seconds',
      'The backends HTTP request latencies in seconds.',
      backendLatency(frontends),
    ),
    {
      name: 'planb_reverseproxy_backends_responses_total',
      help: 'The total backends responses by status code.',
      type: 'counter',
      samples: [...codesOf(frontends)].map(([code, value]) => ({ value, labels: { status_code: String(code) } })),
    },
    {
      name: 'planb_router_backend_markdead_total',
      help: 'The total number of backend mark dead occurencies.',
      type: 'counter',
      samples: [{ value: totalOf(view, 'backend_dead_marks_total'), labels: {} }],
    },
  ];
}

function histogramFamily(name: string, help: string, latency: LatencyCounts): Family {
  return { name, help, type: 'histogram', samples: histogram(name, latency, {}, bounds) };
}
