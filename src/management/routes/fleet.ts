// /nodes, /stats and /explain: what the fleet tells of itself.
import * as z from 'zod';
import { readFleetStats, readFrontendStats } from '../../store/read-stats.js';
import type { Endpoint } from '../endpoint.js';
import { endpoint } from '../endpoint.js';
import type { Fleet } from '../fleet.js';
import { isThere } from '../operations/etag.js';
import { frontendName, touchable } from '../operations/names.js';
import { notFound } from '../problem.js';

const node = z
  .object({
    id: z.string(),
    host: z.string().describe('Name of the machine.'),
    addresses: z.array(z.string()),
    version: z.string(),
    phase: z.enum(['starting', 'serving', 'reloading', 'stopping']),
    workers: z.int(),
    revision: z.int().describe('The last one that is in force in all of its workers.'),
    staleness: z.number().describe('Milliseconds for which the worst-off worker has not heard of the store.'),
    active: z.int().describe('Requests that run.'),
    connections: z.int(),
  })
  .loose()
  .meta({ id: 'Node' });

const counts = z.record(z.string(), z.number());
const latency = z.object({ p50: z.number(), p95: z.number(), p99: z.number() });
const requestStats = {
  requestsTotal: z.number(),
  requestsPerSec: z.number().describe('Mean of the last ten seconds.'),
  requestsActive: z.number(),
  errorsTotal: z.number(),
  errors: counts.describe('By code.'),
  codes: counts.describe('By status.'),
  avgLatencyMs: z.number(),
  latencyMs: latency,
  hits: z.number(),
  misses: z.number().describe('Turned away by the queue.'),
  queueLength: z.number(),
  queueLengthMax: z.number(),
  activeLength: z.number(),
  activeLengthMax: z.number(),
};
const routeStats = z
  .object({ ...requestStats, backends: z.record(z.string(), z.unknown()) })
  .loose()
  .meta({ id: 'RouteStats' });
const fleetStats = z
  .object({ ...requestStats, routes: z.record(z.string(), routeStats) })
  .loose()
  .meta({ id: 'FleetStats' });

/** @param fleet knows the nodes */
export function fleetEndpoints(fleet: Pick<Fleet, 'known'>): readonly Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/nodes',
      tag: 'Fleet',
      summary: 'Lists the nodes that are there.',
      role: 'read',
      scoped: false,
      answers: { 200: { description: 'Nodes, by id.', schema: z.array(node) } },
      handle: async () => ({ status: 200, body: await fleet.known() }),
    }),
    endpoint({
      method: 'get',
      path: '/nodes/{id}',
      tag: 'Fleet',
      summary: 'Gives a node.',
      role: 'read',
      scoped: false,
      answers: { 200: { description: 'The node.', schema: node }, 404: { description: 'It is not there.' } },
      async handle({ params }) {
        const found = (await fleet.known()).find(({ id }) => id === params.id);
        if (found === undefined) throw notFound('Node');
        return { status: 200, body: found };
      },
    }),
    endpoint({
      method: 'get',
      path: '/stats',
      tag: 'Fleet',
      summary: 'What all nodes have counted, added up, in total and by route.',
      role: 'read',
      scoped: false,
      answers: { 200: { description: 'Statistics.', schema: fleetStats } },
      handle: async ({ workspace }) => ({ status: 200, body: await readFleetStats(workspace.store) }),
    }),
    endpoint({
      method: 'get',
      path: '/stats/{vHost}',
      tag: 'Fleet',
      summary: 'The same of one route; zeros where nobody has asked for it yet.',
      role: 'read',
      scoped: true,
      answers: { 200: { description: 'Statistics.', schema: routeStats }, 404: { description: 'There is no such route.' } },
      async handle({ workspace, params }) {
        const name = touchable(workspace, frontendName(params.vHost as string));
        const [record] = await workspace.store.readFrontends([name]);
        if (record === undefined || !isThere({ values: record.list, fault: record.fault })) throw notFound('Stats');
        return { status: 200, body: await readFrontendStats(workspace.store, name) };
      },
    }),
  ];
}
