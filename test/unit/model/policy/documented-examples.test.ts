// Every line of the documentation that writes a field of a policy is a line that works.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parsePolicy } from '../../../../src/model/policy/policy.js';

const command = /^redis-cli hset route:\S+ (\w+) (?:'(.*)'|(\S+))$/;

const pages = readdirSync('docs').filter((name) => /^policy.*\.md$/.test(name));
const examples = pages.flatMap((page) =>
  readFileSync(`docs/${page}`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('redis-cli hset route:'))
    .map((line) => [page, line] as const),
);

it('finds examples', () => {
  expect(examples.length).toBeGreaterThan(15);
});

it.each(examples)('%s: %s', (_page, line) => {
  const parts = command.exec(line);
  expect(parts).not.toBeNull();
  const [, field = '', quoted, bare] = parts ?? [];
  expect(parsePolicy([field, quoted ?? bare ?? ''])).toMatchObject({ faults: [], refusal: '' });
});
