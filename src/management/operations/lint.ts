// Everything that is wrong with what the store holds, and how to mend it: a walk through all records, a page at a time.
import type { RecordKind } from '../../model/record-kind.js';
import { Problem } from '../problem.js';
import type { Workspace } from '../workspace.js';
import { type Finding, lintFrontends, lintRecord } from './lint-records.js';
import { walkNames } from './walk-names.js';

/** What a page of the walk has found. */
export interface LintPage {
  /** Records that were looked at. */
  readonly checked: number;
  readonly findings: readonly Finding[];
  /** Empty: everything was looked at. */
  readonly cursor: string;
}

/** In this order. Names of targets come with those of streams. */
const walked = ['frontend', 'route', 'healthcheck', 'tls', 'tier', 'member', 'auth', 'stream', 'blocklist'] as const;
/** Kinds of one record each. */
const single: readonly RecordKind[] = ['patterns', 'registered', 'premium'];
const pageSize = 1_000;

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
  const page = await walkNames(workspace, kind, { search: '', cursor: within, limit: pageSize });
  checked += page.names.length;
  if (kind === 'frontend') findings.push(...(await lintFrontends(workspace, page.names)));
  else for (const name of page.names) findings.push(...(await lintRecord(workspace, kind, name)));
  return { checked, findings, cursor: nextCursor(at, page.cursor) };
}

function nextCursor(at: number, within: string): string {
  if (within !== '') return `${walked[at]}/${within}`;
  return at + 1 < walked.length ? `${walked[at + 1]}/` : '';
}

function readCursor(cursor: string): { readonly at: number; readonly within: string } {
  if (cursor === '') return { at: 0, within: '' };
  const slash = cursor.indexOf('/');
  const at = walked.map(String).indexOf(cursor.slice(0, Math.max(0, slash)));
  if (at === -1)
    throw new Problem('invalid-request', 'The cursor is none that a page gave', [{ pointer: 'cursor', detail: 'is not known' }]);
  return { at, within: cursor.slice(slash + 1) };
}
