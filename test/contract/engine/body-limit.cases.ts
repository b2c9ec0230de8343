// Request bodies that are larger than the policy of a frontend allows.
import { expect } from 'vitest';
import { answering, ok } from '../../helpers/backend.js';
import { eventually } from '../../helpers/eventually.js';
import { type CaseGroup, head, withBody } from './world.js';

const chunkedLine = 'Transfer-Encoding: chunked';

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

export const bodyLimitCases: CaseGroup = {
  title: 'the largest body of a policy',
  cases: [
    {
      title: 'refuses a body by its length before a backend is asked, and takes one of that size',
      async run(world) {
        const backend = await world.backend(ok('taken'));
        const host = await world.frontend(backend);
        await world.policy(host, { maxBody: 10 });
        const client = await world.client();
        client.send(withBody('POST', '/', host, 'x'.repeat(11)));
        const answer = await client.response('POST');
        expect([answer.status, answer.fields.get('x-cjs-proxy-error')]).toEqual([413, 'body-too-large']);
        expect(backend.dialled).toBe(0);
        // The rest was read away, so the connection can be used again.
        client.send(withBody('POST', '/', host, 'x'.repeat(10)));
        expect((await client.response('POST')).text).toBe('taken');
        client.send(head('GET', '/', host));
        expect((await client.response()).text).toBe('taken');
      },
    },
    {
      title: 'refuses a body by its length before the client has sent it',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { maxBody: '1K' });
        const client = await world.client();
        client.send(head('POST', '/', host, 'Content-Length: 1000000000', 'Expect: 100-continue'));
        const answer = await client.response('POST');
        expect([answer.status, answer.interims.length, answer.fields.get('connection')]).toEqual([413, 0, 'close']);
        expect(await client.ended()).toBe('end');
        expect(backend.dialled).toBe(0);
      },
    },
    {
      title: "refuses a body in chunks as soon as it is too large, and cuts the backend's request",
      async run(world) {
        const backend = await world.backend(async (request) => {
          await request.whole();
        });
        const host = await world.frontend(backend);
        await world.policy(host, { maxBody: 100_000 });
        const client = await world.client();
        client.send(head('POST', '/', host, chunkedLine));
        client.send(chunk('x'.repeat(90_000)));
        await eventually('the backend to see the request', () => backend.requests.length === 1);
        client.send(chunk('x'.repeat(20_000)));
        const answer = await client.response('POST');
        expect([answer.status, answer.fields.get('x-cjs-proxy-error')]).toEqual([413, 'body-too-large']);
        await eventually('the backend to lose its connection', () => backend.open === 0);
        expect(backend.only.body).toBeNull();
      },
    },
    {
      title: 'goes on with the connection of a client that ends its chunks after the refusal',
      async run(world) {
        const backend = await world.backend(answering(ok('taken')));
        const host = await world.frontend(backend);
        await world.policy(host, { maxBody: 10 });
        const client = await world.client();
        client.send(`${head('POST', '/', host, chunkedLine)}${chunk('x'.repeat(8))}`);
        client.send(chunk('x'.repeat(8)));
        expect((await client.response('POST')).status).toBe(413);
        client.send(`${chunk('x'.repeat(8))}0\r\n\r\n${head('GET', '/', host)}`);
        expect((await client.response()).text).toBe('taken');
      },
    },
    {
      title: 'refuses chunks that came with the head, and takes those that fit',
      async run(world) {
        const backend = await world.backend(ok('taken'));
        const host = await world.frontend(backend);
        await world.policy(host, { maxBody: 10 });
        const client = await world.client();
        for (const [size, status] of [
          [10, 200],
          [11, 413],
          [10, 200],
        ] as const) {
          client.send(`${head('POST', '/', host, chunkedLine)}${chunk('x'.repeat(size))}0\r\n\r\n`);
          expect((await client.response('POST')).status).toBe(status);
        }
        expect(backend.requests.map((request) => request.text.length)).toEqual([10, 10]);
      },
    },
    {
      title: 'cuts the connection when a body turns out too large after the answer has begun',
      async run(world) {
        const backend = await world.backend((_request, connection) =>
          connection.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
        );
        const host = await world.frontend(backend);
        await world.policy(host, { maxBody: 10 });
        const client = await world.client();
        client.send(`${head('POST', '/', host, chunkedLine)}${chunk('x'.repeat(8))}`);
        expect((await client.head()).startLine).toContain('200');
        client.send(chunk('x'.repeat(8)));
        expect((await client.queue.rest()).bytes.toString()).toBe('half');
      },
    },
    {
      title: 'allows no body at all with 0, and every request without one',
      async run(world) {
        const host = await world.frontend(await world.backend(ok('taken')));
        await world.policy(host, { maxBody: 0 });
        expect((await world.get(host)).text).toBe('taken');
        expect((await world.exchange(withBody('POST', '/', host, ''), 'POST')).text).toBe('taken');
        expect((await world.exchange(withBody('POST', '/', host, 'x'), 'POST')).status).toBe(413);
      },
    },
  ],
};
