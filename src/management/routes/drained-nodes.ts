// /nodes/{id}/drain.
import { type Endpoint, endpoint } from '../endpoint.js';
import type { Fleet } from '../fleet.js';
import { drainNode } from '../operations/drained-nodes.js';
import { notFound } from '../problem.js';

const common = { path: '/nodes/{id}/drain', tag: 'Fleet', role: 'admin', scoped: false } as const;

/** @param fleet knows the nodes */
export function drainedNodeEndpoints(fleet: Pick<Fleet, 'known'>): readonly Endpoint[] {
  return [
    endpoint({
      ...common,
      method: 'post',
      summary: 'Takes a node out: its `/ready` says no, also after a restart, until it is given back. What it has it serves.',
      answers: { 204: { description: 'It is to be out.' }, 404: { description: 'There is no such node.' } },
      async handle({ workspace, params }) {
        const { id } = params;
        if (id === undefined || !(await fleet.known()).some((node) => node.id === id)) throw notFound('Node');
        return { status: 204, revision: (await drainNode(workspace, id, true)).revision };
      },
    }),
    endpoint({
      ...common,
      method: 'delete',
      summary: 'Gives a node back, also one that is not there any more.',
      answers: { 204: { description: 'It is not to be out.' } },
      handle: async ({ workspace, params }) => ({
        status: 204,
        revision: (await drainNode(workspace, params.id as string, false)).revision,
      }),
    }),
  ];
}
