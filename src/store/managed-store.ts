// What the management asks of a store beyond what a node does: changes with a revision and a history, pages of names.
import type { NodeHeartbeat } from '../model/node.js';
import type { RecordKind } from '../model/record-kind.js';
import type { HistoryEntry, PlanChange, RecordAddress } from './change.js';
import type { Store } from './store.js';

/** A store that can be managed; every store is one. */
export interface ManagedStore extends Store {
  /**
   * One step of a walk through the names of all frontends, or of all records of a kind, for whoever shows names a page at a time.
   * @param cursor where the step before ended; empty: at the beginning. Throws for one that no step gave
   * @param count records of any kind to look at
   * @returns where to go on; an empty cursor: everything was seen
   */
  scanNamesStep(
    kind: RecordKind | 'frontend',
    matching: string,
    cursor: string,
    count: number,
  ): Promise<{ readonly names: readonly string[]; readonly cursor: string }>;
  /**
   * One step of a walk through all keys, for whoever looks for misspelt ones.
   * @param cursor as that of `scanNamesStep`
   * @returns those that nobody here reads, without the prefix of the driver URL
   */
  scanStraysStep(cursor: string, count: number): Promise<{ readonly keys: readonly string[]; readonly cursor: string }>;
  /**
   * Changes records together with `revision` and `history`: all or nothing. In a Redis Cluster, where keys lie on different nodes,
   * each record is changed as a whole, in an order in which no frontend is served without its policy, and `revision` last.
   * @returns the revision of the change, or the one that there was when there was nothing to change. Rejects with ChangeRaced
   */
  change(addresses: readonly RecordAddress[], plan: PlanChange): Promise<number>;
  /**
   * The latest changes, newest first.
   * @param before only those before this id; empty: all
   */
  readHistory(before: string, count: number): Promise<HistoryEntry[]>;
  /** One change, or null. */
  readHistoryEntry(id: string): Promise<HistoryEntry | null>;
  /** That of one node, or null. */
  readHeartbeat(id: string): Promise<NodeHeartbeat | null>;
}
