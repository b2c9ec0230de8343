// Routes: listed a page at a time, made, replaced, changed, removed. Plain functions over the store, for the API and the command line.
import { randomUUID } from 'node:crypto';
import type { FrontendRecord } from '../../model/frontend.js';
import { fieldsOf, type StoredRecord } from '../../model/record-kind.js';
import { type RecordAddress, sortedRecord } from '../../store/change.js';
import { notFound, Problem } from '../problem.js';
import type { Workspace, WriteConditions, Written } from '../workspace.js';
import { sslValues } from './certificate-values.js';
import { checkConditions, etagOf, isThere } from './etag.js';
import { certificateName, frontendName, touchable } from './names.js';
import { listOf, patchedPolicy, policyOf, type RouteDocument, routeDocument } from './route-records.js';
import type { RouteBody, RoutePatchBody } from './schemas.js';
import { walkNames } from './walk-names.js';
import { warningsOf } from './warnings.js';
import { writeRecords } from './write-records.js';

/** A page of routes. */
export interface RoutePage {
  readonly routes: readonly RouteDocument[];
  /** What asks for the next page; empty: this was the last. */
  readonly cursor: string;
}

/** A route and the tag of what is stored of it. */
export interface TaggedRoute {
  readonly route: RouteDocument;
  readonly etag: string;
}

/**
 * Routes in the order in which the store walks through them, sorted within a page, which may hold a few more than were asked for. One
 * that is there all the time comes at least once.
 * @param search a part of the name
 */
export async function listRoutes(
  workspace: Workspace,
  { search = '', cursor = '', limit = 1_000 }: { readonly search?: string; readonly cursor?: string; readonly limit?: number },
): Promise<RoutePage> {
  const page = await walkNames(workspace, 'frontend', { search: search.toLowerCase(), cursor, limit });
  return { routes: (await readRoutes(workspace, page.names)).map(({ route }) => route), cursor: page.cursor };
}

/** @throws Problem `not-found` */
export async function readRoute(workspace: Workspace, vHost: string): Promise<TaggedRoute> {
  const name = touchable(workspace, frontendName(vHost));
  const [found] = await readRoutes(workspace, [name]);
  if (found === undefined) throw notFound('Route');
  return found;
}

/** Makes a route. @throws Problem `exists` when there is one of that name */
export function createRoute(workspace: Workspace, body: RouteBody): Promise<Written<RouteDocument>> {
  return writeRoute(workspace, body, 'create', {});
}

/** Makes a route, or replaces it as a whole: what the body lacks has its default then. */
export function putRoute(workspace: Workspace, body: RouteBody, conditions: WriteConditions): Promise<Written<RouteDocument>> {
  return writeRoute(workspace, body, 'put', conditions);
}

/** Changes members of a route; null takes one away, and backends are replaced as a whole (RFC 7396). */
export async function patchRoute(
  workspace: Workspace,
  vHost: string,
  body: RoutePatchBody,
  conditions: WriteConditions,
): Promise<Written<RouteDocument>> {
  const name = touchable(workspace, frontendName(vHost));
  if (body.vHost !== undefined && frontendName(body.vHost) !== name)
    throw new Problem('invalid-body', 'Validation Error', [
      { pointer: '/vHost', detail: 'cannot be changed; make another route' },
    ]);
  const plan: PlanRoute = (list, policy) => ({
    list:
      body.backends === undefined
        ? [body.id ?? list[0] ?? name, ...list.slice(1)]
        : listOf(body.id ?? list[0] ?? name, body.backends, list),
    policy: patchedPolicy(policy, body),
  });
  return write(workspace, { name, action: 'patch', conditions, ssl: body.ssl, plan, mustBe: 'there' });
}

/** @throws Problem `not-found` */
export async function deleteRoute(
  workspace: Workspace,
  vHost: string,
  conditions: WriteConditions,
): Promise<{ readonly revision: number }> {
  const name = touchable(workspace, frontendName(vHost));
  const addresses: readonly RecordAddress[] = [
    { kind: 'frontend', name },
    { kind: 'route', name },
    { kind: 'healthcheck', name },
  ];
  const { revision } = await writeRecords(
    workspace,
    { action: 'delete', target: `route ${name}` },
    addresses,
    ([list, policy]) => {
      checkConditions(conditions, isThere(list!), routeTag(list!.values, policy!.values));
      if (!isThere(list!)) throw notFound('Route');
      return { after: [[], [], []] };
    },
  );
  return { revision };
}

