// What a frontend's policy says of further attempts: D.4 19, statuses, budget, delays.
import { expect } from 'vitest';
import { ok, response, type Script } from '../../helpers/backend.js';
import { eventually } from '../../helpers/eventually.js';
import { type CaseGroup, head, pattern, withBody } from './world.js';

/** An answer that marks no backend dead. */
const busy = response('503 Service Unavailable', 'busy', 'Retry-After: 1');
const failing = response('500 Internal Server Error', 'failed');

const resetting: Script = async (request, connection) => {
  await request.whole();
  connection.reset();
};

export const retryPolicyCases: CaseGroup = {
  title: 'further attempts by policy',
  cases: [
    {
      title: 'D.4 19: makes `retries` further attempts, each on an untried backend, whatever the server says',
      settings: { server: { retryOnError: 0 } },
      async run(world) {
        const backends = await Promise.all(Array.from({ length: 5 }, () => world.backend(resetting)));
        const host = await world.frontend(...backends);
        await world.policy(host, { retries: 2 });
        const answer = await world.get(host);
        expect(answer.status).toBe(502);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-closed');
        expect(backends.map(({ requests }) => requests.length).sort()).toEqual([0, 0, 1, 1, 1]);
      },
    },
    {
      title: 'D.4 19: makes none where `retries` is 0',
      async run(world) {
        const one = await world.backend(resetting);
        const two = await world.backend(resetting);
        const host = await world.frontend(one, two);
        await world.policy(host, { retries: 0 });
        expect((await world.get(host)).status).toBe(502);
        expect(one.requests.length + two.requests.length).toBe(1);
      },
    },
    {
      title: 'D.4 19: tries another backend when one answers a status of `retryOn`',
      async run(world) {
        const bad = await world.backend(busy);
        const good = await world.backend(ok('works'));
        const host = await world.frontend(bad, good);
        await world.policy(host, { retryOn: [503] });
        for (let turn = 0; turn < 4; turn++) {
          const answer = await world.get(host);
          expect(answer.status).toBe(200);
          expect(answer.text).toBe('works');
          // Nothing of the answer that was dropped.
          expect(answer.fields.get('retry-after')).toBeNull();
        }
        expect(bad.requests.length).toBeGreaterThan(0);
        expect(good.requests).toHaveLength(4);
      },
    },
    {
      title: 'D.4 19: passes the last answer on when every backend gives such a status',
      async run(world) {
        const backends = [await world.backend(failing), await world.backend(failing), await world.backend(failing)];
        const host = await world.frontend(...backends);
        await world.policy(host, { retryOn: '5xx' });
        const answer = await world.get(host);
        expect(answer.status).toBe(500);
        expect(answer.text).toBe('failed');
        expect(answer.fields.get('x-cjs-proxy-error')).toBeNull();
        for (const backend of backends) expect(backend.requests).toHaveLength(1);
      },
    },
    {
      title: 'D.4 19: passes the answer on when `retries` are used up',
      async run(world) {
        const backends = [await world.backend(failing), await world.backend(failing), await world.backend(failing)];
        const host = await world.frontend(...backends);
        await world.policy(host, { retryOn: '500', retries: 1 });
        expect((await world.get(host)).text).toBe('failed');
        expect(backends.reduce((sum, { requests }) => sum + requests.length, 0)).toBe(2);
      },
    },
    {
      title: 'D.4 19: passes other statuses on at the first attempt',
      async run(world) {
        const one = await world.backend(failing);
        const two = await world.backend(ok());
        const host = await world.frontend(one, two);
        await world.policy(host, { retryOn: [502, 503] });
        const statuses = [(await world.get(host)).status, (await world.get(host)).status];
        expect(statuses.sort()).toEqual([200, 500]);
      },
    },
    {
      title: 'D.4 19: sends no POST twice that a backend answered, whatever its status',
      async run(world) {
        const one = await world.backend(failing);
        const two = await world.backend(failing);
        const host = await world.frontend(one, two);
        await world.policy(host, { retryOn: '5xx', retries: 5 });
        const answer = await world.exchange(withBody('POST', '/', host, 'once only'));
        expect(answer.text).toBe('failed');
        expect(one.requests.length + two.requests.length).toBe(1);
      },
    },
    {
      title: 'D.4 19: sends the whole body of a PUT to the next backend after such a status',
      async run(world) {
        const bad = await world.backend(failing);
        const good = await world.backend(ok('stored'));
        const host = await world.frontend(bad, good);
        await world.policy(host, { retryOn: [500] });
        const content = pattern(20_000).toString('latin1');
        for (let turn = 0; turn < 2; turn++) {
          expect((await world.exchange(withBody('PUT', '/', host, content))).text).toBe('stored');
        }
        expect(bad.requests.length).toBeGreaterThan(0);
        expect(good.requests.map((request) => request.text === content)).toEqual([true, true]);
      },
    },
    {
      title: 'D.4 19: sends no body again that is larger than what is kept of it',
      settings: { server: { retryBodyLimit: 1_000 } },
      async run(world) {
        const one = await world.backend(failing);
        const two = await world.backend(failing);
        const host = await world.frontend(one, two);
        await world.policy(host, { retryOn: [500] });
        const client = await world.client();
        client.send(head('PUT', '/', host, 'Content-Length: 3000'));
        await eventually('the head at a backend', () => one.requests.length + two.requests.length === 1);
        // More than is kept, and on its way before the answer.
        client.send('x'.repeat(2000));
        client.send('x'.repeat(1000));
        expect((await client.response()).text).toBe('failed');
        expect(one.requests.length + two.requests.length).toBe(1);
      },
    },
    {
      title: 'D.4 19: stops at the retry budget and passes on what there is',
      async run(world) {
        const one = await world.backend(failing);
        const two = await world.backend(failing);
        const host = await world.frontend(one, two);
        await world.policy(host, { retryOn: [500], retryBudget: { percent: 50, minPerSecond: 0, window: 60 } });
        for (let turn = 0; turn < 10; turn++) expect((await world.get(host)).text).toBe('failed');
        expect(one.requests.length + two.requests.length).toBe(15);
      },
    },
    {
      title: 'D.4 19: has the standard budget with `retries`, and none with `retryBudget` false',
      async run(world) {
        for (const { fields, most } of [
          { fields: { retries: 1 }, most: 30 },
          { fields: { retries: 1, retryBudget: false }, most: 40 },
        ]) {
          const one = await world.backend(resetting);
          const two = await world.backend(resetting);
          const host = await world.frontend(one, two);
          await world.policy(host, fields);
          const began = performance.now();
          for (let turn = 0; turn < 40; turn++) expect((await world.get(host)).status).toBe(502);
          // Otherwise the window has moved on and this proves nothing.
          expect(performance.now() - began).toBeLessThan(9_000);
          expect(one.requests.length + two.requests.length).toBe(40 + most);
        }
      },
    },
    {
      title: 'D.4 19: waits before a further attempt when `retryBackoff` says so',
      async run(world) {
        const good = await world.backend(ok('works'));
        const host = await world.frontend(world.refusing[0], good);
        await world.policy(host, { retryBackoff: '200ms' });
        const began = performance.now();
        expect((await world.get(host)).text).toBe('works');
        // Half of it at least; nothing is said of a busy machine.
        expect(performance.now() - began).toBeGreaterThan(99);
      },
    },
    {
      title: 'D.4 19: sends nothing for a client that leaves while a further attempt is put off',
      async run(world) {
        const bad = await world.backend(resetting);
        const other = await world.backend(resetting);
        const host = await world.frontend(bad, other);
        await world.policy(host, { retryBackoff: { first: '300ms', max: '300ms' } });
        const client = await world.client();
        client.send(head('GET', '/', host));
        await eventually('the first attempt', () => bad.requests.length + other.requests.length === 1);
        client.reset();
        await eventually('the end of the exchange', () => world.proxy.proxy.activeExchanges === 0);
        // Two exchanges, one after the other, take longer than the delay that was still running.
        for (let turn = 0; turn < 2; turn++) expect((await world.get(host)).status).toBe(502);
        expect(bad.requests.length + other.requests.length).toBe(1 + 2 * 2);
      },
    },
  ],
};
