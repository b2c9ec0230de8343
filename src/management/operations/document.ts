// Everything as one document: what is exported, and what an import or a plan starts from.

import { stringify } from 'yaml';
import * as z from 'zod';
import { fieldsOf } from '../../model/record-kind.js';
import type { Workspace } from '../workspace.js';
import { redacted } from './concealed.js';
import { isThere } from './etag.js';
import { type RecordResource, recordResources } from './record-resources.js';
import { readStored } from './records.js';
import type { RouteDocument } from './route-records.js';
import { readRoutes } from './routes.js';
import { walkNames } from './walk-names.js';

/** What the document says of itself. */
const documentVersion = 1;

/** Sections whose members are by name, besides those of `recordResources`. */
export const routesSection = 'routes';
export const certificatesSection = 'certificates';

const section = z.record(z.string(), z.unknown());

/** The form of a document; what stands in its sections is checked entry by entry. */
export const documentSchema = z
  .strictObject({
    cjsProxy: z.literal(documentVersion, { error: `has to be ${documentVersion}: the version of the document` }),
    [routesSection]: section.optional().describe('Routes by name, as those of /routes.'),
    [certificatesSection]: section.optional().describe('Certificates by domain: `cert`, and `key`, which an export lacks.'),
    ...Object.fromEntries(
      recordResources.map((resource) => [sectionOf(resource), section.optional().describe(resource.summary)]),
    ),
  })
  .meta({ id: 'Document' });

export type StateDocument = z.output<typeof documentSchema>;

/** The section of a resource: `tiers`, `authProviders`, `registeredHosts`. */
export function sectionOf({ path }: RecordResource): string {
  const words = path.slice(1).split('/').reverse();
  return words.join('-').replaceAll(/-(\w)/g, (_match, letter: string) => letter.toUpperCase());
}

const readAtOnce = 500;

/** A part of the document: the head, or an entry of a section. */
type Part = { readonly section: string; readonly name: string | null; readonly value: unknown };

/**
 * The document as text, piece by piece, so that a million routes need not be in memory at once. Hashes of passwords are in it, private
 * keys are not.
 */
export async function* exportDocument(workspace: Workspace, format: 'json' | 'yaml'): AsyncGenerator<string> {
  let open = '';
  let empty = true;
  yield format === 'json' ? `{\n  "cjsProxy": ${documentVersion}` : `cjsProxy: ${documentVersion}\n`;
  for await (const { section: name, name: entry, value } of partsOf(workspace)) {
    if (format === 'yaml') {
      if (name !== open) yield `${name}:\n`;
      const text = stringify(entry === null ? value : { [entry]: value }, { lineWidth: 0 });
      yield text.replaceAll(/^(?=.)/gm, '  ');
    } else {
      if (name !== open) yield `${open === '' ? '' : '\n  }'},\n  ${JSON.stringify(name)}: {`;
      if (name !== open) empty = true;
      const members = entry === null ? Object.entries(value as object) : [[entry, value] as const];
      for (const [member, content] of members) {
        yield `${empty ? '' : ','}\n    ${JSON.stringify(member)}: ${JSON.stringify(content)}`;
        empty = false;
      }
    }
    open = name;
  }
  if (format === 'json') yield open === '' ? '\n}\n' : '\n  }\n}\n';
}

async function* partsOf(workspace: Workspace): AsyncGenerator<Part> {
  for await (const names of namesInTurn(workspace, 'frontend')) {
    for (const { route } of await readRoutes(workspace, names)) {
      yield { section: routesSection, name: route.vHost, value: writtenRoute(route) };
    }
  }
  for await (const names of namesInTurn(workspace, 'tls')) {
    const records = await Promise.all(names.map((name) => workspace.store.readRecord('tls', name)));
    for (const [at, name] of names.entries()) {
      const cert = fieldsOf(records[at]!).get('certificate') ?? '';
      if (cert !== '') yield { section: certificatesSection, name, value: { cert, key: redacted } };
    }
  }
  for (const resource of recordResources) {
    if (resource.single) {
      const records = await readStored(workspace, resource, '');
      if (records.some(isThere))
        yield { section: sectionOf(resource), name: null, value: withoutFaults(resource.documentOf(records)) };
      continue;
    }
    for await (const names of namesInTurn(workspace, ...resource.kinds)) {
      for (const name of names) {
        const records = await readStored(workspace, resource, name);
        if (!records.some(isThere)) continue;
        const value = exported(
          resource,
          records.map(({ values }) => values),
        );
        yield { section: sectionOf(resource), name: name === '' ? '*' : name, value };
      }
    }
  }
}

/** All names of some kinds, sorted, some at a time. */
async function* namesInTurn(
  workspace: Workspace,
  ...kinds: readonly (RecordResource['kinds'][number] | 'frontend')[]
): AsyncGenerator<string[]> {
  const all = new Set<string>();
  for (const kind of kinds) {
    let cursor = '';
    do {
      const page = await walkNames(workspace, kind, { search: '', cursor, limit: 10_000 });
      for (const name of page.names) all.add(name);
      cursor = page.cursor;
    } while (cursor !== '');
  }
  const names = [...all].sort();
  for (let at = 0; at < names.length; at += readAtOnce) yield names.slice(at, at + readAtOnce);
}

/** An auth provider is of no use without its hashes, which a document may hold. */
function exported(resource: RecordResource, values: readonly (readonly string[])[]): unknown {
  const document = withoutFaults(resource.documentOf(values.map((one) => ({ values: one, fault: '' }))));
  if (resource.kinds[0] !== 'auth' || !('users' in document)) return document;
  const fields = fieldsOf({ values: values[0] ?? [], fault: '' });
  const users = Object.keys(document.users as object).map((user) => [user, fields.get(`user:${user}`) ?? '']);
  return { ...document, users: Object.fromEntries(users) };
}

function withoutFaults({ faults: _faults, ...rest }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return rest;
}

/** A route without what the proxy tells of it, and without what the section of certificates has. */
export function writtenRoute(route: RouteDocument): Record<string, unknown> {
  const { vHost: _vHost, ssl: _ssl, faults: _faults, backends, ...rest } = route;
  const written = backends.map(({ isDead, deadSince, failureCount, maintenance, draining, ...backend }) => backend);
  return { ...rest, backends: written };
}
