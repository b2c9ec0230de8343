// /routes and /routes/{vHost}.
import * as z from 'zod';
import { endpoint, writtenAnswer } from '../endpoint.js';
import { frontendName } from '../operations/names.js';
import { createRoute, deleteRoute, listRoutes, patchRoute, putRoute, readRoute } from '../operations/routes.js';
import { routePatchSchema, routeReplacementSchema, routeSchema } from '../operations/schemas.js';
import { invalidBody } from '../problem.js';
import { pageHeaders, pageQuery } from './paging.js';

const route = { schema: routeSchema };
const tag = 'Routes';

export const routeEndpoints = [
  endpoint({
    method: 'get',
    path: '/routes',
    tag,
    summary: 'Lists routes, a page at a time. `Link` names the next page; one that is there all the time comes at least once.',
    role: 'read',
    scoped: true,
    query: pageQuery,
    answers: { 200: { description: 'Routes of this page, private keys left out.', schema: z.array(routeSchema) } },
    async handle({ workspace, query }) {
      const { routes, cursor } = await listRoutes(workspace, query);
      return { status: 200, body: routes, headers: pageHeaders('/routes', query, cursor) };
    },
  }),
  endpoint({
    method: 'post',
    path: '/routes',
    tag,
    summary: 'Makes a route.',
    role: 'write',
    scoped: true,
    body: routeSchema,
    answers: {
      201: { description: 'It is made; with its defaults, and `warnings` where something about it is odd.', ...route },
      409: { description: 'There is one of that name.' },
    },
    async handle({ workspace, body }) {
      const written = await createRoute(workspace, body);
      const answer = writtenAnswer(written);
      return { ...answer, headers: { ...answer.headers, Location: `/api/v1/routes/${encodeURIComponent(written.value.vHost)}` } };
    },
  }),
  endpoint({
    method: 'get',
    path: '/routes/{vHost}',
    tag,
    summary: 'Gives a route.',
    role: 'read',
    scoped: true,
    answers: { 200: { description: 'The route.', ...route }, 404: { description: 'There is none.' } },
    async handle({ workspace, params }) {
      const { route: value, etag } = await readRoute(workspace, params.vHost as string);
      return { status: 200, body: value, headers: { ETag: etag } };
    },
  }),
  endpoint({
    method: 'put',
    path: '/routes/{vHost}',
    tag,
    summary: 'Makes a route, or replaces it as a whole. Sent twice it changes nothing the second time.',
    role: 'write',
    scoped: true,
    body: routeReplacementSchema,
    answers: { 200: { description: 'It is replaced.', ...route }, 201: { description: 'It is made.', ...route } },
    async handle({ workspace, params, body, conditions }) {
      const vHost = frontendName(params.vHost as string);
      if (body.vHost !== undefined && frontendName(body.vHost) !== vHost)
        throw invalidBody([{ pointer: '/vHost', detail: 'is another one than that of the path' }]);
      return writtenAnswer(await putRoute(workspace, { ...body, vHost }, conditions));
    },
  }),
  endpoint({
    method: 'patch',
    path: '/routes/{vHost}',
    tag,
    summary: 'Changes members of a route (RFC 7396): null takes one away, backends are replaced as a whole.',
    role: 'write',
    scoped: true,
    body: routePatchSchema,
    answers: { 200: { description: 'It is changed.', ...route }, 404: { description: 'There is none.' } },
    async handle({ workspace, params, body, conditions }) {
      return writtenAnswer(await patchRoute(workspace, params.vHost as string, body, conditions));
    },
  }),
  endpoint({
    method: 'delete',
    path: '/routes/{vHost}',
    tag,
    summary: 'Removes a route with its policy and its marks. The certificate of its host stays.',
    role: 'write',
    scoped: true,
    answers: { 204: { description: 'It is gone.' }, 404: { description: 'There is none.' } },
    async handle({ workspace, params, conditions }) {
      const { revision } = await deleteRoute(workspace, params.vHost as string, conditions);
      return { status: 204, revision };
    },
  }),
];
