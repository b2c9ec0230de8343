// docs/requirements.md: no requirement is missing, and every test that is named there is a test.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const page = readFileSync('docs/requirements.md', 'utf8');
const rows = [...page.matchAll(/^\| (.+?) \| (.+?) \| (.*) \|$/gm)]
  .map(([, number = '', , proof = '']) => ({ number, proof }))
  .filter(({ number }) => number !== 'number' && number !== 'capability');

/** `1-3` is three numbers. */
const numbered = (part: string, last: number, first = 1): string[] =>
  Array.from({ length: last - first + 1 }, (_, at) => `${part}-${first + at}`);

const expected = [
  ...['B.1', ...numbered('B.2', 5), 'B.3', 'B.4', 'B.5', ...numbered('B.6', 3), ...numbered('B.7', 7)],
  ...[...numbered('D.1', 4), ...numbered('D.2', 12, 5), ...numbered('D.3', 17, 13), ...numbered('D.4', 21, 18)],
  ...[...numbered('D.5', 23, 22), 'D.7-35', ...numbered('D.9', 9)],
];

it('has every number once, in order', () => {
  expect(rows.map(({ number }) => number).filter((number) => /^[BD]\./.test(number))).toEqual(expected);
});

describe.each(rows.map(({ number, proof }) => [number, proof] as const))('%s', (_number, proof) => {
  const named = proof.split('<br>').map((part) => /^`(test\/[\w./-]+\.ts)`: “(.+)”$/.exec(part));

  it('names tests that there are', () => {
    for (const parts of named) {
      expect(parts, proof).not.toBeNull();
      const [, file = '', title = ''] = parts ?? [];
      expect(existsSync(file), file).toBe(true);
      expect(titlesOf(readFileSync(file, 'utf8')), file).toContain(title);
    }
  });
});

/** The texts that stand where tests, groups of tests and cases of contracts have their titles. */
function titlesOf(source: string): string[] {
  const title =
    /(?:\b(?:it|test|describe)(?:\.\w+)?\(\s*|\)\(\s*|\btitle: )(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g;
  return [...source.matchAll(title)].map(([, single, double, template]) =>
    (single ?? double ?? template ?? '').replace(/\\(.)/g, '$1'),
  );
}
