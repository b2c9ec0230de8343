// What a worker counts since its start. Plain numbers, changed in place by whoever sees the event.
import type { ErrorCode } from '../errors/catalog.js';
import { Histogram } from './histogram.js';
import type { StreamCounters } from './stream-counters.js';

/** Why a connection was closed when it came. */
export type TurnedAway = 'blocked' | 'too-many' | 'too-many-of-address' | 'overload';

/**
 * Why an HTTP/2 connection of a client was ended: it reset too many streams; sent too many PING or SETTINGS frames; sent
 * bytes that carried nothing; broke the protocol.
 */
export type Http2Abuse = 'resets' | 'control-frames' | 'empty-bytes' | 'protocol';

/** The counters of a worker. Fields that count events only grow; `active` and `tunnels` go up and down. */
export interface Metrics {
  /** Exchanges that have begun, and those that run now. */
  requests: number;
  active: number;
  /** Answers by class: place 2 counts 200 to 299; place 0 exchanges that ended without an answer. */
  readonly statuses: number[];
  /** Errors that decided an answer or ended an exchange, by code. */
  readonly errors: Map<ErrorCode, number>;
  /** Bytes sent to clients, heads included. */
  bytesOut: number;
  /** Attempts after the first, and those that a retry budget did not allow. */
  retries: number;
  retriesRefused: number;
  /** Copies sent to mirrors, those of them that failed, and those that were left out (too large, too many, cut short by the client). */
  mirrored: number;
  mirrorFailures: number;
  mirrorsSkipped: number;
  /** Exchanges that had to wait for their turn, and those that wait now. */
  queued: number;
  waiting: number;
  /** Backends that this worker marked dead. */
  deadMarks: number;
  /** Kept connections to backends that turned out to be closed when they were used. */
  staleConnections: number;
  /** Exchanges that became a tunnel, and tunnels that are open now. */
  upgrades: number;
  tunnels: number;
  /** Connections that were closed when they came, by the reason. */
  readonly turnedAway: Record<TurnedAway, number>;
  /** HTTP/2 connections of clients that have come, and those that are open. */
  http2Sessions: number;
  http2Open: number;
  /** Those of them that were ended by GOAWAY, by the reason. */
  readonly http2Abuses: Record<Http2Abuse, number>;
  /** Certificates that this worker got from an authority, and orders that came to nothing. */
  readonly certificates: { issued: number; failed: number };
  /** TCP streams by name. */
  readonly streams: Map<string, StreamCounters>;
  /** Milliseconds from the request's head to the end of the response, and from the attempt to the backend's head. */
  readonly total: Histogram;
  readonly backend: Histogram;

  /**
   * Accounts for an exchange that ended.
   * @param status what the client got; 0: nothing
   * @param backendMs negative: no backend answered
   */
  finished(status: number, totalMs: number, backendMs: number, bytesOut: number): void;
  /** Counts an error. */
  failed(code: ErrorCode): void;
}

export function createMetrics(): Metrics {
  const statuses = [0, 0, 0, 0, 0, 0];
  const errors = new Map<ErrorCode, number>();
  const total = new Histogram();
  const backend = new Histogram();
  return {
    requests: 0,
    active: 0,
    statuses,
    errors,
    bytesOut: 0,
    retries: 0,
    retriesRefused: 0,
    mirrored: 0,
    mirrorFailures: 0,
    mirrorsSkipped: 0,
    queued: 0,
    waiting: 0,
    deadMarks: 0,
    staleConnections: 0,
    upgrades: 0,
    tunnels: 0,
    turnedAway: { blocked: 0, 'too-many': 0, 'too-many-of-address': 0, overload: 0 },
    http2Sessions: 0,
    http2Open: 0,
    http2Abuses: { resets: 0, 'control-frames': 0, 'empty-bytes': 0, protocol: 0 },
    certificates: { issued: 0, failed: 0 },
    streams: new Map(),
    total,
    backend,

    finished(status, totalMs, backendMs, bytesOut) {
      const place = status >= 100 && status < 600 ? (status / 100) | 0 : 0;
      statuses[place] = (statuses[place] as number) + 1;
      this.bytesOut += bytesOut;
      total.record(totalMs);
      if (backendMs >= 0) backend.record(backendMs);
    },

    failed(code) {
      errors.set(code, (errors.get(code) ?? 0) + 1);
    },
  };
}
