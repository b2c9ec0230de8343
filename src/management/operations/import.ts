// An import: what a document would change, told before it is done, and done in changes that are whole each.
import type * as z from 'zod';
import type { FrontendRecord } from '../../model/frontend.js';
import type { StoredRecord } from '../../model/record-kind.js';
import { type RecordAddress, stays } from '../../store/change.js';
import { type Fault, invalidBody, Problem } from '../problem.js';
import type { Workspace } from '../workspace.js';
import { sslValues } from './certificate-values.js';
import { redacted } from './concealed.js';
import { certificatesSection, routesSection, type StateDocument, sectionOf, writtenRoute } from './document.js';
import { isThere } from './etag.js';
import { frontendName } from './names.js';
import { type Members, type RecordResource, recordResources } from './record-resources.js';
import { addressesOf } from './records.js';
import { listOf, policyOf, routeDocument } from './route-records.js';
import { faultsOf, routeReplacementSchema, sslSchema } from './schemas.js';
import { walkNames } from './walk-names.js';
import { writeRecords } from './write-records.js';

export interface ImportOptions {
  /** Removes what the sections of the document lack. Sections that it lacks are left alone. */
  readonly prune: boolean;
  /** Only tells what would be done. */
  readonly dry: boolean;
}

/** One thing that is made, changed or removed; `before` and `after` are documents, without secrets. */
export interface PlannedChange {
  readonly action: 'create' | 'change' | 'delete';
  readonly section: string;
  readonly name: string;
  readonly before: Members | null;
  readonly after: Members | null;
}

export interface ImportResult {
  readonly changes: readonly PlannedChange[];
  /** What was left out, and why. */
  readonly warnings: readonly string[];
  /** The last revision of the import. */
  readonly revision: number;
}

/** So many records are changed together. A document of more is written in several changes, each whole by itself. */
const together = 200;

/** One entry of a document, ready to be compared and written. */
interface Unit {
  readonly section: string;
  readonly name: string;
  readonly addresses: readonly RecordAddress[];
  /** @throws Problem where it cannot be written over what is there */
  valuesOf(before: readonly StoredRecord[]): readonly (readonly string[])[];
  documentOf(records: readonly StoredRecord[]): Members;
}

/**
 * Compares a document with the store and writes the difference.
 * @throws Problem with everything that is wrong with the document; nothing is written then
 */
export async function importDocument(
  workspace: Workspace,
  document: StateDocument,
  { prune, dry }: ImportOptions,
): Promise<ImportResult> {
  const { units, warnings } = await unitsOf(workspace, document);
  if (prune) units.push(...(await removals(workspace, document, units)));
  const changes: PlannedChange[] = [];
  let revision = 0;
  for (let at = 0; at < units.length; at += together) {
    const batch = units.slice(at, at + together);
    const addresses = batch.flatMap((unit) => unit.addresses);
    let planned: PlannedChange[] = [];
    const plan = (records: readonly StoredRecord[]): { readonly after: readonly (readonly string[])[] } => {
      planned = [];
      let from = 0;
      const after = batch.flatMap((unit) => {
        const before = records.slice(from, from + unit.addresses.length);
        from += unit.addresses.length;
        const values = valuesOrFault(unit, before);
        const change = changeOf(unit, before, values);
        if (change !== null) planned.push(change);
        return values;
      });
      return { after };
    };
    if (dry) plan(await Promise.all(addresses.map((address) => readAddress(workspace, address))));
    else ({ revision } = await writeRecords(workspace, { action: 'import', target: `${batch.length} records` }, addresses, plan));
    changes.push(...planned);
  }
  return { changes, warnings, revision };
}

async function readAddress({ store }: Workspace, { kind, name }: RecordAddress): Promise<StoredRecord> {
  if (kind !== 'frontend') return store.readRecord(kind, name);
  const [record] = await store.readFrontends([name]);
  return { values: record?.list ?? [], fault: record?.fault ?? '' };
}

/** A fault names the entry of the document. */
function valuesOrFault(unit: Unit, before: readonly StoredRecord[]): readonly (readonly string[])[] {
  try {
    return unit.valuesOf(before);
  } catch (error) {
    if (!(error instanceof Problem) || error.faults.length === 0) throw error;
    throw invalidBody(error.faults.map((fault) => placed(unit.section, unit.name, fault)));
  }
}

function placed(section: string, name: string, { pointer, detail }: Fault): Fault {
  return { pointer: `/${section}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}${pointer === '/' ? '' : pointer}`, detail };
}

function changeOf(unit: Unit, before: readonly StoredRecord[], after: readonly (readonly string[])[]): PlannedChange | null {
  if (unit.addresses.every(({ kind }, at) => stays(kind, before[at], after[at]!))) return null;
  const was = before.some(isThere);
  const is = after.some((values) => values.length > 0);
  if (!was && !is) return null;
  const records = after.map((values): StoredRecord => ({ values, fault: '' }));
  return {
    action: was ? (is ? 'change' : 'delete') : 'create',
    section: unit.section,
    name: unit.name,
    before: was ? unit.documentOf(before) : null,
    after: is ? unit.documentOf(records) : null,
  };
}

