// A route as a program describes it, to the records that the store keeps of it: the list, the policy, the certificate.
import type { AuthCallback } from '../auth/callback.js';
import { shownValue } from '../config/config-error.js';
import { settingNotes } from '../config/fields.js';
import { nearestName } from '../config/nearest.js';
import { parseBackends } from '../model/parse-backends.js';
import { checkField, type PolicyField } from '../model/policy/field.js';
import { policyFields } from '../model/policy/policy.js';
import { normaliseHost } from '../routing/host-name.js';
import { normalPrefix } from '../routing/path-normal.js';
import { backendEntry } from './backend-entry.js';
import { readSsl } from './read-ssl.js';
import { RouteConfigError } from './route-config-error.js';
import type { BackendConfig, RouteConfig, RouteSsl } from './types.js';

/** What is written for a route. */
export interface RouteRecords {
  /** Name of the frontend. */
  readonly name: string;
  readonly identifier: string;
  /** Entries of the list, and the backends by the ids that they have there. */
  readonly entries: readonly string[];
  readonly backends: readonly (BackendConfig & { readonly id: string; readonly port: number })[];
  /** Names and values in turn of the `route:` hash. */
  readonly policy: readonly string[];
  /** Null: the route has none of its own. */
  readonly ssl: RouteSsl | null;
  /** A function that was given as `authProvider`, and the name that the policy has for it. */
  readonly callback: { readonly name: string; readonly run: AuthCallback } | null;
}

/** What a route has where its description says nothing. */
const standard = { reqActiveLength: 50, reqQueueLength: 100 };

const fields: ReadonlyMap<string, PolicyField> = new Map(Object.entries(policyFields));
const ownMembers = ['vHost', 'backends', 'ssl'];

/**
 * Checks a description.
 * @throws RouteConfigError for the first thing that is wrong with it
 */
export function parseRouteConfig(config: RouteConfig): RouteRecords {
  if (typeof config !== 'object' || config === null)
    throw new RouteConfigError('?', `is ${shownValue(config)}; allowed: an object`);
  const { vHost, backends, ssl, id, ...policy } = config;
  const name = parseVHost(vHost);
  const identifier = id ?? name;
  if (typeof identifier !== 'string' || identifier === '' || identifier.length > 200)
    throw new RouteConfigError(name, `id is ${shownValue(id)}; allowed: a text of up to 200 characters`);
  if (!Array.isArray(backends)) throw new RouteConfigError(name, `backends is ${shownValue(backends)}; allowed: a list`);
  const entries = (backends as readonly BackendConfig[]).map((backend, at) => backendEntry(backend, name, at));
  const parsed = parseBackends(entries);
  if (parsed.faults.length > 0) throw new RouteConfigError(name, parsed.faults[0] as string);
  const callback =
    typeof policy.authProvider === 'function' ? { name: `function:${callbackName(name)}`, run: policy.authProvider } : null;
  return {
    name,
    identifier,
    entries,
    backends: parsed.backends.map(({ id: backendId, port }, at) => ({ ...(backends[at] as BackendConfig), id: backendId, port })),
    policy: policyPairs(name, callback === null ? policy : { ...policy, authProvider: callback.name }),
    ssl: ssl === undefined ? null : readSsl(ssl, name),
    callback,
  };
}

/**
 * The name of a frontend: host in lower case, prefix as it is matched.
 * @throws RouteConfigError when it cannot be one
 */
export function parseVHost(vHost: unknown): string {
  if (typeof vHost === 'string') {
    const slash = vHost.indexOf('/');
    const host = parseHost(slash === -1 ? vHost : vHost.slice(0, slash));
    if (host !== null) return slash === -1 ? host : host + normalPrefix(vHost.slice(slash));
  }
  const allowed = 'a host such as "api.example.com", "*.example.com" or "*", with a path prefix or without';
  throw new RouteConfigError('?', `vHost is ${shownValue(vHost)}; allowed: ${allowed}`);
}

function parseHost(text: string): string | null {
  if (text === '*') return text;
  // An empty port is fit for a request; here it is the beginning of a URL.
  if (text.endsWith(':')) return null;
  const wildcard = text.startsWith('*.');
  const name = normaliseHost(wildcard ? text.slice(2) : text);
  if (name === null || name.host === '' || (wildcard && name.host.startsWith('['))) return null;
  return `${wildcard ? '*.' : ''}${name.host}${name.port === '' ? '' : `:${name.port}`}`;
}

/** What a name of a function may have; two routes whose names differ in other characters would share one. */
function callbackName(frontend: string): string {
  return frontend.replace(/[^\w.:@/-]/g, (character) => `@${character.charCodeAt(0).toString(16)}`).slice(0, 190);
}

function policyPairs(route: string, policy: Readonly<Record<string, unknown>>): string[] {
  const pairs: string[] = [];
  for (const [name, written] of Object.entries({ ...standard, ...withoutAbsent(policy) })) {
    const field = fields.get(name);
    if (field === undefined) throw new RouteConfigError(route, `${name} is not a known field${nearest(name)}`);
    const value = withUnit(field, written);
    const reading = checkField(field, value);
    if (reading.kind === 'fault') throw new RouteConfigError(route, `${name} ${reading.text}`);
    pairs.push(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return pairs;
}

/** Members that are there but say nothing are as good as absent. */
function withoutAbsent(policy: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined && value !== null));
}

/** Numbers of programs are milliseconds, those of records seconds. */
function withUnit(field: PolicyField, value: unknown): unknown {
  return typeof value === 'number' && settingNotes.get(field.schema)?.kind === 'duration' ? `${value}ms` : value;
}

function nearest(name: string): string {
  const known = nearestName(name, [...fields.keys(), ...ownMembers]);
  return known === undefined ? '' : `; the nearest known one is ${known}`;
}
