// Why a request goes where it goes: which names were tried, which frontend serves it, how its backends stand, what its policy asks for.
import { isIP } from 'node:net';
import { plainAddress } from '../base/ip.js';
import { LocalMarks } from '../health/local-marks.js';
import { standingsOf } from '../health/standing.js';
import type { FrontendRecord, Route } from '../model/frontend.js';
import { type PolicyField, readField } from '../model/policy/field.js';
import { policyFields, type RoutePolicy, standardPolicy } from '../model/policy/policy.js';
import { traceRoute } from '../routing/trace-route.js';
import type { Store } from '../store/store.js';

/** What is asked about. */
export interface ExplainQuestion {
  /** `http://` or `https://`. */
  readonly url: URL;
  /** Address of the client; empty: not known. */
  readonly from: string;
  /** Names in lower case and values. */
  readonly headers: ReadonlyMap<string, string>;
}

/** A backend and how it stands. */
export interface ExplainedBackend {
  readonly id: string;
  readonly entry: string;
  /** `ejected`: requests made the mark, `dead`: somebody or a probe did. */
  readonly standing: 'alive' | 'maintenance' | 'dead' | 'ejected';
  /** When a breaker lets a request through again, ISO 8601; absent: there is none that is open. */
  readonly retryAt?: string;
  /** As it is in force; 0: no new sessions. */
  readonly weight: number;
  readonly backup: boolean;
  /** Empty: of none. */
  readonly group: string;
}

/** All that can be told; a JSON document. */
export interface Explanation {
  readonly url: string;
  /** Path as it is matched. */
  readonly path: string;
  /** The host pattern that decided; empty: none matches. */
  readonly pattern: string;
  readonly tried: readonly { readonly name: string; readonly found: 'list' | 'nothing' | 'fault' }[];
  /** Null: nobody serves it. */
  readonly frontend: string | null;
  readonly identifier: string;
  readonly backends: readonly ExplainedBackend[];
  /** Fields of the hash that differ from their defaults, as they were written; secrets hidden. */
  readonly policy: Readonly<Record<string, string>>;
  /** What happens, step by step. */
  readonly steps: readonly string[];
  /** One line each. */
  readonly faults: readonly string[];
}

const fields: ReadonlyMap<string, PolicyField> = new Map(Object.entries(policyFields));

/** Rejects when the store cannot be asked. */
export async function explainRequest(store: Store, question: ExplainQuestion): Promise<Explanation> {
  const { url } = question;
  const asked = question.headers.get('host') ?? url.host;
  const secure = url.protocol === 'https:';
  const trace = await traceRoute(store, { authority: asked, target: `${url.pathname}${url.search}`, secure });
  const { route } = trace;
  const backends = route === null ? [] : backendsOf(route);
  return {
    url: url.href,
    path: trace.path,
    pattern: trace.pattern,
    tried: trace.tried.map((record) => ({ name: record.name, found: foundIn(record) })),
    frontend: route?.frontend ?? null,
    identifier: route?.identifier ?? '',
    backends,
    policy: route === null ? {} : changedFields(trace.tried.at(-1)?.policy ?? []),
    steps: trace.validHost ? stepsOf(route, backends, question) : ['400 bad-host: this is no host that can be looked up'],
    faults: trace.faults,
  };
}

function foundIn(record: FrontendRecord): 'list' | 'nothing' | 'fault' {
  if (record.fault !== '') return 'fault';
  return record.list.length > 0 ? 'list' : 'nothing';
}

/** What this process knows of marks is what the store says. */
function backendsOf(route: Route): ExplainedBackend[] {
  const standings = standingsOf(route, new LocalMarks(), Date.now());
  return route.backends.map((backend, position) => {
    const { id, entry, backup, group } = backend;
    const standing = standings[position] ?? { kind: 'alive' };
    const retryAt = standing.kind === 'ejected' ? standing.mark.retryAt : undefined;
    const weight = route.policy?.weights?.[id] ?? backend.weight;
    const open = retryAt === undefined ? {} : { retryAt: new Date(retryAt).toISOString() };
    return { id, entry, standing: standing.kind, ...open, weight, backup, group };
  });
}

