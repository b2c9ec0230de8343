// /events: server-sent events of every change, of nodes, and of statistics each second.
import { PassThrough } from 'node:stream';
import * as z from 'zod';
import { readFleetStats } from '../../store/read-stats.js';
import type { Changes, ManagementEvent } from '../changes.js';
import { type Endpoint, endpoint } from '../endpoint.js';
import { listenSince } from '../missed-events.js';
import { Problem } from '../problem.js';
import type { Workspace } from '../workspace.js';

/** Streams at a time; each costs a connection. */
const mostStreams = 100;
/** A stream whose reader is so far behind is ended: it would fill the memory. */
const mostBehind = 1_048_576;
const statsInterval = 1_000;
/** A comment now and then, so that nobody in between takes the connection for dead. */
const aliveInterval = 15_000;

/** @param changes what is told */
export function eventEndpoints(changes: Changes): readonly Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/events',
      tag: 'Events',
      summary:
        'Tells what happens as server-sent events: `changed` (a record, by anybody), `history` (a change through the API), `node` (a heartbeat), `stats` (each second), `reset` (something may have been missed). Whoever comes back with `Last-Event-ID`, the id of the `history` event heard last, is told first what was missed.',
      role: 'read',
      scoped: false,
      query: z.strictObject({
        of: z
          .string()
          .default('changed,history,reset')
          .refine(
            (text) => text.split(',').every((name) => names.has(name)),
            'some of changed, history, node, stats, reset, with commas between them',
          )
          .describe('Which events; `reset` comes with any of them.'),
      }),
      answers: { 200: { description: 'A stream of `text/event-stream`; the data of each event is JSON.' } },
      async handle({ workspace, query, request }) {
        if (changes.listeners >= mostStreams)
          throw new Problem('too-many-listeners', `${mostStreams} event streams are open already`);
        const headers = { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' };
        const lastId = String(request.headers['last-event-id'] ?? '');
        return { status: 200, stream: openStream(changes, workspace, new Set(query.of.split(',')), lastId), headers };
      },
    }),
  ];
}

const names: ReadonlySet<string> = new Set(['changed', 'history', 'node', 'stats', 'reset']);

function openStream(
  changes: Changes,
  { store }: Pick<Workspace, 'store'>,
  wanted: ReadonlySet<string>,
  lastId: string,
): PassThrough {
  const stream = new PassThrough();
  const send = (name: string, data: unknown, id = ''): void => {
    if (stream.readableLength + stream.writableLength > mostBehind) {
      stream.destroy();
      return;
    }
    stream.write(`${id === '' ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const told = (event: ManagementEvent): void => {
    if (event.type !== 'reset' && !wanted.has(event.type)) return;
    const { type, ...data } = event;
    if (event.type === 'history') send(type, event.entry, event.entry.id);
    else send(type, data);
  };
  const stop = lastId === '' ? changes.listen(told) : listenSince(changes, store, lastId, told);
  const alive = setInterval(() => stream.write(': here\n\n'), aliveInterval);
  let reading = false;
  const stats = setInterval(() => {
    if (!wanted.has('stats') || reading) return;
    reading = true;
    readFleetStats(store)
      .then(
        (report) => send('stats', report),
        // The next second may be better.
        () => undefined,
      )
      .finally(() => {
        reading = false;
      });
  }, statsInterval);
  stream.once('close', () => {
    stop();
    clearInterval(alive);
    clearInterval(stats);
  });
  stream.write('retry: 1000\n\n');
  return stream;
}
