// Whether what the history says holds: revisions without a gap, and each record as its last change has left it.
import type { RecordedChange, RecordedDeed } from '../../src/management/operations/write-records.js';
import { recordShapes } from '../../src/model/record-kind.js';
import type { ManagedStore } from '../../src/store/managed-store.js';

const all = 100_000;

/** @returns one line for each thing that does not hold, and the latest revision */
export async function historyFaults(store: ManagedStore): Promise<{ readonly faults: string[]; readonly revision: number }> {
  const entries = (await store.readHistory('', all)).reverse().map(({ text }) => JSON.parse(text) as RecordedDeed);
  const faults: string[] = [];
  entries.forEach(({ revision }, at) => {
    if (revision !== at + 1) faults.push(`entry ${at + 1} of the history has revision ${revision}`);
  });
  const revision = await store.readAppliedRevision();
  if (revision !== entries.length) faults.push(`the revision is ${revision} after ${entries.length} changes`);
  const last = new Map<string, RecordedChange>();
  for (const { changes } of entries) for (const change of changes) last.set(`${change.kind} ${change.name}`, change);
  for (const [record, { kind, name, after }] of last) {
    const values =
      kind === 'frontend' ? (await store.readFrontends([name]))[0]?.list : (await store.readRecord(kind, name)).values;
    const hash = kind !== 'frontend' && recordShapes[kind] === 'hash';
    const shown = (list: readonly string[] = []) => JSON.stringify(hash ? pairs(list) : list);
    if (shown(values) !== shown(after)) faults.push(`${record} is ${shown(values)}, but its last change made it ${shown(after)}`);
  }
  return { faults, revision };
}

/** Fields of a hash come in any order. */
function pairs(values: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let at = 0; at + 1 < values.length; at += 2) found.push([values[at] as string, values[at + 1] as string]);
  return found.sort();
}
