// What the supervisor and its workers say to each other, over the channel that fork gives them.
import type { Config } from '../config/config.js';
import type { Taking } from '../limits/limiter.js';
import type { PointsQuestion } from '../limits/window-counts.js';
import type { PermitAnswer, PermitRequest } from '../queue/permit-messages.js';
import type { MetricsSnapshot } from './node-stats.js';
import type { Identity } from './privileges.js';
import type { ServedAddress } from './served-proxy.js';
import type { StatsAnswer, StatsOrder } from './stats-order.js';
import type { WorkerCounts } from './worker-counts.js';
import type { NodeState, WorkerStatus } from './worker-status.js';

/** What a node is called, and since when it runs: the same for all its workers, also after a reload. */
export interface NodeIdentity {
  readonly id: string;
  readonly boot: string;
  readonly pid: number;
  readonly startedAt: number;
}

/** How a worker begins. The configuration travels with it, so that a later edit of the file cannot make workers differ. */
export interface StartOrder {
  readonly kind: 'start';
  readonly workerId: number;
  readonly config: Config;
  /** Whom the worker becomes once it listens; null: it stays who it is. */
  readonly identity: Identity | null;
  readonly node: NodeIdentity;
}

/**
 * `drain`: the node stops; finish within the drain timeout and exit. `yield`: another worker has taken over; the same otherwise.
 * `retire`: as `yield`, for as long as it takes. `metrics`: the answer to everybody who has asked since the last one.
 */
export type ToWorker =
  | StartOrder
  | { readonly kind: 'drain' }
  | { readonly kind: 'yield' }
  | { readonly kind: 'retire' }
  | { readonly kind: 'reopen-logs' }
  | { readonly kind: 'node'; readonly state: NodeState }
  | { readonly kind: 'permits'; readonly answer: PermitAnswer }
  | { readonly kind: 'connection-permits'; readonly answer: PermitAnswer }
  | { readonly kind: 'points'; readonly id: number; readonly answer: Taking }
  | { readonly kind: 'stats'; readonly order: StatsOrder }
  | { readonly kind: 'metrics'; readonly snapshot: MetricsSnapshot };

/**
 * `ready`: listens to orders now (Node drops what is sent to a cluster worker earlier), asks for the first.
 * `refused`: the start failed in a way that trying again cannot mend.
 * `overweight`: over the memory limit, asks to be replaced.
 */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'serving'; readonly addresses: readonly ServedAddress[] }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'overweight'; readonly rss: number }
  | { readonly kind: 'status'; readonly status: WorkerStatus }
  | { readonly kind: 'permits'; readonly request: PermitRequest }
  | { readonly kind: 'connection-permits'; readonly request: PermitRequest }
  | { readonly kind: 'points'; readonly id: number; readonly question: PointsQuestion }
  | { readonly kind: 'counts'; readonly worker: number; readonly counts: WorkerCounts }
  | { readonly kind: 'stats'; readonly answer: StatsAnswer }
  | { readonly kind: 'metrics' };
