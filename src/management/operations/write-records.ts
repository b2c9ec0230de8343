// One change of some records: with who, when, before and after in the history, without what nobody is to read there.
import type { StoredRecord } from '../../model/record-kind.js';
import { ChangeRaced, changesNothing, type MaintenanceChange, type RecordAddress, stays } from '../../store/change.js';
import { Problem } from '../problem.js';
import type { Workspace } from '../workspace.js';
import { concealed } from './concealed.js';

/** What is done, for the history. */
export interface Deed {
  /** E.g. `put`. */
  readonly action: string;
  /** E.g. `route example.com`. */
  readonly target: string;
}

/** What a record was and has become; secrets are concealed. */
export interface RecordedChange extends RecordAddress {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** An entry of the history, as it is stored: JSON. */
export interface RecordedDeed extends Deed {
  readonly revision: number;
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  /** Address; empty: the machine of the management itself. */
  readonly from: string;
  readonly changes: readonly RecordedChange[];
  readonly maintenance?: readonly { readonly frontend: string; readonly entry: string; readonly on: boolean }[];
}

/** New values, in the order of the addresses; null: it stays. */
export interface RecordPlan {
  readonly after: readonly (readonly string[] | null)[];
  readonly maintenance?: readonly MaintenanceChange[];
}

/**
 * Writes what `plan` makes of the records as they are. `plan` may be asked again, and may throw a Problem.
 * @returns the revision, and whether anything was written
 */
export async function writeRecords(
  workspace: Workspace,
  deed: Deed,
  addresses: readonly RecordAddress[],
  plan: (before: readonly StoredRecord[]) => RecordPlan,
): Promise<{ readonly revision: number; readonly changed: boolean }> {
  let changed = false;
  try {
    const revision = await workspace.store.change(addresses, (before) => {
      const made = plan(before);
      changed = !changesNothing(addresses, before, made);
      return { ...made, history: (number) => JSON.stringify(recorded(workspace, deed, addresses, before, made, number)) };
    });
    return { revision, changed };
  } catch (error) {
    throw error instanceof ChangeRaced ? new Problem('conflict', `It was not changed: ${error.message}`) : error;
  }
}

function recorded(
  { author }: Workspace,
  deed: Deed,
  addresses: readonly RecordAddress[],
  before: readonly StoredRecord[],
  { after, maintenance = [] }: RecordPlan,
  revision: number,
): RecordedDeed {
  const changes = addresses.flatMap((address, at): RecordedChange[] => {
    const values = after[at] ?? null;
    const record = before[at];
    if (values === null || stays(address.kind, record, values)) return [];
    return [{ ...address, before: concealed(address, record?.values ?? []), after: concealed(address, values) }];
  });
  const marks = maintenance.map(({ request }) => ({ frontend: request.frontend, entry: request.backend.entry, on: request.on }));
  return {
    ...{ revision, at: new Date().toISOString(), by: author.name, from: author.address },
    ...deed,
    changes,
    ...(marks.length === 0 ? {} : { maintenance: marks }),
  };
}
