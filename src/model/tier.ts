// A rate limit with a name: the `tier:` hash, and the three tiers that exist without one.
import * as z from 'zod';
import { choice, seconds, wholeNumber } from '../config/fields.js';
import { jsonField, mostFaults, type PolicyField, type PolicyOf, readField, textField, unknownField } from './policy/field.js';
import { Disallowed, isObject, parsedBy } from './policy/parsed-by.js';
import { fieldsOf, type StoredRecord } from './record-kind.js';
import { lowestTier, standardTiers } from './tier-name.js';

const costAllowed =
  'an object of costs from 0 to 1000000 by method, path or both, such as {"POST": 5, "/search": 10, "GET /export": 50}';
const costKey = /^(?:([A-Z]{1,32})|([A-Z]{1,32} )?(\/[!"$->@-~]{0,1023}))$/;

/** Longest window: what a timer of Node can wait. */
const longestWindow = 2_147_483;
const mostPoints = 1_000_000_000;

/** What some requests cost. */
export interface CostRule {
  /** Empty: any. */
  readonly method: string;
  /** A prefix on borders of segments, in lower case and without a slash at its end; empty: any path. */
  readonly path: string;
  readonly cost: number;
}

export const tierFields = {
  points: jsonField(wholeNumber('Points that may be spent in a window.', 500, { from: 1, to: mostPoints }).unwrap().optional()),
  duration: jsonField(seconds('How long a window lasts.', 60, { from: 1, to: longestWindow })),
  burst: jsonField(wholeNumber('Points beyond those, in a window of their own.', 0, { from: 0, to: mostPoints })),
  burstDuration: jsonField(seconds('How long that window lasts.', 600, { from: 1, to: longestWindow }).unwrap().optional()),
  cost: jsonField(parsedBy(parseCosts)),
  scope: textField(choice('What is counted together.', ['client', 'client+frontend', 'frontend'], 'client')),
} satisfies Record<string, PolicyField>;

type Fields = PolicyOf<typeof tierFields>;

/** A tier. Immutable. */
export interface Tier {
  readonly name: string;
  readonly points: number;
  /** Whole seconds. */
  readonly duration: number;
  /** 0: none. */
  readonly burst: number;
  /** Whole seconds. */
  readonly burstDuration: number;
  /** Most special first; what none of them is about costs 1. */
  readonly costs: readonly CostRule[];
  /** Whose requests are counted together: a client's, a client's to one frontend, or all to a frontend. */
  readonly scope: Fields['scope'];
}

/** A tier, and one line for each field that could not be understood. */
export interface ParsedTier {
  readonly tier: Tier;
  readonly faults: readonly string[];
}

const known = new Map<string, PolicyField>(Object.entries(tierFields));
const standard = Object.fromEntries([...known].map(([name, field]) => [name, field.schema.parse(undefined)]));

/**
 * Reads a `tier:` record. A field that cannot be understood has its default, and a tier without points has those of `anonymous`:
 * in doubt a limit is rather too low than missing.
 */
export function parseTier(name: string, record: StoredRecord): ParsedTier {
  const faults: string[] = record.fault === '' ? [] : [record.fault];
  const read: Record<string, unknown> = { ...standard };
  for (const [key, text] of fieldsOf(record)) {
    if (faults.length >= mostFaults) break;
    const field = known.get(key);
    if (field === undefined) {
      faults.push(unknownField(key, known.keys()));
      continue;
    }
    const reading = readField(field, text);
    if (reading.kind === 'value') read[key] = reading.value;
    else faults.push(`${key} ${reading.text}`);
  }
  const { points, duration, burst, burstDuration, cost, scope } = read as unknown as Fields;
  const own = points ?? standardTiers.get(name);
  if (own === undefined && faults.length === 0) {
    faults.push(record.values.length === 0 ? 'there is no such record' : 'points is missing');
  }
  const tier: Tier = Object.freeze({
    name,
    points: own ?? (standardTiers.get(lowestTier) as number),
    duration,
    burst,
    burstDuration: burstDuration ?? Math.min(longestWindow, 10 * duration),
    costs: cost ?? [],
    scope,
  });
  return { tier, faults };
}

/**
 * What a request costs; 0: it is not counted.
 * @param path in the form of `normalPath`
 */
export function costOf(costs: readonly CostRule[], method: string, path: string): number {
  for (const rule of costs) {
    if ((rule.method === '' || rule.method === method) && isBelow(path, rule.path)) return rule.cost;
  }
  return 1;
}

function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || prefix === '' || path[prefix.length] === '/');
}

function parseCosts(written: unknown): readonly CostRule[] | Disallowed {
  if (!isObject(written)) return new Disallowed(costAllowed);
  const rules: CostRule[] = [];
  for (const [key, cost] of Object.entries(written)) {
    const parts = costKey.exec(key);
    if (parts === null || !costNumber.safeParse(cost).success) return new Disallowed(costAllowed);
    const method = parts[1] ?? parts[2]?.trimEnd() ?? '';
    rules.push({ method, path: (parts[3] ?? '').replace(/\/+$/, '').toLowerCase(), cost: cost as number });
  }
  // The longest path decides, then a method.
  rules.sort((one, other) => other.path.length - one.path.length || other.method.length - one.method.length);
  return Object.freeze(rules);
}

const costNumber = z.int().min(0).max(1_000_000);
