// /lint: what is wrong with what the store holds.
import * as z from 'zod';
import { endpoint } from '../endpoint.js';
import { lint } from '../operations/lint.js';

const findings = z
  .object({
    checked: z.number().describe('Records that this page looked at.'),
    findings: z.array(
      z.object({
        key: z.string().describe('In Redis, without the prefix of the driver URL.'),
        level: z.enum(['error', 'warning']),
        text: z.string(),
        mend: z.string().describe('What to do about it.'),
      }),
    ),
  })
  .meta({ id: 'Findings' });

export const lintEndpoints = [
  endpoint({
    method: 'get',
    path: '/lint',
    tag: 'Findings',
    summary: 'Looks at every record, a page at a time, and says what is wrong and how to mend it. A thing may be told twice.',
    role: 'read',
    scoped: false,
    query: z.strictObject({
      cursor: z.string().max(200).default('').describe('What the page before gave; absent: the first page.'),
    }),
    answers: { 200: { description: 'What this page found.', schema: findings } },
    async handle({ workspace, query }) {
      const { cursor, ...page } = await lint(workspace, query.cursor);
      if (cursor === '') return { status: 200, body: page };
      const link = `</api/v1/lint?${new URLSearchParams({ cursor })}>; rel="next"`;
      return { status: 200, body: page, headers: { Link: link, 'X-Next-Cursor': cursor } };
    },
  }),
];