/** New list and policy of a route, from those that are there. @throws Problem */
export type PlanRoute = (
  list: readonly string[],
  policy: readonly string[],
) => { readonly list: readonly string[]; readonly policy: readonly string[] };

/**
 * Changes the list or the policy of a route that is there.
 * @param action for the history
 */
export function changeRoute(
  workspace: Workspace,
  vHost: string,
  action: string,
  conditions: WriteConditions,
  plan: PlanRoute,
): Promise<Written<RouteDocument>> {
  const name = touchable(workspace, frontendName(vHost));
  return write(workspace, { name, action, conditions, ssl: undefined, plan, mustBe: 'there' });
}

/** Reads routes; names without a list are left out. */
export async function readRoutes({ store }: Workspace, names: readonly string[]): Promise<TaggedRoute[]> {
  const [records, certificates] = await Promise.all([
    store.readFrontends(names),
    Promise.all(names.map((name) => store.readRecord('tls', certificateName(name)))),
  ]);
  return records.flatMap((record, at) => (exists(record) ? [tagged(record, certificates[at] as StoredRecord)] : []));
}

function exists({ list, fault }: FrontendRecord): boolean {
  return list.length > 0 || fault !== '';
}

function tagged(record: FrontendRecord, certificate: StoredRecord): TaggedRoute {
  const pem = fieldsOf(certificate).get('certificate') ?? '';
  return { route: routeDocument(record, pem), etag: routeTag(record.list, record.policy) };
}

/** The tag of what people write of a route; whether its backends are dead is no part of it. */
function routeTag(list: readonly string[], policy: readonly string[]): string {
  return etagOf([list, sortedRecord('route', policy)]);
}

async function writeRoute(
  workspace: Workspace,
  body: RouteBody,
  action: 'create' | 'put',
  conditions: WriteConditions,
): Promise<Written<RouteDocument>> {
  const name = touchable(workspace, frontendName(body.vHost));
  // Made once, since the plan may be asked again.
  const fresh = randomUUID();
  const plan: PlanRoute = (list, policy) => ({
    list: listOf(body.id ?? list[0] ?? fresh, body.backends, list),
    policy: policyOf(body, list.length === 0 ? null : policy),
  });
  return write(workspace, { name, action, conditions, ssl: body.ssl, plan, mustBe: action === 'create' ? 'absent' : 'any' });
}

interface RouteWrite {
  readonly name: string;
  readonly action: string;
  readonly conditions: WriteConditions;
  readonly ssl: RouteBody['ssl'];
  readonly plan: PlanRoute;
  readonly mustBe: 'absent' | 'there' | 'any';
}

async function write(
  workspace: Workspace,
  { name, action, conditions, ssl, plan, mustBe }: RouteWrite,
): Promise<Written<RouteDocument>> {
  const host = certificateName(name);
  const addresses: readonly RecordAddress[] = [
    { kind: 'frontend', name },
    { kind: 'route', name },
    ...(ssl === undefined ? [] : [{ kind: 'tls' as const, name: host }]),
  ];
  let created = false;
  let made: ReturnType<PlanRoute> = { list: [], policy: [] };
  const { revision } = await writeRecords(workspace, { action, target: `route ${name}` }, addresses, ([list, policy, tls]) => {
    const there = isThere(list!);
    if (mustBe === 'there' && !there) throw notFound('Route');
    const fault = list!.fault || policy!.fault;
    // A change of a part would lose what could not be read.
    if (mustBe === 'there' && fault !== '') throw new Problem('conflict', `${fault}: PUT replaces it`);
    if (mustBe === 'absent' && there) throw new Problem('exists', `There is a route ${name} already; PUT replaces it`);
    checkConditions(conditions, there, routeTag(list!.values, policy!.values));
    created = !there;
    made = plan(list!.values, policy!.values);
    const certificate = ssl === undefined ? [] : [sslValues(workspace, host, ssl, tls!, '/ssl')];
    return { after: [made.list, made.policy, ...certificate] };
  });
  const [[found], warnings] = await Promise.all([
    readRoutes(workspace, [name]),
    warningsOf(workspace.store, name, made.list, made.policy),
  ]);
  // Where the read side lags behind, or somebody has removed it since: what was written is told.
  const value = found?.route ?? routeDocument(writtenRecord(name, made), '');
  return { value, etag: routeTag(made.list, made.policy), revision, created, warnings };
}

function writtenRecord(name: string, { list, policy }: ReturnType<PlanRoute>): FrontendRecord {
  return { name, list, policy, dead: [], marks: [], deadUntil: Number.POSITIVE_INFINITY, policyFault: '', fault: '' };
}
