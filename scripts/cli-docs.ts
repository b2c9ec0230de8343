// `npm run docs:cli`: writes the list of commands into docs/cli.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { withReference } from '../src/cli/reference.js';

const page = new URL('../docs/cli.md', import.meta.url);
writeFileSync(page, withReference(readFileSync(page, 'utf8')));
