// Differences for people: what is new, what changes and how, what goes.
import type { PlannedChange } from '../../management/operations/import.js';
import { memberText } from '../field-words.js';
import { printable } from './printable.js';

/** Longer values are cut: a certificate is told apart by its beginning. */
const longest = 120;

export function differenceLines(changes: readonly PlannedChange[]): string[] {
  if (changes.length === 0) return ['nothing differs'];
  const counted = (action: PlannedChange['action']): number => changes.filter((change) => change.action === action).length;
  const summary = `${counted('create')} new, ${counted('change')} changed, ${counted('delete')} removed`;
  return [...changes.flatMap(linesOf), '', summary].map(printable);
}

function linesOf({ action, section, name, before, after }: PlannedChange): string[] {
  const place = name === '' ? section : `${section}/${name}`;
  switch (action) {
    case 'create':
      return [`+ ${place}`, ...Object.entries(after ?? {}).map(([member, value]) => `    ${member}: ${shown(value)}`)];
    case 'delete':
      return [`- ${place}`];
    case 'change':
      return [`~ ${place}`, ...memberDifferences('', before, after).map((line) => `    ${line}`)];
  }
}

/** Objects and lists of the same length are looked into. */
function memberDifferences(place: string, before: unknown, after: unknown): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => memberDifferences(place === '' ? name : `${place}.${name}`, before[name], after[name]));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const longer = before.length > after.length ? before : after;
    return longer.flatMap((_value, at) => memberDifferences(`${place}[${at}]`, before[at], after[at]));
  }
  return [`${place}: ${shown(before)} -> ${shown(after)}`];
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : memberText(value);
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
