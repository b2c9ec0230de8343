// A choice of HTTP statuses as people write it: `502`, `500-504`, `5xx`, several of them parted by commas.

/** First and last status, both included. */
export type StatusRange = readonly [first: number, last: number];

/** What may be written, for messages. */
export const statusesAllowed = 'statuses such as 200, "200-399", "5xx", "200,204", or a list of them';

/**
 * Reads a choice.
 * @returns its ranges, or null where it is none; an empty text is none
 */
export function parseStatusRanges(text: string): readonly StatusRange[] | null {
  const ranges: StatusRange[] = [];
  for (const part of text.split(',')) {
    const range = parseRange(part.trim().toLowerCase());
    if (range === null) return null;
    ranges.push(range);
  }
  return ranges;
}

/** Whether a status is among those chosen. */
export function includesStatus(ranges: readonly StatusRange[], status: number): boolean {
  for (const [first, last] of ranges) {
    if (status >= first && status <= last) return true;
  }
  return false;
}

function parseRange(text: string): StatusRange | null {
  const hundred = /^([1-5])xx$/.exec(text);
  if (hundred !== null) return [Number(hundred[1]) * 100, Number(hundred[1]) * 100 + 99];
  const match = /^([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?$/.exec(text);
  if (match === null) return null;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first <= last ? [first, last] : null;
}