async function unitsOf(workspace: Workspace, document: StateDocument): Promise<{ units: Unit[]; warnings: string[] }> {
  const units: Unit[] = [];
  const warnings: string[] = [];
  const faults: Fault[] = [];
  const take = (section: string, name: string, make: () => Unit | null): void => {
    try {
      const unit = make();
      if (unit !== null) units.push(unit);
    } catch (error) {
      if (!(error instanceof Problem) || error.faults.length === 0) throw error;
      faults.push(...error.faults.map((fault) => placed(section, name, fault)));
    }
  };
  // What routes name comes before them.
  for (const resource of recordResources) {
    const section = sectionOf(resource);
    const entries = entriesIn(document, section);
    if (entries === undefined) continue;
    if (resource.single) take(section, '', () => recordUnit(resource, section, '', entries));
    else for (const [name, body] of Object.entries(entries)) take(section, name, () => recordUnit(resource, section, name, body));
  }
  for (const [domain, body] of Object.entries(entriesIn(document, certificatesSection) ?? {})) {
    const name = frontendName(domain, '/domain');
    const present = await workspace.store.readRecord('tls', name);
    take(certificatesSection, domain, () => {
      const { cert, key } = checked(sslSchema, { key: redacted, ...(body as object) });
      if (key === redacted && !isThere(present)) {
        warnings.push(`${certificatesSection}/${domain} is left out: a document holds no private key, and there is none here`);
        return null;
      }
      return certificateUnit(workspace, name, { cert, key });
    });
  }
  for (const [vHost, body] of Object.entries(entriesIn(document, routesSection) ?? {}))
    take(routesSection, vHost, () => routeUnit(vHost, body));
  if (faults.length > 0) throw invalidBody(faults);
  return { units, warnings };
}

function entriesIn(document: Readonly<Record<string, unknown>>, section: string): Readonly<Record<string, unknown>> | undefined {
  return document[section] as Readonly<Record<string, unknown>> | undefined;
}

function checked<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body);
  if (!result.success) throw invalidBody(faultsOf(result.error.issues));
  return result.data;
}

function routeUnit(vHost: string, written: unknown): Unit {
  const name = frontendName(vHost);
  const body = checked(routeReplacementSchema, written);
  return {
    section: routesSection,
    name,
    addresses: routeAddresses(name),
    valuesOf: ([list, policy]) => [
      listOf(body.id ?? list?.values[0] ?? name, body.backends, list?.values ?? []),
      // A document says everything: what it lacks is not there.
      policyOf({ reqActiveLength: null, reqQueueLength: null, ...body }, isThere(list!) ? policy!.values : null),
    ],
    documentOf: (records) => routeOf(name, records),
  };
}

function routeAddresses(name: string): readonly RecordAddress[] {
  return [
    { kind: 'frontend', name },
    { kind: 'route', name },
  ];
}

function routeOf(name: string, [list, policy]: readonly StoredRecord[]): Members {
  const record: FrontendRecord = {
    ...{ name, list: list?.values ?? [], policy: policy?.values ?? [] },
    ...{ dead: [], marks: [], deadUntil: Number.POSITIVE_INFINITY, policyFault: '', fault: list?.fault ?? '' },
  };
  return writtenRoute(routeDocument(record, ''));
}

function certificateUnit(workspace: Workspace, name: string, ssl: { readonly cert: string; readonly key: string }): Unit {
  return {
    section: certificatesSection,
    name,
    addresses: [{ kind: 'tls', name }],
    valuesOf: ([tls]) => [sslValues(workspace, name, ssl, tls!, '')],
    documentOf: ([tls]) => ({ cert: tls?.values[tls.values.indexOf('certificate') + 1] ?? '', key: redacted }),
  };
}

function recordUnit(resource: RecordResource, section: string, written: string, body: unknown): Unit {
  const name = resource.single ? '' : resource.nameOf(written);
  const members = checked(resource.schema, body);
  return {
    section,
    name: written,
    addresses: addressesOf(resource, name),
    valuesOf: (records) => resource.valuesOf(members, records),
    documentOf: (records) => resource.documentOf(records),
  };
}

/** What the sections of the document do not name. */
async function removals(workspace: Workspace, document: StateDocument, units: readonly Unit[]): Promise<Unit[]> {
  const named = new Set(units.flatMap(({ addresses }) => addresses.map(({ kind, name }) => `${kind} ${name}`)));
  const gone: Unit[] = [];
  const look = async (
    section: string,
    kind: RecordAddress['kind'],
    unitOf: (name: string) => Omit<Unit, 'valuesOf'>,
  ): Promise<void> => {
    if (entriesIn(document, section) === undefined) return;
    for (let cursor = '', first = true; first || cursor !== ''; first = false) {
      const page = await walkNames(workspace, kind, { search: '', cursor, limit: 10_000 });
      cursor = page.cursor;
      for (const name of page.names) {
        if (named.has(`${kind} ${name}`)) continue;
        named.add(`${kind} ${name}`);
        const unit = unitOf(name);
        gone.push({ ...unit, valuesOf: () => unit.addresses.map(() => []) });
      }
    }
  };
  await look(routesSection, 'frontend', (name) => ({
    section: routesSection,
    name,
    addresses: routeAddresses(name),
    documentOf: (records) => routeOf(name, records),
  }));
  // A certificate whose key is not in the document stays: removing it would lose the key.
  for (const resource of recordResources) {
    if (resource.single) continue;
    const section = sectionOf(resource);
    await look(section, resource.kinds[0]!, (name) => ({
      section,
      name: name === '' ? '*' : name,
      addresses: addressesOf(resource, name),
      documentOf: (records) => resource.documentOf(records),
    }));
  }
  return gone;
}