function changedFields(pairs: readonly string[]): Record<string, string> {
  const changed: Record<string, string> = {};
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const name = pairs[at] as string;
    const field = fields.get(name);
    if (field === undefined) continue;
    const reading = readField(field, pairs[at + 1] as string);
    if (reading.kind === 'fault' || isStandard(name, reading.value)) continue;
    changed[name] = field.hidden === true ? 'CENSORED' : (pairs[at + 1] as string);
  }
  return changed;
}

function isStandard(name: string, value: unknown): boolean {
  return JSON.stringify(value) === JSON.stringify(standardPolicy[name as keyof RoutePolicy]);
}

/** In the order of the pipeline; the first that ends the request is the last line. */
function stepsOf(route: Route | null, backends: readonly ExplainedBackend[], question: ExplainQuestion): string[] {
  if (route === null) return ['400 unknown-frontend: nobody serves this host and path'];
  if (route.fault !== '') return [`502 bad-frontend-record: ${route.fault}`];
  const steps: string[] = [];
  const end = route.policy === null ? '' : policySteps(route.policy, question, steps);
  steps.push(end === '' ? backendStep(route, backends) : end);
  return steps;
}

/** Adds what is only passed. @returns what ends the request, or empty */
function policySteps(policy: RoutePolicy, { url, from, headers }: ExplainQuestion, steps: string[]): string {
  const plain = url.protocol === 'http:';
  const client = plainAddress(from);
  if (plain && (policy.autoHttps || policy.requireHttps)) return '308 to the same place over HTTPS';
  if (policy.redirectTo !== undefined && policy.redirectTo.authority !== url.host)
    return `${policy.redirectTo.status} to ${policy.redirectTo.scheme ?? url.protocol.slice(0, -1)}://${policy.redirectTo.authority}${policy.redirectTo.base}`;
  if (policy.maintenance != null && policy.maintenanceAllow?.has(client) !== true) return '503 maintenance';
  if (isIP(client) === 0) {
    if (policy.allow !== undefined || policy.deny !== undefined)
      steps.push('allow and deny hang on the address of the client: say it with --from');
  } else if (policy.deny?.has(client) === true || policy.allow?.has(client) === false) return `403 address-denied: ${client}`;
  if (policy.authProvider !== undefined) steps.push(`asks auth:${policy.authProvider}`);
  if (policy.tier !== undefined) steps.push(`is counted in the tier ${policy.tier}`);
  if (policy.reqActiveLength !== undefined)
    steps.push(`waits while ${policy.reqActiveLength} are in flight, in a line of ${policy.reqQueueLength}`);
  const group = policy.split?.header === undefined ? undefined : headers.get(policy.split.header.toLowerCase());
  if (policy.split !== undefined && group !== undefined && policy.split.groups.some(({ name }) => name === group))
    steps.push(`goes to the group ${group}`);
  return '';
}

function backendStep({ policy }: Route, backends: readonly ExplainedBackend[]): string {
  const alive = backends.filter(({ standing }) => standing === 'alive');
  if (backends.length === 0) return '502 no-backend: the list names no backend';
  if (alive.length === 0 && policy?.health?.panic !== true) return '502 no-backend: none of them is alive';
  const usable = alive.filter(({ weight }) => weight > 0);
  const first = usable.some(({ backup }) => !backup) ? usable.filter(({ backup }) => !backup) : usable;
  const ids = first.map(({ id }) => id).join(', ');
  return first.length === 0
    ? 'goes to whom a session or a panic leads it'
    : `goes to ${ids}, by ${policy?.strategy ?? 'the strategy of the server'}`;
}
