// A change through the management: several records together with the revision and an entry of the history, all or nothing.
import { type RecordKind, recordShapes, type StoredRecord } from '../model/record-kind.js';
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
export function changesNothing(
  addresses: readonly RecordAddress[],
  before: readonly StoredRecord[],
  { after, maintenance = [] }: Pick<ChangePlan, 'after' | 'maintenance'>,
): boolean {
  return maintenance.length === 0 && addresses.every(({ kind }, at) => stays(kind, before[at], after[at] ?? null));
}

/** Whether a record is left as it is: null, or the values that it has. One of the wrong type is replaced. */
export function stays(kind: RecordAddress['kind'], record: StoredRecord | undefined, values: readonly string[] | null): boolean {
  if (values === null) return true;
  if (record === undefined || record.fault !== '' || record.values.length !== values.length) return false;
  const [one, other] = [sortedRecord(kind, record.values), sortedRecord(kind, values)];
  return one.every((text, at) => text === other[at]);
}

/** A record in an order of its own: Redis gives the fields of a hash and the members of a set in any. */
export function sortedRecord(kind: RecordAddress['kind'], values: readonly string[]): readonly string[] {
  const shape = kind === 'frontend' ? 'list' : recordShapes[kind];
  if (shape === 'set') return [...values].sort();
  return shape === 'hash' ? sortedPairs(values) : values;
}

function sortedPairs(values: readonly string[]): string[] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < values.length; at += 2) pairs.push([values[at] as string, values[at + 1] as string]);
  return pairs.sort(([one], [other]) => (one < other ? -1 : 1)).flat();
}
