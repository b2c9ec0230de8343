// Which backends of a route the store says are dead: index members, marks by entry, and entries written by hand, read together.
import type { Backend } from './backend.js';
import type { DeadMark, FrontendRecord } from './frontend.js';

/** Why a backend is dead: a mark says so, or a member of the dead set that no mark claims. */
export type Death = { readonly kind: 'mark'; readonly mark: DeadMark } | { readonly kind: 'member' };

const noDeaths: readonly (Death | null)[] = Object.freeze([]);
const member: Death = Object.freeze({ kind: 'member' });

/**
 * Answers for each position of `backends` why that backend is dead, or null. Empty when none is, so that the usual case costs nothing.
 *
 * A member of `dead:<name>` that a mark of `health:<name>` claims stands for the entry that the mark names, for as long as the mark
 * lasts: the list may have shifted since, and the expiry of the set belongs to its youngest member. A member that no mark
 * claims was written by somebody else (Hipache, hchecker, PlanB, a person) and is an index into the list that matched, or an
 * entry or URL. Whoever removes the member, or the whole set, revives the backend at once. Other members mean nothing.
 *
 * A mark of maintenance needs no member, knows no expiry, and goes before every other reason.
 *
 * @param records the records of a route: of the host asked for, and of the frontend that matched
 * @param backends the backends of the frontend that matched
 * @param now milliseconds since the epoch
 */
export function deathsOf(
  records: readonly FrontendRecord[],
  backends: readonly Backend[],
  now: number,
): readonly (Death | null)[] {
  let deaths: (Death | null)[] | undefined;
  for (const record of records) {
    if (record.dead.length === 0 && record.marks.length === 0) continue;
    deaths ??= new Array<Death | null>(backends.length).fill(null);
    applyRecord(record, backends, now, deaths);
  }
  return deaths?.some((death) => death !== null) ? deaths : noDeaths;
}

/** Whether the store says nothing at all against the backends of some records: the usual case. */
export function unmarked(records: readonly FrontendRecord[]): boolean {
  for (const record of records) {
    if (record.dead.length > 0 || record.marks.length > 0) return false;
  }
  return true;
}

/** The mark of maintenance of a backend, or null. */
export function maintenanceOf(records: readonly FrontendRecord[], backend: Backend): DeadMark | null {
  for (const record of records) {
    const mark = record.marks.find((one) => one.manual === true && names(one.entry, backend));
    if (mark !== undefined) return mark;
  }
  return null;
}

/** The members of a dead set that have to go so that a backend is no longer dead by it; its mark has to go too. */
export function membersOf(record: FrontendRecord, backend: Backend): readonly string[] {
  const others = record.marks.filter((mark) => mark.entry !== backend.entry);
  const claimed = new Set(others.map((mark) => String(mark.index)));
  const own = record.marks.find((mark) => mark.entry === backend.entry);
  const indexes = own === undefined ? [backend.index] : [own.index, backend.index];
  return record.dead.filter(
    (text) => (indexes.some((index) => text === String(index)) && !claimed.has(text)) || names(text, backend),
  );
}

function applyRecord(record: FrontendRecord, backends: readonly Backend[], now: number, deaths: (Death | null)[]): void {
  // The expiry is told late by Redis when many keys carry one, so it is kept here too.
  const members = new Set(record.deadUntil <= now ? [] : record.dead);
  const claims = record.marks.filter((mark) => members.has(String(mark.index)));
  const marked = new Map<string, Death>();
  for (const mark of claims) {
    if (mark.until > now) marked.set(mark.entry, { kind: 'mark', mark });
  }
  for (const mark of claims) members.delete(String(mark.index));
  const manual = record.marks.filter((mark) => mark.manual === true);
  backends.forEach((backend, position) => {
    const held = manual.find((mark) => names(mark.entry, backend));
    if (held !== undefined) {
      deaths[position] = { kind: 'mark', mark: held };
      return;
    }
    const found = members.size > 0 && isMember(members, backend) ? member : marked.get(backend.entry);
    if (found !== undefined && weight(found) > weight(deaths[position] ?? null)) deaths[position] = found;
  });
}

/** Of two records the stronger word counts: maintenance, then what somebody else wrote, then a mark. */
function weight(death: Death | null): number {
  if (death === null) return 0;
  if (death.kind === 'member') return 2;
  return death.mark.manual === true ? 3 : 1;
}

function isMember(members: ReadonlySet<string>, backend: Backend): boolean {
  return (
    members.has(String(backend.index)) ||
    members.has(backend.entry) ||
    members.has(backend.publishedUrl) ||
    members.has(backend.origin)
  );
}

function names(text: string, backend: Backend): boolean {
  return text === backend.entry || text === backend.id || text === backend.publishedUrl || text === backend.origin;
}
