// A hash of Redis as an object of JSON, and back: values look like what they are, and come back as the text that they were.
import type { StoredRecord } from '../../model/record-kind.js';

/** Members that answers have and records have not. */
const onlyTold: ReadonlySet<string> = new Set(['name', 'faults', 'warnings']);

/** Fields as members; a text that is JSON, and would be written the same again, as the value that it stands for. */
export function hashDocument(record: StoredRecord | undefined): Record<string, unknown> {
  const { values, fault } = record ?? { values: [], fault: '' };
  const members: [string, unknown][] = [];
  for (let at = 0; at + 1 < values.length; at += 2) members.push([values[at] as string, readText(values[at + 1] as string)]);
  return { ...Object.fromEntries(members), ...(fault === '' ? {} : { faults: [fault] }) };
}

/** Names and values in turn; members that say nothing are left out, as is what only answers have. */
export function hashValues(members: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(members).flatMap(([name, value]) => {
    if (value === undefined || value === null || onlyTold.has(name)) return [];
    return [name, typeof value === 'string' ? value : JSON.stringify(value)];
  });
}

function readText(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed !== 'string' && JSON.stringify(parsed) === text ? parsed : text;
  } catch {
    return text;
  }
}
