// The metrics of frontends and their backends. Every request is in exactly one series of a metric: sums over them are sums of all.
import { type BackendCounts, type FrontendCounts, otherFrontends } from '../observe/frontend-counts.js';
import type { KeyedCounts } from '../observe/keyed-counts.js';
import { LatencyCounts } from '../observe/latency-counts.js';
import { prefix } from '../observe/metric-catalog.js';
import type { Family, NodeView, Sample } from './metrics-family.js';

/** Upper bounds in seconds. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What a label may take of a page that others read. */
const longestLabel = 256;

type Labels = Readonly<Record<string, string>>;

export function frontendFamilies({ frontends }: NodeView): Family[] {
  const numbers = (read: (counts: FrontendCounts) => number): Sample[] =>
    frontends.map((counts) => ({ value: read(counts), labels: labelsOf(counts) }));
  const each = (read: (counts: FrontendCounts, labels: Labels) => Sample[]): Sample[] =>
    frontends.flatMap((counts) => read(counts, labelsOf(counts)));
  const ofBackends = (read: (counts: BackendCounts, labels: Labels) => Sample[]): Sample[] =>
    frontends.flatMap((counts) =>
      [...counts.backends.values()].flatMap((backend) =>
        read(backend, { ...labelsOf(counts), backend: backend.id.slice(0, longestLabel) }),
      ),
    );
  return [
    {
      name: `${prefix}requests_total`,
      help: 'Requests that ended, by frontend and class of the status.',
      type: 'counter',
      samples: each(({ codes }, labels) => byClass(codes, labels)),
    },
    {
      name: `${prefix}responses_total`,
      help: 'Requests that ended, by status; 499: the client left before it was answered.',
      type: 'counter',
      samples: byCode(frontends),
    },
    {
      name: `${prefix}request_errors_total`,
      help: 'Errors that decided an answer or ended a request, by frontend and code.',
      type: 'counter',
      samples: each(({ errors }, labels) => byKey(errors, labels, 'error')),
    },
    {
      name: `${prefix}request_retries_total`,
      help: 'Attempts at a backend after the first.',
      type: 'counter',
      samples: numbers(({ retries }) => retries),
    },
    {
      name: `${prefix}requests_queued_total`,
      help: 'Requests that had to wait for their turn.',
      type: 'counter',
      samples: numbers(({ queued }) => queued),
    },
    {
      name: `${prefix}requests_active`,
      help: 'Requests that have begun and not ended, waiting ones included.',
      type: 'gauge',
      samples: numbers(({ active }) => active),
    },
    {
      name: `${prefix}requests_waiting`,
      help: 'Requests that wait for their turn.',
      type: 'gauge',
      samples: numbers(({ waiting }) => waiting),
    },
    {
      name: `${prefix}request_bytes_total`,
      help: 'Bytes of requests, heads included.',
      type: 'counter',
      samples: numbers(({ bytesIn }) => bytesIn),
    },
    {
      name: `${prefix}response_bytes_total`,
      help: 'Bytes of responses, heads included.',
      type: 'counter',
      samples: numbers(({ bytesOut }) => bytesOut),
    },
    {
      name: `${prefix}request_duration_seconds`,
      help: 'From the head of a request to the end of its response, where a backend answered; without tunnels.',
      type: 'histogram',
      samples: each(({ latency }, labels) => histogram(`${prefix}request_duration_seconds`, latency, labels, bounds)),
    },
    {
      name: `${prefix}backend_duration_seconds`,
      help: 'From a request as it was sent to a backend to the head of the answer.',
      type: 'histogram',
      samples: each((counts, labels) => histogram(`${prefix}backend_duration_seconds`, backendLatency([counts]), labels, bounds)),
    },
    {
      name: `${prefix}backend_attempts_total`,
      help: 'Attempts at a backend that ended.',
      type: 'counter',
      samples: ofBackends(({ attempts }, labels) => [{ value: attempts, labels }]),
    },
    {
      name: `${prefix}backend_attempts_active`,
      help: 'Attempts at a backend that run.',
      type: 'gauge',
      samples: ofBackends(({ active }, labels) => [{ value: active, labels }]),
    },
    {
      name: `${prefix}backend_responses_total`,
      help: 'Answers of a backend, by class of the status.',
      type: 'counter',
      samples: ofBackends(({ codes }, labels) => byClass(codes, labels)),
    },
    {
      name: `${prefix}backend_errors_total`,
      help: 'Attempts at a backend that failed, by code.',
      type: 'counter',
      samples: ofBackends(({ errors }, labels) => byKey(errors, labels, 'error')),
    },
  ];
}

/**
 * The lines of a histogram.
 * @param seconds upper bounds
 */
export function histogram(name: string, latency: LatencyCounts, labels: Labels, seconds: readonly number[]): Sample[] {
  const upTo = latency.upTo(seconds);
  return [
    ...seconds.map((bound, at) => ({
      value: upTo[at] as number,
      labels: { ...labels, le: String(bound) },
      metricName: `${name}_bucket`,
    })),
    { value: latency.count, labels: { ...labels, le: '+Inf' }, metricName: `${name}_bucket` },
    { value: latency.sum / 1e6, labels, metricName: `${name}_sum` },
    { value: latency.count, labels, metricName: `${name}_count` },
  ];
}

/** What all backends of some frontends took. Those of frontends that are not told apart are not known. */
export function backendLatency(frontends: readonly FrontendCounts[]): LatencyCounts {
  const all = new LatencyCounts();
  for (const { backends } of frontends) for (const { latency } of backends.values()) all.add(latency);
  return all;
}

/** How often each status was answered, over all frontends. */
export function codesOf(frontends: readonly FrontendCounts[]): Map<number, number> {
  const all = new Map<number, number>();
  for (const { codes } of frontends) {
    for (const [code, count] of codes.entries()) all.set(code, (all.get(code) ?? 0) + count);
  }
  return all;
}

function labelsOf({ name }: FrontendCounts): Labels {
  return { frontend: name.length > longestLabel ? otherFrontends : name };
}

function byCode(frontends: readonly FrontendCounts[]): Sample[] {
  return [...codesOf(frontends)].map(([code, value]) => ({ value, labels: { code: code === 0 ? 'other' : String(code) } }));
}

function byClass(codes: KeyedCounts<number>, labels: Labels): Sample[] {
  const classes = new Map<string, number>();
  for (const [code, count] of codes.entries()) {
    const name = code >= 100 && code < 600 ? `${Math.floor(code / 100)}xx` : 'other';
    classes.set(name, (classes.get(name) ?? 0) + count);
  }
  return [...classes].map(([name, value]) => ({ value, labels: { ...labels, class: name } }));
}

function byKey(counts: KeyedCounts<string>, labels: Labels, label: string): Sample[] {
  return counts.entries().map(([key, value]) => ({ value, labels: { ...labels, [label]: key } }));
}
