// A change through the management: several records together with the revision and an entry of the history, all or nothing.
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import type { MaintenanceRequest } from './store.js';

/** Where a record lives; `frontend` is the list of a frontend. */
export interface RecordAddress {
  readonly kind: RecordKind | 'frontend';
  readonly name: string;
}

/** What is to be written, made from what stands in the store at that moment. */
export interface ChangePlan {
  /** In the order of the addresses: the new values of each record, none to remove it; null: it stays. */
  readonly after: readonly (readonly string[] | null)[];
  /** Backends that are taken out or given back, with the members of the dead set that go. */
  readonly maintenance?: readonly MaintenanceChange[];
  /** What the history keeps of it, given the revision that the change gets: a text. */
  readonly history: (revision: number) => string;
}

/** Maintenance that begins or ends. */
export interface MaintenanceChange {
  readonly request: MaintenanceRequest;
  readonly members: readonly string[];
}

/**
 * Decides what is written, from the records as they are. Is asked again when somebody else came between, so that it must do nothing
 * else; what it throws ends the change, and nothing is written.
 */
export type PlanChange = (before: readonly StoredRecord[]) => ChangePlan;

/** A change that was made. */
export interface HistoryEntry {
  /** Grows with each; `1700000000000-0`. */
  readonly id: string;
  readonly text: string;
}

/** So many changes are kept, or a few more. */
export const historyLength = 10_000;

/** Somebody else changed the same records again and again. */
export class ChangeRaced extends Error {
  constructor() {
    super('others change the same records at the same time; try again');
    this.name = 'ChangeRaced';
  }
}

/** Whether a plan asks for nothing that is not so already. */
export function changesNothing(before: readonly StoredRecord[], { after, maintenance = [] }: ChangePlan): boolean {
  const stays = (values: readonly string[] | null, record: StoredRecord | undefined): boolean =>
    values === null || (record?.fault === '' && sameValues(values, record.values));
  return maintenance.length === 0 && after.every((values, at) => stays(values, before[at]));
}

/** Whether two records are written alike. */
export function sameValues(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, at) => text === other[at]);
}
