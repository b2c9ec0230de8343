// Tiers, members, auth providers, health checks, patterns, streams and block lists: listed, read, replaced, changed and removed alike.
import type { StoredRecord } from '../../model/record-kind.js';
import { type RecordAddress, sortedRecord } from '../../store/change.js';
import { invalidBody, notFound } from '../problem.js';
import type { Workspace, WriteConditions, Written } from '../workspace.js';
import { checkConditions, etagOf, isThere } from './etag.js';
import { mergePatch } from './merge-patch.js';
import type { Members, RecordResource } from './record-resources.js';
import { faultsOf } from './schemas.js';
import { type NameQuery, walkNames } from './walk-names.js';
import { writeRecords } from './write-records.js';

/** A record as callers see it: its name and its members. */
export type RecordDocument = Members & { readonly name?: string };

/** A page of them. */
export async function listRecords(
  workspace: Workspace,
  resource: RecordResource,
  query: NameQuery,
): Promise<{ readonly records: readonly RecordDocument[]; readonly cursor: string }> {
  const { names, cursor } = await walkNames(workspace, resource.kinds[0]!, query);
  const others = await namesOfOthers(workspace, resource, query);
  const all = [...new Set([...names, ...others])].sort();
  const documents = await Promise.all(all.map((name) => readStored(workspace, resource, name)));
  return { records: all.flatMap((name, at) => (isAny(documents[at]!) ? [shown(resource, name, documents[at]!)] : [])), cursor };
}

/** @throws Problem `not-found`. A resource of which there is one is always there. */
export async function readRecord(
  workspace: Workspace,
  resource: RecordResource,
  written: string,
): Promise<{ readonly record: RecordDocument; readonly etag: string }> {
  const name = resource.nameOf(written);
  const records = await readStored(workspace, resource, name);
  if (!resource.single && !isAny(records)) throw notFound(resource.title);
  return { record: shown(resource, name, records), etag: tagOf(resource, records) };
}

/** Writes a record as a whole. @param body passed the schema of the resource */
export function putRecord(
  workspace: Workspace,
  resource: RecordResource,
  written: string,
  body: Members,
  conditions: WriteConditions = {},
): Promise<Written<RecordDocument>> {
  return write(workspace, resource, { written, action: 'put', conditions, bodyOf: () => body });
}

/** Changes members of a record; null takes one away (RFC 7396). @throws Problem `not-found` */
export function patchRecord(
  workspace: Workspace,
  resource: RecordResource,
  written: string,
  patch: Members,
  conditions: WriteConditions = {},
): Promise<Written<RecordDocument>> {
  const bodyOf = (records: readonly StoredRecord[]): Members => {
    if (!resource.single && !isAny(records)) throw notFound(resource.title);
    const { faults: _faults, ...present } = resource.documentOf(records);
    const result = resource.schema.safeParse(mergePatch(present, patch));
    if (!result.success) throw invalidBody(faultsOf(result.error.issues));
    return result.data;
  };
  return write(workspace, resource, { written, action: 'patch', conditions, bodyOf });
}

/** @throws Problem `not-found` */
export async function deleteRecord(
  workspace: Workspace,
  resource: RecordResource,
  written: string,
  conditions: WriteConditions = {},
): Promise<{ readonly revision: number }> {
  const name = resource.nameOf(written);
  const deed = { action: 'delete', target: targetOf(resource, name) };
  const { revision } = await writeRecords(workspace, deed, addressesOf(resource, name), (records) => {
    checkConditions(conditions, isAny(records), tagOf(resource, records));
    if (!isAny(records)) throw notFound(resource.title);
    return { after: resource.kinds.map(() => []) };
  });
  return { revision };
}

/** The records of a resource, in the order of its kinds. */
export function addressesOf({ kinds }: RecordResource, name: string): readonly RecordAddress[] {
  return kinds.map((kind) => ({ kind, name }));
}

/** The records of a resource as they are. */
export function readStored({ store }: Workspace, { kinds }: RecordResource, name: string): Promise<StoredRecord[]> {
  return Promise.all(kinds.map((kind) => store.readRecord(kind, name)));
}

function targetOf({ title, single }: RecordResource, name: string): string {
  return single ? title.toLowerCase() : `${title.toLowerCase()} ${name === '' ? '*' : name}`;
}

interface RecordWrite {
  readonly written: string;
  readonly action: string;
  readonly conditions: WriteConditions;
  readonly bodyOf: (records: readonly StoredRecord[]) => Members;
}

async function write(
  workspace: Workspace,
  resource: RecordResource,
  { written, action, conditions, bodyOf }: RecordWrite,
): Promise<Written<RecordDocument>> {
  const name = resource.nameOf(written);
  let created = false;
  let after: readonly (readonly string[])[] = [];
  const deed = { action, target: targetOf(resource, name) };
  const { revision } = await writeRecords(workspace, deed, addressesOf(resource, name), (records) => {
    created = !resource.single && !isAny(records);
    checkConditions(conditions, resource.single || !created, tagOf(resource, records));
    after = resource.valuesOf(bodyOf(records), records);
    return { after };
  });
  const records = after.map((values): StoredRecord => ({ values, fault: '' }));
  return { value: shown(resource, name, records), etag: tagOf(resource, records), revision, created, warnings: [] };
}

/** A stream may have targets only. */
async function namesOfOthers(workspace: Workspace, { kinds }: RecordResource, query: NameQuery): Promise<readonly string[]> {
  const [, other] = kinds;
  if (other === undefined || query.cursor !== '') return [];
  return (await walkNames(workspace, other, query)).names;
}

function isAny(records: readonly StoredRecord[]): boolean {
  return records.some(isThere);
}

function shown(resource: RecordResource, name: string, records: readonly StoredRecord[]): RecordDocument {
  const document = resource.documentOf(records);
  return resource.single ? document : { name: name === '' ? '*' : name, ...document };
}

function tagOf({ kinds }: RecordResource, records: readonly StoredRecord[]): string {
  return etagOf(records.map(({ values }, at) => sortedRecord(kinds[at]!, values)));
}
