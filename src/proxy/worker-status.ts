// How a worker is, as it tells its supervisor once a second, and what that makes of all of them.
import type { NodePhase } from '../model/node.js';
import type { StoreState } from '../store/store.js';

export interface WorkerStatus {
  /** Requests that run now, and connections of clients. */
  readonly active: number;
  readonly connections: number;
  readonly store: StoreState;
  /** The store answered at least once. */
  readonly reached: boolean;
  /** Milliseconds since the store was last heard of; 0: it is there. */
  readonly staleness: number;
  /** The last revision that is in force here. */
  readonly revision: number;
}

/** A node as each of its workers knows it. */
export interface NodeState {
  readonly phase: NodePhase;
  /** Workers that serve, and those that there should be. */
  readonly serving: number;
  readonly wanted: number;
  /** What all workers tell, taken together; as in a heartbeat. */
  readonly active: number;
  readonly connections: number;
  readonly revision: number;
  readonly staleness: number;
  readonly reached: boolean;
  /** The worker that is told this keeps the heartbeat of the node. */
  readonly leads: boolean;
}

/** What several workers tell, taken together: sums of what they do, and the worst of what they know. */
export function sumUp(statuses: readonly WorkerStatus[]): Omit<NodeState, 'phase' | 'serving' | 'wanted' | 'leads'> {
  let active = 0;
  let connections = 0;
  let revision = Number.POSITIVE_INFINITY;
  let staleness = 0;
  let reached = statuses.length > 0;
  for (const status of statuses) {
    active += status.active;
    connections += status.connections;
    revision = Math.min(revision, status.revision);
    staleness = Math.max(staleness, status.staleness);
    reached &&= status.reached;
  }
  return { active, connections, revision: Number.isFinite(revision) ? revision : 0, staleness, reached };
}
