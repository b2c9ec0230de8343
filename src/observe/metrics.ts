// What a worker counts since its start apart from what `tally` counts by frontend. Plain numbers, changed in place by whoever sees the event.
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
}

export function createMetrics(): Metrics {
  return {
    requests: 0,
    active: 0,
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
  };
}
