// Everything that is wrong with what the store holds, and how to mend it: a walk through all records, a page at a time.
import type { RecordKind } from '../../model/record-kind.js';
import type { Workspace } from '../workspace.js';
import { type Finding, lintFrontends, lintRecord } from './lint-records.js';
import { lintStray } from './lint-strays.js';
import { cursorProblem, walkNames } from './walk-names.js';

/** What a page of the walk has found. */
export interface LintPage {
  /** Records that were looked at. */
  readonly checked: number;
  readonly findings: readonly Finding[];
  /** Empty: everything was looked at. */
  readonly cursor: string;
}

/** In this order. Names of targets come with those of streams; `strays` are keys of no kind. */
const walked = ['frontend', 'route', 'healthcheck', 'tls', 'tier', 'member', 'auth', 'stream', 'blocklist', 'strays'] as const;
/** Kinds of one record each. */
const single: readonly RecordKind[] = ['patterns', 'registered', 'premium'];
const pageSize = 1_000;
/** Keys that are looked at for a page of those that nobody reads: most are no such. */
const straysPageSize = 10_000;

/** @param cursor as the page before gave it; empty: the first page */
export async function lint(workspace: Workspace, cursor: string): Promise<LintPage> {
  const { at, within } = readCursor(cursor);
  const findings: Finding[] = [];
  let checked = 0;
  if (cursor === '') {
    for (const kind of single) findings.push(...(await lintRecord(workspace, kind, '')));
    checked += single.length;
  }
  const kind = walked[at] as (typeof walked)[number];
  if (kind === 'strays') {
    const page = await strays(workspace, within);
    return { checked: 0, findings: [...findings, ...page.findings], cursor: nextCursor(at, page.cursor) };
  }
  const page = await walkNames(workspace, kind, { search: '', cursor: within, limit: pageSize });
  checked += page.names.length;
  if (kind === 'frontend') findings.push(...(await lintFrontends(workspace, page.names)));
  else for (const name of page.names) findings.push(...(await lintRecord(workspace, kind, name)));
  return { checked, findings, cursor: nextCursor(at, page.cursor) };
}

/** What an author may see whose hosts are few is none of these. */
async function strays({ store, mayTouch }: Workspace, cursor: string): Promise<Omit<LintPage, 'checked'>> {
  if (mayTouch !== undefined) return { findings: [], cursor: '' };
  const page = await store.scanStraysStep(cursor, straysPageSize).catch((error: unknown) => {
    throw /invalid cursor/.test(String(error)) ? cursorProblem() : error;
  });
  return { findings: page.keys.flatMap(lintStray), cursor: page.cursor };
}

function nextCursor(at: number, within: string): string {
  if (within !== '') return `${walked[at]}/${within}`;
  return at + 1 < walked.length ? `${walked[at + 1]}/` : '';
}

function readCursor(cursor: string): { readonly at: number; readonly within: string } {
  if (cursor === '') return { at: 0, within: '' };
  const slash = cursor.indexOf('/');
  const at = walked.map(String).indexOf(cursor.slice(0, Math.max(0, slash)));
  if (at === -1) throw cursorProblem();
  return { at, within: cursor.slice(slash + 1) };
}
