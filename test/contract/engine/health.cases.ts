// Which answers and failures mark a backend dead; the answer itself is passed on in any case.
import { expect } from 'vitest';
import { ok, response } from '../../helpers/backend.js';
import { eventually } from '../../helpers/eventually.js';
import { type Case, type CaseGroup, head } from './world.js';

/** One answer of one of two backends, and whether it costs it its place. */
function statusCase(status: string, dies: boolean, ...lines: readonly string[]): Case {
  return {
    title: `passes ${[status, ...lines].join(' with ')} on and ${dies ? 'marks' : 'does not mark'} the backend dead`,
    async run(world) {
      const bad = await world.backend(response(status, 'sorry', ...lines));
      const good = await world.backend(ok('good'));
      const host = await world.frontend(bad, good);
      // In turn, so both are asked.
      const statuses = [(await world.get(host)).status, (await world.get(host)).status].sort();
      expect(statuses).toEqual([200, Number(status.split(' ')[0])]);
      if (dies) {
        await eventually('the mark', async () => (await world.dead(host)).includes(bad.url));
        for (let turn = 0; turn < 4; turn++) expect((await world.get(host)).text).toBe('good');
        expect(bad.requests).toHaveLength(1);
      } else {
        for (let turn = 0; turn < 4; turn++) await world.get(host);
        expect(await world.dead(host)).toEqual([]);
        expect(bad.requests.length).toBe(3);
      }
    },
  };
}

export const healthCases: CaseGroup = {
  title: 'dead marks',
  cases: [
    statusCase('500 Internal Server Error', false),
    statusCase('501 Not Implemented', true),
    statusCase('502 Bad Gateway', true),
    statusCase('503 Service Unavailable', true),
    statusCase('503 Service Unavailable', false, 'Retry-After: 60'),
    statusCase('504 Gateway Timeout', true),
    {
      title: 'marks a backend that refuses, and asks it no more',
      async run(world) {
        const backend = await world.backend(ok('good'));
        const host = await world.frontend(world.refusing[0], backend);
        for (let turn = 0; turn < 3; turn++) await world.get(host);
        await eventually('the mark', async () => (await world.dead(host)).includes(world.refusing[0]));
      },
    },
    {
      title: 'marks a backend that is silent',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const silent = await world.backend(() => {});
        const backend = await world.backend(ok('good'));
        const host = await world.frontend(silent, backend);
        await Promise.all([world.get(host), world.get(host)]);
        await eventually('the mark', async () => (await world.dead(host)).includes(silent.url));
      },
    },
    {
      title: 'never marks the only backend of a frontend',
      async run(world) {
        const backend = await world.backend(response('502 Bad Gateway', 'mine'));
        const host = await world.frontend(backend);
        for (let turn = 0; turn < 3; turn++) {
          const answer = await world.get(host);
          expect(answer.status).toBe(502);
          expect(answer.text).toBe('mine');
          expect(answer.fields.get('x-cjs-proxy-error')).toBeNull();
        }
        expect(await world.dead(host)).toEqual([]);
      },
    },
    {
      title: 'does not mark a backend whose client left',
      async run(world) {
        const one = await world.backend(() => {});
        const two = await world.backend(() => {});
        const host = await world.frontend(one, two);
        const client = await world.client();
        client.send(head('GET', '/', host));
        await eventually('the request to arrive', () => one.requests.length + two.requests.length === 1);
        client.reset();
        await eventually('the backend connection to close', () => one.open + two.open === 0);
        expect(await world.dead(host)).toEqual([]);
      },
    },
    {
      title: 'does not mark a backend that broke an answer off',
      async run(world) {
        const one = await world.backend((_request, connection) =>
          connection.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
        );
        const two = await world.backend((_request, connection) =>
          connection.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
        );
        const host = await world.frontend(one, two);
        await expect(world.get(host)).rejects.toThrow('the connection ended');
        expect(await world.dead(host)).toEqual([]);
      },
    },
  ],
};
