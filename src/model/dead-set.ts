// Which backends of a route the store says are dead: index members, marks by entry, and entries written by hand, read together.
import type { Backend } from './backend.js';
import type { FrontendRecord } from './frontend.js';

const noneDead: readonly boolean[] = Object.freeze([]);

/**
 * Answers for each position of `backends` whether that backend is dead. Empty when none is, so that the usual case costs nothing.
 *
 * A member of `dead:<name>` that a mark of `health:<name>` claims stands for the entry that the mark names, for as long as the mark
 * lasts: the list may have shifted since, and the expiry of the set belongs to its youngest member. A member that no mark
 * claims was written by somebody else (Hipache, hchecker, PlanB, a person) and is an index into the list that matched, or an
 * entry or URL. Whoever removes the member, or the whole set, revives the backend at once. Other members mean nothing.
 *
 * @param records the records of a route: of the host asked for, and of the frontend that matched
 * @param backends the backends of the frontend that matched
 * @param now milliseconds since the epoch
 */
export function deadBackends(records: readonly FrontendRecord[], backends: readonly Backend[], now: number): readonly boolean[] {
  let dead: boolean[] | undefined;
  for (const record of records) {
    // The expiry is told late by Redis when many keys carry one, so it is kept here too.
    if (record.dead.length === 0 || record.deadUntil <= now) continue;
    dead ??= new Array<boolean>(backends.length).fill(false);
    applyRecord(record, backends, now, dead);
  }
  return dead?.includes(true) ? dead : noneDead;
}

function applyRecord(record: FrontendRecord, backends: readonly Backend[], now: number, dead: boolean[]): void {
  const members = new Set(record.dead);
  const claims = record.marks.filter((mark) => members.has(String(mark.index)));
  const markedEntries = new Set<string>();
  for (const mark of claims) {
    if (mark.until > now) markedEntries.add(mark.entry);
  }
  for (const mark of claims) members.delete(String(mark.index));
  backends.forEach((backend, position) => {
    if (markedEntries.has(backend.entry) || members.has(String(backend.index)) || namesBackend(members, backend))
      dead[position] = true;
  });
}

function namesBackend(members: ReadonlySet<string>, backend: Backend): boolean {
  return members.has(backend.entry) || members.has(backend.publishedUrl) || members.has(backend.origin);
}
