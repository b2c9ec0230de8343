// How the process that keeps the counts of a node has them written by one that has the store.
import type { StatsHead } from '../model/node-stats.js';

/** What is to be done with the record of the node. */
export type StatsOrder =
  | { readonly kind: 'read' }
  /** @see Store.writeStats */
  | { readonly kind: 'write'; readonly head: StatsHead; readonly fields: ReadonlyMap<string, Buffer> };

/** What has come of it. */
export type StatsAnswer =
  /** What an earlier run of the node has left; null: nothing. */
  | { readonly kind: 'read'; readonly base: { readonly since: number; readonly fields: ReadonlyMap<string, Buffer> } | null }
  /** @param before `boot` of the record that was there, or empty */
  | { readonly kind: 'written'; readonly before: string }
  | { readonly kind: 'failed' };
