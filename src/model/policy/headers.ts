// Policy: header lines that are set, added or removed, for the backend and for the client, and the Host that a backend gets.
import * as z from 'zod';
import { hiding, jsonField, textField } from './field.js';
import { Disallowed, isObject, parsedBy } from './parsed-by.js';
import { parseTemplate, type Template } from './template.js';

/** One change of a head. Later changes win. */
export type HeaderChange =
  | {
      /** `set` takes the place of all lines of that name; `add` stands beside them. A value that comes out empty is not sent. */
      readonly kind: 'set' | 'add';
      readonly name: string;
      readonly value: Template;
    }
  | { readonly kind: 'remove'; readonly name: string };

/** Changes by whom they are for. */
export interface HeaderChanges {
  readonly request: readonly HeaderChange[];
  readonly response: readonly HeaderChange[];
}

type Direction = 'request' | 'response';

/** Lines of one connection, and those that say where a message ends (RFC 9110 section 7.6.1, RFC 9112 section 6): never a policy's. */
const ownedByConnection: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'http2-settings',
]);

const ownedByDirection: Readonly<Record<Direction, ReadonlyMap<string, string>>> = {
  request: new Map([
    ['host', 'the field hostHeader for Host'],
    ['expect', 'names other than Expect, which the proxy answers for'],
  ]),
  response: new Map([['date', 'names other than Date, which the proxy answers for']]),
};

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/;
const most = 64;
const forms =
  'an object of names and values (null removes), or a list of {"set": name, "value": …}, {"add": name, "value": …}, {"remove": name}';

const prefixes: Readonly<Record<string, readonly Direction[]>> = {
  req: ['request'],
  res: ['response'],
  any: ['request', 'response'],
};

/** `res:Name` is meant for the client, `any:Name` for both. */
function parseChanges(written: unknown, standard: Direction): HeaderChanges | Disallowed {
  const steps = Array.isArray(written) ? written.map(stepOf) : isObject(written) ? Object.entries(written).map(memberOf) : null;
  if (steps === null) return new Disallowed(forms);
  if (steps.length > most) return new Disallowed(`at most ${most} changes`);
  const changes = { request: [] as HeaderChange[], response: [] as HeaderChange[] };
  for (const step of steps) {
    if (step instanceof Disallowed) return step;
    const place = /^(req|res|any):(.*)$/.exec(step.name);
    for (const direction of place === null ? [standard] : (prefixes[place[1] as string] as readonly Direction[])) {
      const change = changeOf(step, place === null ? step.name : (place[2] as string), direction);
      if (change instanceof Disallowed) return change;
      changes[direction].push(change);
    }
  }
  return changes;
}

/** A change before its name and its value were looked at. */
interface Step {
  readonly kind: HeaderChange['kind'];
  readonly name: string;
  readonly value: unknown;
}

function memberOf([name, value]: [string, unknown]): Step {
  return { kind: value === null ? 'remove' : 'set', name, value };
}

function stepOf(entry: unknown): Step | Disallowed {
  if (!isObject(entry)) return new Disallowed(forms);
  const { set, add, remove, value, ...others } = entry;
  // Lists of an older proxy: who it is for, name and value.
  const { type, key, ...unknown } = others;
  if (Object.keys(unknown).length > 0) return new Disallowed(forms);
  if (type !== undefined || key !== undefined) {
    const known = typeof type === 'string' && Object.hasOwn(prefixes, type) && typeof key === 'string';
    const mixed = set !== undefined || add !== undefined || remove !== undefined;
    return known && !mixed ? { kind: 'set', name: `${type}:${key}`, value } : new Disallowed(forms);
  }
  const kinds = Object.entries({ set, add, remove }).filter(([, name]) => name !== undefined);
  const [kind, name] = kinds[0] ?? [];
  if (kinds.length !== 1 || typeof name !== 'string') return new Disallowed(forms);
  if (kind === 'remove' && value !== undefined) return new Disallowed(forms);
  return { kind: kind as HeaderChange['kind'], name, value };
}

function changeOf({ kind, value }: Step, name: string, direction: Direction): HeaderChange | Disallowed {
  if (!token.test(name)) return new Disallowed('header names of letters, digits and hyphens, up to 100');
  const lower = name.toLowerCase();
  if (ownedByConnection.has(lower)) return new Disallowed(`names other than ${name}, which belongs to the connection`);
  const instead = ownedByDirection[direction].get(lower);
  if (instead !== undefined) return new Disallowed(instead);
  if (kind === 'remove') return { kind, name };
  if (typeof value !== 'string' && typeof value !== 'number') return new Disallowed(`a text as the value of ${name}`);
  const template = parseTemplate(String(value));
  if (template instanceof Disallowed) return new Disallowed(`in the value of ${name} ${template.allowed}`);
  return { kind, name, value: template };
}

const hostHeaderAllowed = '"pass", "backend", or a host such as "app.internal" or "app.internal:8080"';
/** `uri-host [ ":" port ]` (RFC 9110 section 7.2). */
const literalHost = /^(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

export const headerFields = {
  /** For the backend, names with the prefix `res:` for the client. */
  headers: hiding(jsonField(parsedBy((written) => parseChanges(written, 'request')))),
  /** For the client; also on answers that the proxy makes for the frontend. */
  responseHeaders: hiding(jsonField(parsedBy((written) => parseChanges(written, 'response')))),
  /** The Host that a backend gets: the client's, the backend's own address, or a host. */
  hostHeader: textField(z.string().regex(literalHost, hostHeaderAllowed).default('pass')),
};
