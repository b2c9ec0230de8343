// A page of names out of any number: a walk through the store that ends when there are enough, or when it has taken long enough.
import type { RecordKind } from '../../model/record-kind.js';
import { Problem } from '../problem.js';
import type { Workspace } from '../workspace.js';

/** What is asked for. */
export interface NameQuery {
  /** A part of the name; empty: any. */
  readonly search: string;
  /** As the page before gave it; empty: the first page. */
  readonly cursor: string;
  readonly limit: number;
}

/** Milliseconds after which a page is given with what was found, also nothing: the next one goes on from there. */
const patience = 2_000;
const fewest = 100;
const most = 10_000;

/** Sorted, none twice, only those that the author may see. The page may be a little longer than was asked for. */
export async function walkNames(
  { store, mayTouch }: Workspace,
  kind: RecordKind | 'frontend',
  { search, cursor, limit }: NameQuery,
): Promise<{ readonly names: readonly string[]; readonly cursor: string }> {
  if (!/^[\w.:|[\]-]{0,120}$/.test(cursor)) throw cursorProblem();
  const names = new Set<string>();
  const deadline = Date.now() + patience;
  let next = cursor;
  let count = Math.min(most, Math.max(fewest, limit));
  do {
    const step = await store.scanNamesStep(kind, search, next, count).catch((error: unknown) => {
      throw /invalid cursor/.test(String(error)) ? cursorProblem() : error;
    });
    next = step.cursor;
    for (const name of step.names) if (mayTouch === undefined || mayTouch(name)) names.add(name);
    // Where other keys are many, or few names are like what is searched for, small steps would take long.
    count = step.names.length === 0 ? Math.min(most, count * 4) : Math.min(most, Math.max(fewest, limit - names.size));
  } while (next !== '' && names.size < limit && Date.now() < deadline);
  return { names: [...names].sort(), cursor: next };
}

/** Told where a cursor is none that a page gave. */
export function cursorProblem(): Problem {
  return new Problem('invalid-request', 'The cursor is none that a page gave', [{ pointer: 'cursor', detail: 'is not known' }]);
}
