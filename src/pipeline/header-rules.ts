// What the policy of a frontend changes in the heads that pass: lines set, added and removed, with variables filled in.
import type { Exchange } from '../exchange/exchange.js';
import { namesForwarded } from '../exchange/outgoing-changes.js';
import { allNames, HeaderNames } from '../http1/header-names.js';
import type { ResponseHead } from '../http1/message.js';
import type { Backend } from '../model/backend.js';
import type { HeaderChange } from '../model/policy/headers.js';
import type { RoutePolicy } from '../model/policy/policy.js';
import type { Template, VariableName } from '../model/policy/template.js';

/** A line whose value is known once there is an exchange. */
interface PlannedLine {
  readonly name: string;
  readonly value: Template;
}

/** Changes of one head, put together: what is left out, then what is added. */
interface HeaderPlan {
  /** Lower case. */
  readonly removed: ReadonlySet<string>;
  /** Whether the proxy's own lines are among them. */
  readonly removesForwarded: boolean;
  /** Lines with a variable in them, and between them the text of all others. */
  readonly lines: readonly (PlannedLine | string)[];
  /** All of it where nothing has a variable, else null. */
  readonly fixed: string | null;
  /** Whether they name the backend, so that they are those of one attempt. */
  readonly namesBackend: boolean;
}

interface HeaderPlans {
  /** Null: nothing is changed. */
  readonly request: HeaderPlan | null;
  readonly response: HeaderPlan | null;
  /** The same for clients that came over HTTPS. */
  readonly secureResponse: HeaderPlan | null;
}

/** A policy lives as long as its route; its plans are made on first use. */
const plans = new WeakMap<RoutePolicy, HeaderPlans>();

const noPlans: HeaderPlans = Object.freeze({ request: null, response: null, secureResponse: null });

function plansOf(policy: RoutePolicy): HeaderPlans {
  if (policy.headers === undefined && policy.responseHeaders === undefined && policy.hsts === undefined) return noPlans;
  const known = plans.get(policy);
  if (known !== undefined) return known;
  const { headers, responseHeaders, hsts = '' } = policy;
  const forClient = [...(headers?.response ?? []), ...(responseHeaders?.response ?? [])];
  const response = planOf(forClient);
  const made: HeaderPlans = {
    request: planOf(headers?.request ?? []),
    response,
    // RFC 6797 section 7.2: not over plain HTTP. A header of that name among the others wins.
    secureResponse: hsts === '' ? response : planOf([hstsChange(hsts), ...forClient]),
  };
  plans.set(policy, made);
  return made;
}

function hstsChange(value: string): HeaderChange {
  return { kind: 'set', name: 'Strict-Transport-Security', value: { literals: [value], variables: [] } };
}

/** Whether a change counts is known before any request: a later `set` or `remove` undoes what came before it. */
function planOf(changes: readonly HeaderChange[]): HeaderPlan | null {
  if (changes.length === 0) return null;
  const removed = new HeaderNames();
  let lines: PlannedLine[] = [];
  for (const change of changes) {
    const lower = change.name.toLowerCase();
    if (change.kind !== 'add') {
      removed.add(lower);
      lines = lines.filter(({ name }) => name.toLowerCase() !== lower);
    }
    if (change.kind !== 'remove') lines.push({ name: change.name, value: change.value });
  }
  const parts = joined(lines);
  const fixed = parts.every((part) => typeof part === 'string') ? parts.join('') : null;
  const namesBackend = lines.some(({ value }) => value.variables.includes('backend'));
  return { removed, removesForwarded: namesForwarded(removed), lines: parts, fixed, namesBackend };
}

/** Lines that are always the same become one text. */
function joined(lines: readonly PlannedLine[]): (PlannedLine | string)[] {
  const parts: (PlannedLine | string)[] = [];
  for (const planned of lines) {
    const { name, value } = planned;
    const last = parts.at(-1);
    if (value.variables.length > 0) parts.push(planned);
    else if (typeof last === 'string') parts[parts.length - 1] = last + line(name, value.literals[0] as string);
    else parts.push(line(name, value.literals[0] as string));
  }
  return parts;
}

/** Once a request, after all stages that add lines of their own. */
export function changeRequest(exchange: Exchange, policy: RoutePolicy): void {
  const { request } = plansOf(policy);
  if (request !== null) {
    const { changes } = exchange;
    changes.removeAll(request.removed, request.removesForwarded);
    changes.attemptLines = request.fixed ?? linesOf(request, exchange, null);
  }
  if (policy.hostHeader !== 'pass' && policy.hostHeader !== 'backend') exchange.changes.host = policy.hostHeader;
}

