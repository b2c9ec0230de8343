// A route as callers see it, and the records that it is: the list, the policy, the certificate beside them.

import { LocalMarks } from '../../health/local-marks.js';
import { standingsOf } from '../../health/standing.js';
import { backendEntry } from '../../library/backend-entry.js';
import type { Backend } from '../../model/backend.js';
import type { FrontendRecord, Route } from '../../model/frontend.js';
import { parseBackends } from '../../model/parse-backends.js';
import { type PolicyField, readField } from '../../model/policy/field.js';
import { parsePolicy, policyFields } from '../../model/policy/policy.js';
import { compileRoute } from '../../routing/compile-route.js';
import { invalidBody } from '../problem.js';
import { redacted } from './concealed.js';
import type { BackendBody } from './schemas.js';

/** A backend as callers see it. */
export interface BackendDocument extends BackendBody {
  readonly id: string;
  readonly isDead: boolean;
  readonly failureCount: number;
}

/** A route as callers see it; further members are fields of its policy. */
export interface RouteDocument {
  readonly id: string;
  readonly vHost: string;
  readonly strategy: unknown;
  readonly autoHttps: unknown;
  readonly backends: readonly BackendDocument[];
  /** The key is never told. */
  readonly ssl?: { readonly cert: string; readonly key: string };
  /** What cannot be understood of the stored route. */
  readonly faults?: readonly string[];
  readonly [field: string]: unknown;
}

const fields: ReadonlyMap<string, PolicyField> = new Map(Object.entries(policyFields));
const noMarks = new LocalMarks();

/** What is told of a route whose policy does not say it: sent back it means that it still does not. */
const shown: Readonly<Record<string, unknown>> = { strategy: 'RANDOM', autoHttps: false };

/** Limits of a route that was made here and names none; frontends that were made otherwise are unlimited. */
const standardLimits: Readonly<Record<string, number>> = { reqActiveLength: 50, reqQueueLength: 100 };

/** @param certificate PEM; empty: there is none under its very name */
export function routeDocument(record: FrontendRecord, certificate: string): RouteDocument {
  const { route, faults } = compileRoute(record.name, [record]);
  const policy = policyMembers(record.policy);
  const weights = parsePolicy(record.policy).policy.weights ?? {};
  return {
    ...policy,
    id: record.list[0] ?? '',
    vHost: record.name,
    strategy: policy.strategy ?? shown.strategy,
    autoHttps: policy.autoHttps ?? shown.autoHttps,
    backends: backendDocuments(route, weights),
    ...(certificate === '' ? {} : { ssl: { cert: certificate, key: redacted } }),
    ...(faults.length === 0 ? {} : { faults }),
  };
}

function backendDocuments(route: Route, weights: Readonly<Record<string, number>>): BackendDocument[] {
  const standings = standingsOf(route, noMarks, Date.now());
  return route.backends.map((backend, at) => {
    const standing = standings[at] ?? { kind: 'alive' as const };
    const mark = route.records.flatMap(({ marks }) => marks).find(({ entry }) => entry === backend.entry || entry === backend.id);
    const isDead = standing.kind !== 'alive';
    const byRequests = standing.kind === 'ejected';
    return {
      ...addressOf(backend),
      isDead,
      ...(isDead && (mark?.since ?? 0) > 0 ? { deadSince: mark?.since as number } : {}),
      failureCount: byRequests ? Math.max(1, standing.mark.opens ?? 1) : 0,
      ...(standing.kind === 'maintenance' ? { maintenance: true } : {}),
      ...(weights[backend.id] === 0 ? { draining: true } : {}),
    };
  });
}

/** What an entry says of its backend, without what is so by default. */
function addressOf({
  id,
  scheme,
  host,
  port,
  socketPath,
  weight,
  backup,
  group,
  proxyProtocol,
}: Backend): BackendBody & { readonly id: string } {
  return {
    id,
    ...(socketPath === '' ? { hostname: host, port } : { socket: socketPath }),
    ...(scheme === 'http' ? {} : { protocol: scheme }),
    ...(weight === 1 ? {} : { weight }),
    ...(backup ? { backup } : {}),
    ...(group === '' ? {} : { group }),
    ...(proxyProtocol === 'none' ? {} : { proxyProtocol }),
  };
}

/** The fields of a policy as JSON values, those that cannot be understood as they were written. */
function policyMembers(pairs: readonly string[]): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const [name, text] = [pairs[at] as string, pairs[at + 1] as string];
    const field = fields.get(name);
    if (field !== undefined && name !== 'id') members[name] = fieldValue(field, text);
  }
  return members;
}

