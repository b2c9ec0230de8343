// /history.
import * as z from 'zod';
import { endpoint } from '../endpoint.js';
import { readHistory, readHistoryEntry, revertChange } from '../operations/history.js';

const tag = 'History';
const values = z.array(z.string());

const change = z
  .object({
    id: z.string(),
    revision: z.int(),
    at: z.string().describe('ISO 8601.'),
    by: z.string().describe('Name of the token.'),
    from: z.string().describe('Address.'),
    action: z.string(),
    target: z.string(),
    changes: z.array(z.object({ kind: z.string(), name: z.string(), before: values, after: values })),
    maintenance: z.array(z.object({ frontend: z.string(), entry: z.string(), on: z.boolean() })).optional(),
  })
  .meta({
    id: 'Change',
    description: 'Records as they are stored; private keys and hashes of passwords are replaced by digests.',
  });

export const historyEndpoints = [
  endpoint({
    method: 'get',
    path: '/history',
    tag,
    summary: 'Lists changes, newest first.',
    role: 'read',
    scoped: false,
    query: z.strictObject({
      before: z.string().max(40).default('').describe('Only those before this id.'),
      limit: z.coerce.number().int().min(1).max(1_000).default(50),
    }),
    answers: { 200: { description: 'Changes.', schema: z.array(change) } },
    handle: async ({ workspace, query }) => ({ status: 200, body: await readHistory(workspace, query) }),
  }),
  endpoint({
    method: 'get',
    path: '/history/{id}',
    tag,
    summary: 'Gives a change.',
    role: 'read',
    scoped: false,
    answers: { 200: { description: 'The change.', schema: change }, 404: { description: 'It is not there, or no more.' } },
    handle: async ({ workspace, params }) => ({ status: 200, body: await readHistoryEntry(workspace, params.id as string) }),
  }),
  endpoint({
    method: 'post',
    path: '/history/{id}/revert',
    tag,
    summary: 'Puts back what a change has changed, as a change of its own.',
    role: 'admin',
    scoped: false,
    answers: {
      200: { description: 'It is as it was before.', schema: z.object({ revision: z.int() }) },
      404: { description: 'It is not there, or no more.' },
      409: { description: 'It was changed again since, or a private key was not kept.' },
    },
    async handle({ workspace, params }) {
      const { revision } = await revertChange(workspace, params.id as string);
      return { status: 200, body: { revision }, revision };
    },
  }),
];