/** Once an attempt: what depends on the backend. */
export function changeForAttempt(exchange: Exchange, policy: RoutePolicy, backend: Backend): void {
  if (policy.headers !== undefined) {
    const { request } = plansOf(policy);
    if (request?.namesBackend === true) exchange.changes.attemptLines = linesOf(request, exchange, backend);
  }
  if (policy.hostHeader === 'backend') exchange.changes.host = authorityOf(backend);
}

/**
 * Changes the head of an answer, a backend's or the proxy's own, and adds lines to `exchange.responseLines`. Asked again
 * for another answer of the same exchange, it takes back what it added for the one that was not sent.
 */
export function changedForClient(exchange: Exchange, policy: RoutePolicy, head: ResponseHead): ResponseHead {
  const plan = plansOf(policy);
  const response = exchange.scheme === 'https' ? plan.secureResponse : plan.response;
  if (response === null) return head;
  if (exchange.policyLines !== '') exchange.responseLines = exchange.responseLines.replace(exchange.policyLines, '');
  exchange.policyLines = response.fixed ?? linesOf(response, exchange, exchange.backend);
  exchange.responseLines += exchange.policyLines;
  if (response.removed.size === 0) return head;
  const { connectionNames } = head;
  return { ...head, connectionNames: connectionNames === null ? response.removed : allNames(connectionNames, response.removed) };
}

function linesOf(plan: HeaderPlan, exchange: Exchange, backend: Backend | null): string {
  let text = '';
  for (const part of plan.lines) {
    text += typeof part === 'string' ? part : line(part.name, filledIn(part.value, exchange, backend));
  }
  return text;
}

const blank = 0x20;

/** A line without a value says nothing, as in nginx. */
function line(name: string, value: string): string {
  const inner = value.length > 0 && value.charCodeAt(0) > blank && value.charCodeAt(value.length - 1) > blank;
  const trimmed = inner ? value : value.trim();
  return trimmed === '' ? '' : `${name}: ${trimmed}\r\n`;
}

/** The text of a template for an exchange: nothing in it can end a header line. */
export function filledIn({ literals, variables }: Template, exchange: Exchange, backend: Backend | null): string {
  let text = literals[0] as string;
  for (let at = 0; at < variables.length; at++) {
    text += variableValue(variables[at] as VariableName, exchange, backend) + literals[at + 1];
  }
  return text;
}

/** Addresses and schemes are what they are, and the stage `identify` takes no id that could be anything else; the rest is looked at. */
function variableValue(name: VariableName, exchange: Exchange, backend: Backend | null): string {
  const { head } = exchange;
  switch (name) {
    case 'client_ip':
      return exchange.clientAddress;
    case 'host':
      return safe(hostOf(head.authority));
    case 'authority':
      return safe(head.authority);
    case 'scheme':
      return exchange.scheme;
    case 'method':
      return safe(head.method);
    case 'path':
      return safe(pathOf(head.target));
    case 'query':
      return safe(head.target.slice(pathOf(head.target).length + 1));
    case 'request_id':
      return exchange.id;
    case 'frontend':
      return safe(exchange.route?.frontend ?? '');
    case 'backend':
      return safe(backend?.origin ?? '');
  }
}

/** Without the port; an IPv6 address keeps its brackets. */
export function hostOf(authority: string): string {
  const end = authority.startsWith('[') ? authority.indexOf(']') + 1 : authority.indexOf(':');
  return end <= 0 ? authority : authority.slice(0, end);
}

/** A target without its query. */
export function pathOf(target: string): string {
  const queryAt = target.indexOf('?');
  return queryAt === -1 ? target : target.slice(0, queryAt);
}

/** What no header value has. Requests were checked for it; names of the store and addresses of backends may be anything. */
const unsafe = /[^\x20-\x7e\x80-\xff]/;
const eachUnsafe = /[^\x20-\x7e\x80-\xff]/gu;

function safe(value: string): string {
  return unsafe.test(value) ? value.replace(eachUnsafe, percentEncoded) : value;
}

function percentEncoded(character: string): string {
  return [...Buffer.from(character, 'utf8')].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** As a client of the backend itself would say it: without the port that its scheme has anyway. */
function authorityOf({ host, port, scheme, socketPath }: Backend): string {
  if (socketPath !== '') return 'localhost';
  const name = host.includes(':') ? `[${host}]` : host;
  return port === (scheme === 'https' ? 443 : 80) ? name : `${name}:${port}`;
}
