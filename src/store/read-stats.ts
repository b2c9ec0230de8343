// The statistics of a fleet, as the management API and the command line show them: read from the records of its nodes and added up.
import { statsFresh } from '../model/node-stats.js';
import { emptyRouteStats, FleetCounts, type FleetRouteStats, type FleetStats } from '../observe/fleet-counts.js';
import { fieldsOf, placeOf } from '../observe/node-record.js';
import type { Store } from './store.js';

/** Of all frontends. */
export interface FleetReport extends FleetStats {
  /** Milliseconds since the epoch since when the node that has counted longest counts; 0: no node does. */
  readonly since: number;
  /** Nodes whose counts these are, and those of them that publish now. */
  readonly nodes: { readonly counted: number; readonly live: number };
}

type Reads = Pick<Store, 'readStats'>;

/** Adds up what every node has published. Rejects while the store is away. */
export async function readFleetStats(store: Reads): Promise<FleetReport> {
  const records = await store.readStats();
  const fleet = new FleetCounts();
  for (const { fields, head, age } of records) {
    fleet.add({ fields, at: head.at + age, alive: age < statsFresh });
  }
  const since = records.reduce((least, { head }) => Math.min(least, head.since), Number.POSITIVE_INFINITY);
  const live = records.filter(({ age }) => age < statsFresh).length;
  return { ...fleet.all(), since: Number.isFinite(since) ? since : 0, nodes: { counted: records.length, live } };
}

/**
 * The same of one frontend; zeros where nobody has asked for it.
 * @param name of the frontend, such as `example.com`, `*.example.com/api`
 */
export async function readFrontendStats(store: Reads, name: string): Promise<FleetRouteStats> {
  const fleet = new FleetCounts(name);
  for (const { fields, head, age } of await store.readStats({ fields: Object.values(fieldsOf(placeOf(name))) })) {
    fleet.add({ fields, at: head.at + age, alive: age < statsFresh });
  }
  return fleet.frontend(name) ?? emptyRouteStats();
}
