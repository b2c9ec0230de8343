import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settingsTable } from '../../../src/config/reference.js';

const page = 'docs/configuration.md';

// After a change of the schema: npx vitest run test/unit/config/reference.test.ts --update
test('docs/configuration.md shows the table of all settings as the schema has them', async () => {
  const [before, rest = ''] = readFileSync(page, 'utf8').split('<!-- settings: begin -->');
  const after = rest.split('<!-- settings: end -->')[1];
  const written = `${before}<!-- settings: begin -->\n${settingsTable()}\n<!-- settings: end -->${after}`;
  await expect(written).toMatchFileSnapshot(`../../../${page}`);
});
