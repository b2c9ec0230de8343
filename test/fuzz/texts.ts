// Texts for the fuzz, one byte a character: pieces that parsers stumble over, and changes to what was right.
import fc from 'fast-check';

/** One byte. */
const byte = fc.nat({ max: 255 }).map((code) => String.fromCharCode(code));

/** Any bytes, mostly few. */
export const anyBytes = (maxLength = 40): fc.Arbitrary<string> => fc.string({ unit: byte, maxLength });

/** Bytes at which readers of HTTP differ. */
const sharpBytes = fc.constantFrom(
  ...[
    '\r',
    '\n',
    '\r\n',
    '\n\n',
    '\r\n\r\n',
    ' ',
    '\t',
    ':',
    ',',
    ';',
    '=',
    '"',
    '\\',
    '\0',
    '\x0b',
    '\x0c',
    '\x7f',
    '\x85',
    '\xa0',
    '\xff',
  ],
  ...['0', '5', '-', '+', '_', '/', '#', '?', '%', '.', '@', '[', ']', '0x', '1e1'],
);

interface Change {
  readonly at: number;
  readonly removed: number;
  readonly inserted: string;
}

const change = (pieces: fc.Arbitrary<string>): fc.Arbitrary<Change> =>
  fc.record({ at: fc.nat({ max: 100_000 }), removed: fc.nat({ max: 3 }), inserted: pieces });

function apply(text: string, changes: readonly Change[]): string {
  let changed = text;
  for (const { at, removed, inserted } of changes) {
    const place = at % (changed.length + 1);
    changed = changed.slice(0, place) + inserted + changed.slice(place + removed);
  }
  return changed;
}

/** The texts as they are, or with a few bytes taken out and put in. @param pieces what else may be put in */
export function damaged(texts: fc.Arbitrary<string>, ...pieces: readonly string[]): fc.Arbitrary<string> {
  const inserted = fc.oneof(sharpBytes, byte, fc.constantFrom('', ...pieces));
  return fc.tuple(texts, fc.array(change(inserted), { maxLength: 3 })).map(([text, changes]) => apply(text, changes));
}

/** Places to cut a text at. */
export const cutPlaces: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 100_000 }), { maxLength: 8 });

/** The pieces of bytes cut at places, which wrap around; none is empty. */
export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  if (bytes.length === 0) return [];
  const edges = [...new Set([0, ...places.map((place) => place % bytes.length), bytes.length])].sort((a, b) => a - b);
  return edges.slice(1).map((edge, at) => bytes.subarray(edges[at], edge));
}

/** As bytes, one a character. */
export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Throws where two things differ in JSON. */
export function same(what: string, got: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a}\ninstead of ${b}`);
}

/** Throws where something does not hold. */
export function holds(what: string, condition: boolean): void {
  if (!condition) throw new Error(what);
}
