// Entity tags of records: a digest of what is stored, so that a lost update is noticed whoever wrote in between.
import { createHash } from 'node:crypto';
import type { StoredRecord } from '../../model/record-kind.js';
import { Problem } from '../problem.js';
import type { WriteConditions } from '../workspace.js';

/** The tag of a resource that is made of some records, such as `"mX3…"` (RFC 9110 section 8.8.3). */
export function etagOf(records: readonly (readonly string[])[]): string {
  return `"${createHash('sha256').update(JSON.stringify(records)).digest('base64url').slice(0, 22)}"`;
}

/**
 * Throws a Problem where a condition of the caller does not hold.
 * @param there whether the resource is there
 * @param etag its tag
 */
export function checkConditions({ ifMatch, ifNoneMatch }: WriteConditions, there: boolean, etag: string): void {
  if (ifNoneMatch === true && there)
    throw new Problem('precondition-failed', 'It is there already, and If-None-Match says that it must not be');
  if (ifMatch === undefined) return;
  if (!there) throw new Problem('precondition-failed', 'It is not there, and If-Match says that it must be');
  if (ifMatch.includes('*') || ifMatch.includes(etag)) return;
  throw new Problem('precondition-failed', 'It was changed by somebody else since it was read; read it again', [], { etag });
}

/** Whether a record is there, also as one that cannot be understood. */
export function isThere({ values, fault }: StoredRecord): boolean {
  return values.length > 0 || fault !== '';
}
