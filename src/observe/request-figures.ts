// What is shown of requests and attempts by everybody who counts them: one process, as the library shows it, or a fleet.
import type { Percentiles } from './sample-window.js';

/** Of requests, of all or of one frontend. Since when, and over which time latencies go, whoever counts says. */
export interface RequestFigures {
  readonly requestsTotal: number;
  /** Mean of the last ten seconds. */
  readonly requestsPerSec: number;
  /** Begun and not ended, waiting ones included. */
  readonly requestsActive: number;
  readonly errorsTotal: number;
  /** Errors by code, such as `backend-refused`. */
  readonly errors: Readonly<Record<string, number>>;
  /** Answers by status. */
  readonly codes: Readonly<Record<string, number>>;
  /** Mean of answers of backends, in milliseconds from request to end of response; the same twice, by two names. */
  readonly avgLatencyMs: number;
  readonly latencyAvg: number;
  /** Of the same answers, or of more of them. */
  readonly latencyMs: Percentiles;
  /** Requests that were sent to a backend, and those that the queue turned away. */
  readonly hits: number;
  readonly misses: number;
  /** Requests that wait for a slot, and those that were sent to a backend; and the most there were. */
  readonly queueLength: number;
  readonly queueLengthMax: number;
  readonly activeLength: number;
  readonly activeLengthMax: number;
}

/** Of a backend's attempts. */
export interface AttemptFigures {
  /** Attempts. */
  readonly hits: number;
  readonly activeLength: number;
  readonly activeLengthMax: number;
  readonly errorsTotal: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly codes: Readonly<Record<string, number>>;
  /** As those of requests, but to the head of the answer. */
  readonly avgLatencyMs: number;
  readonly latencyAvg: number;
  readonly latencyMs: Percentiles;
}
