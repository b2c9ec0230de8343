// Whether a node should be given new requests, and if not, why.
import type { StoreState } from '../store/store.js';
import type { NodeState } from './worker-status.js';

/** What is asked about. */
export interface ReadinessFacts {
  /** As the supervisor told last; null: it has told nothing yet. */
  readonly node: Pick<NodeState, 'phase' | 'serving' | 'wanted'> | null;
  /** The store as this process sees it; null: it has none yet. */
  readonly store: { readonly state: StoreState; readonly reached: boolean } | null;
  /** This process has had more to do than it can for longer than `frontDoor.overloadPatience`. */
  readonly overloaded?: boolean;
  /** Somebody has taken the node out. */
  readonly drained?: boolean;
}

/**
 * Gives the reasons against it; none: the node is ready. A store that is away after it was there is no reason: known hosts
 * are served without it, and a fleet that loses its store at once would otherwise go all at once.
 */
export function reasonsNotReady({ node, store, overloaded = false, drained = false }: ReadinessFacts): string[] {
  const reasons: string[] = [];
  if (node === null || node.phase === 'starting') reasons.push('the node is starting');
  if (node?.phase === 'stopping') reasons.push('the node is stopping: it finishes what it has');
  if (node !== null && node.phase !== 'starting' && node.serving === 0) reasons.push(`none of ${node.wanted} workers serves`);
  if (store !== null && !store.reached) reasons.push('Redis was never reached since the start');
  if (drained) reasons.push('somebody has taken the node out (`cjs-proxy node alive` gives it back)');
  if (overloaded) reasons.push('the node has had more to do than it can for a while');
  return reasons;
}
