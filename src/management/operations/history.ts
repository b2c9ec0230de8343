// The history: who changed what and when, what it was before and after, and the way back.

import { maintenanceOf, membersOf } from '../../model/dead-set.js';
import { parseBackends } from '../../model/parse-backends.js';
import type { StoredRecord } from '../../model/record-kind.js';
import type { MaintenanceChange } from '../../store/change.js';
import { type RecordAddress, stays } from '../../store/change.js';
import { notFound, Problem } from '../problem.js';
import type { Workspace } from '../workspace.js';
import { concealed, revealed } from './concealed.js';
import { type RecordedDeed, writeRecords } from './write-records.js';

/** An entry as callers see it. */
export interface HistoryDocument extends RecordedDeed {
  readonly id: string;
}

/** Changes, newest first. @param before only those before this id; empty: all */
export async function readHistory(
  { store }: Pick<Workspace, 'store'>,
  { before = '', limit = 50 }: { readonly before?: string; readonly limit?: number },
): Promise<readonly HistoryDocument[]> {
  if (before !== '' && !isId(before)) throw badId('before');
  const entries = await store.readHistory(before, limit);
  return entries.flatMap(({ id, text }) => readEntry(id, text));
}

/** @throws Problem `not-found` */
export async function readHistoryEntry({ store }: Pick<Workspace, 'store'>, id: string): Promise<HistoryDocument> {
  if (!isId(id)) throw notFound('Change');
  const entry = await store.readHistoryEntry(id);
  const [document] = entry === null ? [] : readEntry(id, entry.text);
  if (document === undefined) throw notFound('Change');
  return document;
}

/**
 * Puts the records of a change back to what they were before it, as a change of its own.
 * @throws Problem `conflict` when one of them was changed again since, or a secret of it was not kept
 */
export async function revertChange(
  workspace: Workspace,
  id: string,
): Promise<{ readonly revision: number; readonly warnings: readonly string[] }> {
  const entry = await readHistoryEntry(workspace, id);
  const { changes, maintenance = [] } = entry;
  const marks = await Promise.all(maintenance.map((one) => inverse(workspace, one)));
  // Marks are about a list: it must not change in between.
  const lists = maintenance.map(({ frontend }): RecordAddress => ({ kind: 'frontend', name: frontend }));
  const addresses = [...changes.map(({ kind, name }): RecordAddress => ({ kind, name })), ...lists];
  const deed = { action: 'revert', target: `${entry.action} ${entry.target} (revision ${entry.revision})` };
  const { revision } = await writeRecords(workspace, deed, addresses, (records) => ({
    after: [...changes.map((change, at) => valuesBefore(change, records[at] as StoredRecord)), ...lists.map(() => null)],
    maintenance: marks.flat(),
  }));
  return { revision, warnings: [] };
}

function valuesBefore(change: RecordedDeed['changes'][number], present: StoredRecord): readonly string[] {
  const { kind, name, before, after } = change;
  const hidden: StoredRecord = { ...present, values: concealed(change, present.values) };
  // Nothing is to be done where somebody has put it back already.
  if (stays(kind, hidden, before)) return present.values;
  if (!stays(kind, hidden, after) && !(present.values.length === 0 && after.length === 0))
    throw new Problem('conflict', `${kind} ${name} was changed again since; revert that change first`);
  const values = revealed(change, before, present.values);
  if (values === null) throw new Problem('conflict', `A secret of ${kind} ${name} is not kept in the history; send it anew`);
  return values;
}

async function inverse(
  { store, deadTtl }: Workspace,
  { frontend, entry, on }: NonNullable<RecordedDeed['maintenance']>[number],
): Promise<MaintenanceChange[]> {
  const [record] = await store.readFrontends([frontend]);
  const backend = parseBackends(record?.list.slice(1) ?? []).backends.find((one) => one.entry === entry);
  if (record === undefined || backend === undefined) throw new Problem('conflict', `${frontend} has that backend no more`);
  if ((maintenanceOf([record], backend) !== null) !== on) return [];
  return [{ request: { frontend, backend, on: !on, ttl: deadTtl }, members: on ? membersOf(record, backend) : [] }];
}

/** Junk that somebody else has put into the stream is left out. */
function readEntry(id: string, text: string): HistoryDocument[] {
  try {
    const deed = JSON.parse(text) as Partial<RecordedDeed>;
    return Array.isArray(deed.changes) && typeof deed.revision === 'number' ? [{ id, ...(deed as RecordedDeed) }] : [];
  } catch {
    return [];
  }
}

function isId(text: string): boolean {
  return /^\d{1,16}-\d{1,10}$/.test(text);
}

function badId(pointer: string): Problem {
  return new Problem('invalid-request', 'Validation Error', [{ pointer, detail: 'the id of a change, such as 1700000000000-0' }]);
}
