// The policy of a frontend: what its `route:` hash asks for, field by field, and what is wrong with it.
import { editDistance } from '../../config/nearest.js';
import { accessFields } from './access.js';
import { balancingFields } from './balancing.js';
import { bodyLimitFields } from './body-limit.js';
import { compressionFields } from './compression.js';
import { extraFields } from './extra.js';
import { mostFields, type PolicyField, type PolicyOf, readField, unknownField } from './field.js';
import { headerFields } from './headers.js';
import { healthFields } from './health.js';
import { limitFields } from './limits.js';
import { mirrorFields } from './mirror.js';
import { pageFields } from './pages.js';
import { queueFields } from './queue.js';
import { redirectFields } from './redirects.js';
import { retryFields } from './retries.js';
import { rewritingFields } from './rewriting.js';
import { routingFields } from './routing.js';
import { splitFields } from './split.js';
import { timeLimitFields } from './time-limits.js';
import { tlsFields } from './tls.js';

/** Every field there is. A concern of its own has a file of its own beside this one. */
export const policyFields = {
  ...accessFields,
  ...balancingFields,
  ...compressionFields,
  ...bodyLimitFields,
  ...extraFields,
  ...headerFields,
  ...healthFields,
  ...limitFields,
  ...mirrorFields,
  ...pageFields,
  ...redirectFields,
  ...queueFields,
  ...retryFields,
  ...rewritingFields,
  ...routingFields,
  ...splitFields,
  ...timeLimitFields,
  ...tlsFields,
};

/** Everything is optional: a field that the hash lacks has its default. Immutable. */
export type RoutePolicy = PolicyOf<typeof policyFields>;

/** A policy and what could not be understood of it. */
export interface ParsedPolicy {
  readonly policy: RoutePolicy;
  /** One line each, naming field, value and what is allowed: the field then has its default. */
  readonly faults: readonly string[];
  /** The fault for which the frontend must not be served, or empty: a field that keeps somebody out. */
  readonly refusal: string;
}

const fields: ReadonlyMap<string, PolicyField> = new Map(Object.entries(policyFields));

const guards: readonly string[] = [...fields].filter(([, field]) => field.guards).map(([name]) => name);

/** What a frontend without a `route:` hash has. */
export const standardPolicy: RoutePolicy = Object.freeze(
  Object.fromEntries([...fields].map(([name, field]) => [name, field.schema.parse(undefined)])),
) as RoutePolicy;

/**
 * Reads a `route:` hash.
 * @param pairs names and values in turn, as Redis gives them
 */
export function parsePolicy(pairs: readonly string[]): ParsedPolicy {
  const values: Record<string, unknown> = { ...standardPolicy };
  const faults: string[] = [];
  let refusal = '';
  // Each of them costs a comparison with all that are known: junk by the thousand is not read, and might have kept somebody out.
  if (pairs.length > 2 * mostFields) {
    const fault = `has ${pairs.length / 2} fields; allowed: at most ${mostFields}`;
    return { policy: standardPolicy, faults: [fault], refusal: fault };
  }
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const name = pairs[at] as string;
    const field = fields.get(name);
    if (field === undefined) {
      const fault = unknownField(name, fields.keys());
      faults.push(fault);
      if (misspellsGuard(name) && refusal === '') refusal = fault;
      continue;
    }
    const reading = readField(field, pairs[at + 1] as string);
    if (reading.kind === 'value') {
      values[name] = reading.value;
      continue;
    }
    const fault = `${name} ${reading.text}`;
    faults.push(fault);
    if (field.guards && refusal === '') refusal = fault;
  }
  return { policy: Object.freeze(values) as RoutePolicy, faults, refusal };
}

/** `authProvder` was meant to keep somebody out, so that nobody is let in until it is mended. */
function misspellsGuard(name: string): boolean {
  const most = name.length < 8 ? 1 : 2;
  // So far away by their lengths alone: a name of a megabyte is not compared.
  return guards.some(
    (guard) => Math.abs(guard.length - name.length) <= most && editDistance(name.toLowerCase(), guard.toLowerCase()) <= most,
  );
}
