// Where a JSON text is broken: line, column and reason. JSON.parse tells the place only for some errors, and a key given twice never.

/** The first fault of a JSON text; line and column count from 1. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  readonly problem: string;
}

class Broken extends Error {
  constructor(
    readonly offset: number,
    problem: string,
  ) {
    super(problem);
  }
}

const whitespace = /[ \t\r\n]*/y;
const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const deepest = 64;

/** Finds the first fault of a text by the grammar of RFC 8259; null: it is sound, and every key stands once in its object. */
export function findJsonFault(text: string): JsonFault | null {
  try {
    const end = skip(text, readValue(text, skip(text, 0), 0));
    if (end < text.length) throw new Broken(end, 'nothing may follow the end of the object');
    return null;
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const before = text.slice(0, error.offset).split('\n');
    return { line: before.length, column: before[before.length - 1]!.length + 1, problem: error.message };
  }
}

/** The offset behind white space. */
function skip(text: string, offset: number): number {
  whitespace.lastIndex = offset;
  whitespace.test(text);
  return whitespace.lastIndex;
}

/** Reads one value and gives the offset behind it. */
function readValue(text: string, offset: number, depth: number): number {
  if (depth > deepest) throw new Broken(offset, `values are nested deeper than ${deepest} levels`);
  switch (text[offset]) {
    case '{':
      return readMembers(text, offset, depth);
    case '[':
      return readElements(text, offset, depth);
    case '"':
      return readString(text, offset);
  }
  scalar.lastIndex = offset;
  if (!scalar.test(text)) throw new Broken(offset, `${found(text, offset)} where a value is expected`);
  return scalar.lastIndex;
}

function readMembers(text: string, start: number, depth: number): number {
  const keys = new Set<unknown>();
  let offset = skip(text, start + 1);
  if (text[offset] === '}') return offset + 1;
  while (true) {
    if (text[offset] !== '"') throw new Broken(offset, `${found(text, offset)} where a key in double quotes is expected`);
    const end = readString(text, offset);
    const key: unknown = JSON.parse(text.slice(offset, end));
    if (keys.has(key)) throw new Broken(offset, `the key ${text.slice(offset, end)} is given twice`);
    keys.add(key);
    offset = skip(text, end);
    if (text[offset] !== ':') throw new Broken(offset, `${found(text, offset)} where a colon is expected`);
    offset = skip(text, readValue(text, skip(text, offset + 1), depth + 1));
    if (text[offset] === '}') return offset + 1;
    if (text[offset] !== ',') throw new Broken(offset, `${found(text, offset)} where a comma or } is expected`);
    offset = skip(text, offset + 1);
  }
}

function readElements(text: string, start: number, depth: number): number {
  let offset = skip(text, start + 1);
  if (text[offset] === ']') return offset + 1;
  while (true) {
    offset = skip(text, readValue(text, offset, depth + 1));
    if (text[offset] === ']') return offset + 1;
    if (text[offset] !== ',') throw new Broken(offset, `${found(text, offset)} where a comma or ] is expected`);
    offset = skip(text, offset + 1);
  }
}

function readString(text: string, offset: number): number {
  string.lastIndex = offset;
  if (!string.test(text)) throw new Broken(offset, 'a text that is not closed or holds a character that must be escaped');
  return string.lastIndex;
}

/** One character alone: more of the text could be part of a secret. */
function found(text: string, offset: number): string {
  const point = text.codePointAt(offset);
  return point === undefined ? 'the end of the file' : JSON.stringify(String.fromCodePoint(point));
}
