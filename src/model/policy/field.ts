// A field of a `route:` hash: its schema, and what a wrong value of it means.
import type * as z from 'zod';
import { shownName, shownValue } from '../../config/config-error.js';
import { settingNotes } from '../../config/fields.js';
import { nearestName } from '../../config/nearest.js';

/** How the text of a hash field becomes a value before its schema looks at it. */
type Notation = 'text' | 'json';

/** One field. */
export interface PolicyField<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  /** `text` is taken as it stands; `json` is read as JSON where it is JSON, so that `50`, `true` and `{...}` mean what they look like. */
  readonly notation: Notation;
  /** True when the frontend must not be served while the field cannot be understood: it keeps somebody out. */
  readonly guards: boolean;
  /** True when a value may hold a secret, so that a fault does not show it. */
  readonly hidden?: true;
}

/** A field whose value is a word or a text. */
export function textField<S extends z.ZodType>(schema: S): PolicyField<S> {
  return { schema, notation: 'text', guards: false };
}

/** A field whose value is a number, a flag, a list or an object. */
export function jsonField<S extends z.ZodType>(schema: S): PolicyField<S> {
  return { schema, notation: 'json', guards: false };
}

/** The same field, without which its frontend must not be served. */
export function guarding<S extends z.ZodType>(field: PolicyField<S>): PolicyField<S> {
  return { ...field, guards: true };
}

/** The same field, whose value is not shown in messages. */
export function hiding<S extends z.ZodType>(field: PolicyField<S>): PolicyField<S> {
  return { ...field, hidden: true };
}

/** What a set of fields gives once it is read. */
export type PolicyOf<F extends Record<string, PolicyField>> = { readonly [K in keyof F]: z.output<F[K]['schema']> };

/** A value, or why there is none: `is "abc"; allowed: a whole number from 0 to 10`. */
export type FieldReading =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'fault'; readonly text: string };

/** Faults of one hash that are told; what has as many is junk, and is read no further. */
export const mostFaults = 20;

/** More fields than any hash that is meant for us has: what says more is junk, of which nothing is read. */
export const mostFields = 500;

/** Says that a hash has a field that nobody knows. */
export function unknownField(name: string, known: Iterable<string>): string {
  const nearest = nearestName(name, known);
  return `${shownName(name)} is not a known field${nearest === undefined ? '' : `; the nearest known one is ${nearest}`}`;
}

/** Characters of a value: error pages are the longest that anybody writes. */
const longestValue = 1 << 20;

/** Reads the text of a hash field. */
export function readField(field: PolicyField, text: string): FieldReading {
  // What is longer is no setting; reading it as JSON and checking it would hold up everybody.
  if (text.length > longestValue)
    return { kind: 'fault', text: `has ${text.length} characters; allowed: at most ${longestValue}` };
  const written = field.notation === 'json' ? parsedJson(text) : text;
  return checkField(field, written);
}

/** Checks a value of a JSON document. */
export function checkField(field: PolicyField, written: unknown): FieldReading {
  const result = field.schema.safeParse(written);
  if (result.success) return { kind: 'value', value: result.data };
  const issue = result.error.issues[0];
  const at = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  const note = settingNotes.get(field.schema);
  const allowed = at === '' ? (note?.allowed ?? issue?.message) : issue?.message;
  if (issue?.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => JSON.stringify(key.slice(0, 40))).join(', ');
    return { kind: 'fault', text: `has the unknown member ${keys}; allowed${at}: ${allowed ?? 'others'}` };
  }
  const shown = field.hidden === true && typeof written === 'string' ? 'a text' : shownValue(written);
  return { kind: 'fault', text: `is ${shown}; allowed${at}: ${allowed ?? 'another value'}` };
}

/** Text that is no JSON stays text: `30s` is a duration. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
