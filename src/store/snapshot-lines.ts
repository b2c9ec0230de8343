// What stands in a line of a snapshot: a frontend, another record, or the names of all frontends with a path prefix.
import type { DeadMark, FrontendRecord } from '../model/frontend.js';
import { type RecordKind, recordKinds, type StoredRecord } from '../model/record-kind.js';

/**
 * A line that was understood. `readBefore`: it was carried over from a file that was written then, in milliseconds since the epoch, by a
 * process that had read it; null: the process that wrote this file had.
 */
export type SnapshotLine =
  | { readonly what: 'frontend'; readonly record: FrontendRecord; readonly readBefore: number | null }
  | {
      readonly what: 'record';
      readonly kind: RecordKind;
      readonly name: string;
      readonly record: StoredRecord;
      readonly readBefore: number | null;
    }
  | { readonly what: 'prefixes'; readonly names: readonly string[] };

/** What is empty is left out: most records have a list and no more. */
export function frontendLine(record: FrontendRecord, readBefore: number | undefined): string {
  const { name, list, dead, marks, deadUntil, policy, policyFault, fault } = record;
  return JSON.stringify({
    frontend: name,
    ...(list.length === 0 ? {} : { list }),
    ...(dead.length === 0 ? {} : { dead }),
    ...(marks.length === 0 ? {} : { marks }),
    ...(deadUntil === Number.POSITIVE_INFINITY ? {} : { deadUntil }),
    ...(policy.length === 0 ? {} : { policy }),
    ...(policyFault === '' ? {} : { policyFault }),
    ...(fault === '' ? {} : { fault }),
    readBefore,
  });
}

export function recordLine(kind: RecordKind, name: string, { values }: StoredRecord, readBefore: number | undefined): string {
  return JSON.stringify({ record: kind, name, values, readBefore });
}

export function prefixesLine(names: readonly string[]): string {
  return JSON.stringify({ prefixes: names });
}

/** Null for a line that says nothing known, as another release may write it. */
export function parseSnapshotLine(text: string): SnapshotLine | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const line = value as Readonly<Record<string, unknown>>;
  if (typeof line.frontend === 'string') return parseFrontend(line.frontend, line);
  if (isStrings(line.prefixes)) return { what: 'prefixes', names: line.prefixes };
  const kind = recordKinds.find((one) => one === line.record);
  if (kind === undefined || typeof line.name !== 'string' || !isStrings(line.values)) return null;
  const record = { values: line.values, fault: '' };
  return { what: 'record', kind, name: line.name, record, readBefore: readBeforeOf(line) };
}

function parseFrontend(name: string, line: Readonly<Record<string, unknown>>): SnapshotLine | null {
  const { list = [], dead = [], marks = [], deadUntil = Number.POSITIVE_INFINITY, policy = [] } = line;
  const { policyFault = '', fault = '' } = line;
  if (!isStrings(list) || !isStrings(dead) || !isStrings(policy) || !Array.isArray(marks)) return null;
  if (typeof deadUntil !== 'number' || typeof policyFault !== 'string' || typeof fault !== 'string') return null;
  const known = marks.map(parseMark);
  if (!known.every((mark) => mark !== null)) return null;
  const record = { name, list, dead, marks: known, deadUntil, policy, policyFault, fault };
  return { what: 'frontend', record, readBefore: readBeforeOf(line) };
}

function readBeforeOf({ readBefore }: Readonly<Record<string, unknown>>): number | null {
  return typeof readBefore === 'number' ? readBefore : null;
}

/** JSON knows no Infinity, which is how long maintenance lasts. */
function parseMark(value: unknown): DeadMark | null {
  if (typeof value !== 'object' || value === null) return null;
  const { until, ...mark } = value as Readonly<Record<string, unknown>>;
  if (typeof mark.entry !== 'string' || typeof mark.index !== 'number') return null;
  if (until !== null && typeof until !== 'number') return null;
  const numbers = [mark.since, mark.retryAt, mark.opens];
  const flags = [mark.manual, mark.probed];
  if (!numbers.every((one) => one === undefined || typeof one === 'number')) return null;
  if (!flags.every((one) => one === undefined || typeof one === 'boolean')) return null;
  if (mark.frontend !== undefined && typeof mark.frontend !== 'string') return null;
  return { ...(mark as unknown as DeadMark), until: until ?? Number.POSITIVE_INFINITY };
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