function fieldValue(field: PolicyField, text: string): unknown {
  if (field.notation === 'text' || readField(field, text).kind === 'fault') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * The list that a body asks for. An entry that says what is asked for already stays as somebody wrote it.
 * @param before the list as it is
 */
export function listOf(identifier: string, backends: readonly BackendBody[], before: readonly string[]): string[] {
  const known = new Map(parseBackends(before.slice(1)).backends.map((backend) => [backend.id, backend]));
  const entries = backends.map((backend, at) => {
    const entry = entryOf(backend, at);
    const [wanted] = parseBackends([entry]).backends;
    const old = wanted === undefined ? undefined : known.get(wanted.id);
    return old !== undefined && wanted !== undefined && sameAddress(old, wanted) ? old.entry : entry;
  });
  const { faults } = parseBackends(entries);
  if (faults.length > 0) throw invalidBody(faults.map((detail) => ({ pointer: '/backends', detail })));
  const ids = backends.map(({ id }) => id).filter((id) => id !== undefined);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) throw invalidBody([{ pointer: '/backends', detail: `the id ${JSON.stringify(twice)} is used twice` }]);
  return [identifier, ...entries];
}

function sameAddress(one: Backend, other: Backend): boolean {
  return JSON.stringify(addressOf(one)) === JSON.stringify(addressOf(other));
}

/** The entry of a list for a backend, e.g. `http://10.0.0.1:80#id=node-1&weight=2`. */
export function entryOf(backend: BackendBody, at = 0): string {
  const { hostname = '', socket, id, port, protocol, weight, backup, group, proxyProtocol } = backend;
  if (socket === undefined) {
    const members = { id, port, protocol, weight, backup, group, proxyProtocol };
    const known = Object.entries(members).filter(([, value]) => value !== undefined);
    return backendEntry({ hostname, ...Object.fromEntries(known) }, '?', at);
  }
  const options = new URLSearchParams({
    ...(id === undefined ? {} : { id }),
    ...(weight === undefined ? {} : { weight: String(weight) }),
    ...(backup === true ? { backup: 'true' } : {}),
    ...(group === undefined ? {} : { group }),
    ...(proxyProtocol === undefined || proxyProtocol === 'none' ? {} : { proxyProtocol }),
  });
  return `unix:${socket}${options.size === 0 ? '' : `#${options}`}`;
}

/**
 * The `route:` hash that a body asks for: names and values in turn.
 * @param before the hash as it is; null: the route is new
 */
export function policyOf(body: Readonly<Record<string, unknown>>, before: readonly string[] | null): string[] {
  const written: Record<string, unknown> = {};
  for (const [name, standard] of Object.entries(standardLimits)) {
    // A frontend that somebody made without limits stays without them.
    if (before === null || fieldIn(before, name) !== undefined) written[name] = standard;
  }
  for (const name of fields.keys()) {
    if (name === 'id') continue;
    const value = body[name];
    if (value === null) delete written[name];
    else if (value !== undefined && !isSilent(name, value, before)) written[name] = value;
  }
  const kept = fieldIn(before ?? [], 'id');
  const pairs = Object.entries(written).flatMap(([name, value]) => [name, fieldText(value)]);
  return inOrderOf(before ?? [], kept === undefined ? pairs : ['id', kept, ...pairs]);
}

/** Whether a value is what is told of a policy that lacks the field, and this one does. A new route has a strategy of its own. */
function isSilent(name: string, value: unknown, before: readonly string[] | null): boolean {
  return shown[name] === value && fieldIn(before ?? [], name) === undefined && (before !== null || name !== 'strategy');
}

/** The hash with some fields changed; null takes one away. */
export function patchedPolicy(before: readonly string[], body: Readonly<Record<string, unknown>>): string[] {
  const values = new Map<string, string>();
  for (let at = 0; at + 1 < before.length; at += 2) values.set(before[at] as string, before[at + 1] as string);
  for (const name of fields.keys()) {
    const value = name === 'id' ? undefined : body[name];
    if (value === null) values.delete(name);
    else if (value !== undefined) values.set(name, fieldText(value));
  }
  return inOrderOf(before, [...values].flat());
}

function fieldText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function fieldIn(pairs: readonly string[], name: string): string | undefined {
  const at = pairs.findIndex((text, place) => place % 2 === 0 && text === name);
  return at === -1 ? undefined : pairs[at + 1];
}

/** Fields that were there before keep their place, and their text where it means the same: nothing is written then. */
function inOrderOf(before: readonly string[], pairs: readonly string[]): string[] {
  const wanted = new Map<string, string>();
  for (let at = 0; at + 1 < pairs.length; at += 2) wanted.set(pairs[at] as string, pairs[at + 1] as string);
  const ordered: string[] = [];
  for (let at = 0; at + 1 < before.length; at += 2) {
    const [name, old] = [before[at] as string, before[at + 1] as string];
    const text = wanted.get(name);
    const field = fields.get(name);
    if (text === undefined) continue;
    wanted.delete(name);
    const same = field !== undefined && JSON.stringify(fieldValue(field, old)) === JSON.stringify(fieldValue(field, text));
    ordered.push(name, same ? old : text);
  }
  return [...ordered, ...[...wanted].flat()];
}
