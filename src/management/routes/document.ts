// /export and /import.
import { Readable } from 'node:stream';
import * as z from 'zod';
import { endpoint } from '../endpoint.js';
import { documentSchema, exportDocument } from '../operations/document.js';
import { importDocument } from '../operations/import.js';

const flag = z.enum(['true', 'false'], { error: 'true or false' }).default('false');
const members = z.record(z.string(), z.unknown()).nullable();

const result = z
  .object({
    changes: z.array(
      z.object({
        action: z.enum(['create', 'change', 'delete']),
        section: z.string(),
        name: z.string(),
        before: members,
        after: members,
      }),
    ),
    warnings: z.array(z.string()).describe('What was left out, and why.'),
    revision: z.int(),
  })
  .meta({ id: 'ImportResult' });

export const documentEndpoints = [
  endpoint({
    method: 'get',
    path: '/export',
    tag: 'Document',
    summary: 'Everything as one document, without private keys.',
    role: 'admin',
    scoped: false,
    query: z.strictObject({ format: z.enum(['json', 'yaml'], { error: '"json", "yaml"' }).default('json') }),
    answers: { 200: { description: 'The document.', schema: documentSchema } },
    async handle({ workspace, query: { format } }) {
      const type = format === 'json' ? 'application/json' : 'application/yaml';
      return { status: 200, stream: Readable.from(exportDocument(workspace, format)), headers: { 'Content-Type': type } };
    },
  }),
  endpoint({
    method: 'post',
    path: '/import',
    tag: 'Document',
    summary:
      'Takes a document in JSON or YAML. All of it is checked first; 200 records are changed together, so that a larger one is several changes.',
    role: 'admin',
    scoped: false,
    document: true,
    query: z.strictObject({
      dry: flag.describe('Only tells what would change.'),
      prune: flag.describe('Removes what the sections of the document lack. Certificates stay.'),
    }),
    body: documentSchema,
    answers: { 200: { description: 'What was changed, or would be.', schema: result } },
    async handle({ workspace, query, body }) {
      const dry = query.dry === 'true';
      const imported = await importDocument(workspace, body, { dry, prune: query.prune === 'true' });
      return { status: 200, body: imported, ...(dry || imported.changes.length === 0 ? {} : { revision: imported.revision }) };
    },
  }),
];
