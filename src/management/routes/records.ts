// The endpoints of tiers, members, auth providers, health checks, patterns, streams and block lists: the same five for each.
import * as z from 'zod';
import { type Endpoint, endpoint, writtenAnswer } from '../endpoint.js';
import { type RecordResource, recordResources } from '../operations/record-resources.js';
import { deleteRecord, listRecords, patchRecord, putRecord, readRecord } from '../operations/records.js';
import { pageHeaders, pageQuery } from './paging.js';

export const recordEndpoints: readonly Endpoint[] = recordResources.flatMap(endpointsOf);

function endpointsOf(resource: RecordResource): Endpoint[] {
  const { path, title, single, role, schema, summary } = resource;
  const tag = title;
  const one = single ? path : `${path}/{name}`;
  const common = { tag, scoped: false, role } as const;
  const missing = single ? {} : { 404: { description: 'There is none.' } };
  const list = endpoint({
    ...common,
    method: 'get',
    path,
    role: 'read',
    summary: `Lists them, a page at a time. ${summary}`,
    query: pageQuery,
    answers: { 200: { description: 'Those of this page, each with its `name`.', schema: z.array(schema) } },
    async handle({ workspace, query }) {
      const { records, cursor } = await listRecords(workspace, resource, query);
      return { status: 200, body: records, headers: pageHeaders(path, query, cursor) };
    },
  });
  const read = endpoint({
    ...common,
    method: 'get',
    path: one,
    role: 'read',
    summary: single ? summary : 'Gives one.',
    answers: { 200: { description: 'As it is.', schema }, ...missing },
    async handle({ workspace, params }) {
      const { record, etag } = await readRecord(workspace, resource, params.name ?? '');
      return { status: 200, body: record, headers: { ETag: etag } };
    },
  });
  const put = endpoint({
    ...common,
    method: 'put',
    path: one,
    summary: 'Makes it, or replaces it as a whole. Sent twice it changes nothing the second time.',
    body: schema,
    answers: {
      200: { description: 'As it is now.', schema },
      ...(single ? {} : { 201: { description: 'It is made.', schema } }),
    },
    handle: async ({ workspace, params, body, conditions }) =>
      writtenAnswer(await putRecord(workspace, resource, params.name ?? '', body, conditions)),
  });
  const patch = endpoint({
    ...common,
    method: 'patch',
    path: one,
    summary: 'Changes members of it (RFC 7396): null takes one away.',
    body: z.record(z.string(), z.unknown()).describe('Members, as of PUT.'),
    answers: { 200: { description: 'As it is now.', schema }, ...missing },
    handle: async ({ workspace, params, body, conditions }) =>
      writtenAnswer(await patchRecord(workspace, resource, params.name ?? '', body, conditions)),
  });
  const remove = endpoint({
    ...common,
    method: 'delete',
    path: one,
    summary: 'Removes it.',
    answers: { 204: { description: 'It is gone.' }, 404: { description: 'There is none.' } },
    async handle({ workspace, params, conditions }) {
      const { revision } = await deleteRecord(workspace, resource, params.name ?? '', conditions);
      return { status: 204, revision };
    },
  });
  return single ? [read, put, patch, remove] : [list, read, put, patch, remove];
}
