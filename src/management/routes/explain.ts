// /explain: why a request goes where it goes.
import * as z from 'zod';
import { endpoint } from '../endpoint.js';
import { explainRequest } from '../explain-request.js';

const urlAllowed = 'an absolute URL such as http://example.com/path';
const headerAllowed = 'a header as "Name: value"';

const header = z.string().regex(/^[^\s:]+:/, headerAllowed);
const explainQuery = z.strictObject({
  url: z
    .string({ error: urlAllowed })
    .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), urlAllowed)
    .describe('What is asked for.'),
  from: z.string().max(64).default('').describe('Address of the client.'),
  header: z
    .union([header, z.array(header)], { error: headerAllowed })
    .default([])
    .describe('Headers of the request, each as "Name: value"; may be given again.'),
});

/** Of it all but what a policy asks for, whose secrets are hidden. */
const explanation = z
  .looseObject({
    url: z.string(),
    path: z.string().describe('As it is matched.'),
    pattern: z.string().describe('The host pattern that decided; empty: none matches.'),
    tried: z.array(z.object({ name: z.string(), found: z.enum(['list', 'nothing', 'fault']) })),
    frontend: z.string().nullable().describe('Null: nobody serves it.'),
    identifier: z.string(),
    backends: z.array(z.looseObject({ id: z.string(), entry: z.string(), standing: z.string(), weight: z.number() })),
    policy: z.record(z.string(), z.string()).describe('Fields that differ from their defaults; secrets hidden.'),
    steps: z.array(z.string()).describe('What happens, step by step.'),
    faults: z.array(z.string()),
  })
  .meta({ id: 'Explanation' });

export const explainEndpoints = [
  endpoint({
    method: 'get',
    path: '/explain',
    tag: 'Requests',
    summary: 'Says which frontend serves a URL and why, how its backends stand, and what its policy asks for.',
    role: 'read',
    scoped: false,
    query: explainQuery,
    answers: { 200: { description: 'All that can be told.', schema: explanation } },
    async handle({ workspace, query }) {
      const headers = new Map<string, string>();
      for (const line of [query.header].flat()) {
        const colon = line.indexOf(':');
        headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
      }
      const question = { url: new URL(query.url), from: query.from, headers };
      return { status: 200, body: await explainRequest(workspace.store, question) };
    },
  }),
];
