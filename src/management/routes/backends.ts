// /routes/{vHost}/backends.
import * as z from 'zod';
import { endpoint, writtenAnswer } from '../endpoint.js';
import {
  addBackend,
  drainBackend,
  giveBack,
  listBackends,
  removeBackend,
  takeOut,
  undrainBackend,
} from '../operations/backends.js';
import { backendSchema } from '../operations/schemas.js';

const tag = 'Backends';
const path = '/routes/{vHost}/backends';
const common = { tag, scoped: true, role: 'write' } as const;
const backend = { schema: backendSchema };
const missing = { 404: { description: 'There is no such route or backend.' } };

export const backendEndpoints = [
  endpoint({
    ...common,
    method: 'get',
    path,
    role: 'read',
    summary: 'Lists the backends of a route, and how they stand.',
    answers: { 200: { description: 'Backends, in the order of the list.', schema: z.array(backendSchema) }, ...missing },
    handle: async ({ workspace, params }) => ({ status: 200, body: await listBackends(workspace, params.vHost as string) }),
  }),
  endpoint({
    ...common,
    method: 'post',
    path,
    summary: 'Adds a backend. Without `id` it gets one.',
    body: backendSchema,
    answers: { 201: { description: 'It is added.', ...backend }, 409: { description: 'That id is used.' }, ...missing },
    handle: async ({ workspace, params, body, conditions }) =>
      writtenAnswer(await addBackend(workspace, params.vHost as string, body, conditions)),
  }),
  endpoint({
    ...common,
    method: 'delete',
    path: `${path}/{id}`,
    summary: 'Removes a backend.',
    answers: { 204: { description: 'It is gone.' }, ...missing },
    async handle({ workspace, params, conditions }) {
      const { revision } = await removeBackend(workspace, params.vHost as string, params.id as string, conditions);
      return { status: 204, revision };
    },
  }),
  endpoint({
    ...common,
    method: 'post',
    path: `${path}/{id}/dead`,
    summary: 'Takes a backend out for maintenance: only a person gives it back.',
    answers: { 200: { description: 'It is out.', ...backend }, ...missing },
    handle: async ({ workspace, params }) => writtenAnswer(await takeOut(workspace, params.vHost as string, params.id as string)),
  }),
  endpoint({
    ...common,
    method: 'delete',
    path: `${path}/{id}/dead`,
    summary: 'Gives a backend back after maintenance, or revives one that was found dead.',
    answers: { 200: { description: 'It is used again.', ...backend }, ...missing },
    handle: async ({ workspace, params }) =>
      writtenAnswer(await giveBack(workspace, params.vHost as string, params.id as string)),
  }),
  endpoint({
    ...common,
    method: 'post',
    path: `${path}/{id}/drain`,
    summary: 'Gives a backend no new clients; those that are pinned to it stay.',
    answers: { 200: { description: 'It gets no new clients.', ...backend }, ...missing },
    handle: async ({ workspace, params }) =>
      writtenAnswer(await drainBackend(workspace, params.vHost as string, params.id as string)),
  }),
  endpoint({
    ...common,
    method: 'delete',
    path: `${path}/{id}/drain`,
    summary: 'Ends that.',
    answers: { 200: { description: 'It gets new clients.', ...backend }, ...missing },
    handle: async ({ workspace, params }) =>
      writtenAnswer(await undrainBackend(workspace, params.vHost as string, params.id as string)),
  }),
];
