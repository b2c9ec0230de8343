// Writes docs/api.md from the OpenAPI document: `npm run docs:api`. A test says when it is not current.
import { writeFileSync } from 'node:fs';
import { apiPage } from './api-page.js';

writeFileSync('docs/api.md', apiPage());
