// What active probes ask of a frontend's backends: the `healthcheck:` hash, PlanB's three fields and those beyond.
import * as z from 'zod';
import { choice, duration, wholeNumber } from '../config/fields.js';
import { jsonField, mostFaults, type PolicyField, type PolicyOf, readField, textField, unknownField } from './policy/field.js';
import type { StoredRecord } from './record-kind.js';
import { parseStatusRanges, statusesAllowed } from './status-ranges.js';

const pathAllowed = 'a path of printable characters without spaces, such as "/health"';
const bodyAllowed = 'a text of at most 4096 characters';
const hostAllowed = 'a host with or without a port, such as "example.com"';

export const healthcheckFields = {
  /** `http` asks, `tcp` connects; absent: `http` where another field is about HTTP, as PlanB's are, else `tcp`. */
  type: textField(choice('What a probe does.', ['http', 'tcp'], 'tcp').unwrap().optional()),
  path: textField(
    z
      .string({ error: pathAllowed })
      .regex(/^[!-~]{0,2048}$/, pathAllowed)
      .transform((path) => (path.startsWith('/') ? path : `/${path}`))
      .optional(),
  ),
  method: textField(choice('How is asked.', ['GET', 'HEAD', 'OPTIONS'], 'GET').unwrap().optional()),
  /** Empty means any status, as in PlanB. */
  status: textField(
    z
      .string()
      .transform((text, context) => {
        const ranges = text.trim() === '' ? [] : parseStatusRanges(text);
        if (ranges !== null) return ranges;
        context.addIssue({ code: 'custom', message: statusesAllowed });
        return z.NEVER;
      })
      .optional(),
  ),
  /** What the body must contain; empty: anything. */
  body: textField(z.string().max(4096, bodyAllowed).optional()),
  host: textField(
    z
      .string()
      .regex(/^(?:[\w.-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i, hostAllowed)
      .optional(),
  ),
  interval: jsonField(duration('Time between two probes of a backend.', 10, { from: 0.1, to: 86_400 })),
  timeout: jsonField(duration('Time for a probe, answer included.', 3, { from: 0.01, to: 300 })),
  rise: jsonField(wholeNumber('Probes in a row that must succeed before a dead backend is used again.', 2, { from: 1, to: 100 })),
  fall: jsonField(wholeNumber('Probes in a row that must fail before a backend is dead.', 3, { from: 1, to: 100 })),
} satisfies Record<string, PolicyField>;

type Fields = PolicyOf<typeof healthcheckFields>;

/** What a probe does and how its results are counted. Milliseconds. */
export interface Healthcheck
  extends Pick<Fields, 'path' | 'status' | 'body' | 'host' | 'interval' | 'timeout' | 'rise' | 'fall'> {
  readonly type: 'http' | 'tcp';
  readonly method: 'GET' | 'HEAD' | 'OPTIONS';
}

/** A check, or null where the record asks for none; and one line for each field that could not be understood. */
export interface ParsedHealthcheck {
  readonly check: Healthcheck | null;
  readonly faults: readonly string[];
}

const known = new Map<string, PolicyField>(Object.entries(healthcheckFields));
const standard = Object.fromEntries([...known].map(([name, field]) => [name, field.schema.parse(undefined)]));
const aboutHttp: ReadonlySet<string> = new Set(['path', 'status', 'body', 'host', 'method']);

/** Reads a `healthcheck:` record. A field that cannot be understood has its default. */
export function parseHealthcheck(record: StoredRecord): ParsedHealthcheck {
  if (record.fault !== '') return { check: null, faults: [record.fault] };
  if (record.values.length === 0) return { check: null, faults: [] };
  const read: Record<string, unknown> = { ...standard };
  const faults: string[] = [];
  let type: Healthcheck['type'] = 'tcp';
  for (let at = 0; at + 1 < record.values.length && faults.length < mostFaults; at += 2) {
    const name = record.values[at] as string;
    const field = known.get(name);
    if (field === undefined) {
      faults.push(unknownField(name, known.keys()));
      continue;
    }
    if (aboutHttp.has(name)) type = 'http';
    const reading = readField(field, record.values[at + 1] as string);
    if (reading.kind === 'value') read[name] = reading.value;
    else faults.push(`${name} ${reading.text}`);
  }
  const { method = 'GET', ...rest } = read as unknown as Fields;
  const check: Healthcheck = { ...rest, method, type: rest.type ?? type };
  // An answer to HEAD has no body (RFC 9110 section 9.3.2).
  if (method !== 'HEAD' || !check.body) return { check, faults };
  return { check: { ...check, method: 'GET' }, faults: [...faults, 'method is "HEAD"; allowed with body: "GET", "OPTIONS"'] };
}
