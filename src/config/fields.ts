// What a setting can be: each function gives a zod schema with its default, its bounds and its explanation in one place.
import * as z from 'zod';
import { parseDuration, parseSize } from './units.js';

/** How a value is written; the environment uses it to read text, the reference to show it. */
type SettingKind = 'yes or no' | 'number' | 'duration' | 'seconds' | 'size' | 'text' | 'choice' | 'list' | 'driver';

/** What a person needs to know about a setting. */
export interface SettingNote {
  readonly kind: SettingKind;
  readonly explanation: string;
  readonly allowed: string;
  /** The default as it would be written in a file. */
  readonly standard: string;
}

/** The notes of all settings, by their schema. */
export const settingNotes = z.registry<SettingNote>();

interface Bounds {
  readonly from: number;
  readonly to: number;
}

/** Longest time that a timer of Node can wait: 2^31 - 1 ms. */
const longestSeconds = 2_147_483;

/** Adds the note of a setting and gives the schema back. */
export function noted<T extends z.ZodType>(schema: T, note: SettingNote): T {
  settingNotes.add(schema, note);
  return schema;
}

/** `true` or `false`. */
export function yesOrNo(explanation: string, standard: boolean) {
  const allowed = 'true or false';
  return noted(z.boolean({ error: allowed }).default(standard), {
    kind: 'yes or no',
    explanation,
    allowed,
    standard: `${standard}`,
  });
}

/** A whole number, also as text of digits (configurations made from templates quote them). */
export function wholeNumber(explanation: string, standard: number, { from, to }: Bounds) {
  const allowed = `a whole number from ${from} to ${to}`;
  const schema = z.preprocess(digitsToNumber, z.int({ error: allowed }).min(from, allowed).max(to, allowed));
  return noted(schema.default(standard), { kind: 'number', explanation, allowed, standard: `${standard}` });
}

function durationSchema({ from, to }: Bounds, allowed: string) {
  return z.preprocess(
    durationToMilliseconds,
    z
      .number({ error: allowed })
      .min(from * 1_000, allowed)
      .max(to * 1_000, allowed),
  );
}

function durationText({ from, to }: Bounds): string {
  return `seconds from ${from} to ${to}, or text such as "30s", "500ms", "2m"`;
}

/**
 * A duration; written in seconds or as text with a unit, given in milliseconds.
 * @param standard default in seconds
 */
export function duration(explanation: string, standard: number, bounds: Bounds = { from: 0, to: longestSeconds }) {
  const allowed = durationText(bounds);
  return noted(durationSchema(bounds, allowed).default(standard * 1_000), {
    kind: 'duration',
    explanation,
    allowed,
    standard: `${standard}`,
  });
}

/**
 * A duration whose default is the value of another setting.
 * @param other path of that setting
 */
export function durationAs(other: string, explanation: string) {
  const bounds = { from: 0, to: longestSeconds };
  const allowed = durationText(bounds);
  return noted(durationSchema(bounds, allowed).optional(), { kind: 'duration', explanation, allowed, standard: other });
}

/** Whole seconds, for what Redis counts in seconds. */
export function seconds(explanation: string, standard: number, { from, to }: Bounds) {
  const allowed = `whole seconds from ${from} to ${to}, or text such as "30s", "2m"`;
  const schema = z.preprocess(
    (value) => {
      const found = durationToMilliseconds(value);
      return typeof found === 'number' ? found / 1_000 : found;
    },
    z.int({ error: allowed }).min(from, allowed).max(to, allowed),
  );
  return noted(schema.default(standard), { kind: 'seconds', explanation, allowed, standard: `${standard}` });
}

/** A number of bytes; also text with a unit. */
export function size(explanation: string, standard: number, { from, to }: Bounds) {
  const allowed = `bytes from ${from} to ${to}, or text such as "64KiB", "1M"`;
  const schema = z.preprocess(
    (value) => (typeof value === 'string' ? (parseSize(value) ?? value) : value),
    z.int({ error: allowed }).min(from, allowed).max(to, allowed),
  );
  return noted(schema.default(standard), { kind: 'size', explanation, allowed, standard: `${standard}` });
}

/** One of some words. */
export function choice<const T extends readonly [string, ...string[]]>(
  explanation: string,
  values: T,
  standard: NoInfer<T[number]>,
) {
  const allowed = values.map((value) => `"${value}"`).join(', ');
  const schema = z.enum(values, { error: allowed });
  return noted(schema.default(standard as z.output<typeof schema>), {
    kind: 'choice',
    explanation,
    allowed,
    standard: `"${standard}"`,
  });
}

/** The path of a file. PEM text in its place is refused here, since it would end up in messages otherwise. */
export function filePath(allowed: string) {
  return z.string({ error: allowed }).refine((text) => text !== '' && !text.includes('-----BEGIN') && !text.includes('\0'), {
    error: allowed,
  });
}

/** What a setting of authorities allows. */
export const authoritiesAllowed = 'the path of a PEM file with authorities, or a list of paths';

/** Paths of files; a single one may stand without a list. */
export function filePaths(allowed: string) {
  return z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(filePath(allowed), { error: allowed }));
}

function digitsToNumber(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
}

function durationToMilliseconds(value: unknown): unknown {
  if (typeof value === 'string') return parseDuration(value) ?? value;
  return typeof value === 'number' ? value * 1_000 : value;
}
