import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { withReference } from '../../../src/cli/reference.js';

it('docs/cli.md lists all commands as they are defined; else: npm run docs:cli', () => {
  const page = readFileSync('docs/cli.md', 'utf8');
  expect(withReference(page)).toBe(page);
});
