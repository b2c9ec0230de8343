// When a request is tried again, and when it must not be.
import { expect } from 'vitest';
import { ok, type Script } from '../../helpers/backend.js';
import { eventually } from '../../helpers/eventually.js';
import { type CaseGroup, head, pattern, withBody } from './world.js';

/** Reads the request, then resets the connection. */
const resetting: Script = async (request, connection) => {
  await request.whole();
  connection.reset();
};

/** Answers the first request of each connection; at a further one it closes, as a backend does whose idle time is over. */
const closingOnSecond: Script = async (request, connection) => {
  await request.whole();
  if (connection.requests > 1) connection.socket.destroy();
  else connection.send(ok('fresh'));
};

export const retryCases: CaseGroup = {
  title: 'further attempts',
  cases: [
    {
      title: 'tries another backend when one refuses',
      async run(world) {
        const backend = await world.backend(ok('here'));
        const host = await world.frontend(world.refusing[0], backend);
        for (let turn = 0; turn < 4; turn++) expect((await world.get(host)).text).toBe('here');
        expect(backend.requests).toHaveLength(4);
      },
    },
    {
      title: 'tries one after the other until a backend takes the request',
      async run(world) {
        const backend = await world.backend(ok('the last'));
        const host = await world.frontend(...world.refusing, backend);
        expect((await world.get(host)).text).toBe('the last');
      },
    },
    {
      title: 'answers 502 when all backends refuse',
      async run(world) {
        const host = await world.frontend(...world.refusing);
        const answer = await world.get(host);
        expect(answer.status).toBe(502);
        expect(['backend-refused', 'no-backend']).toContain(answer.fields.get('x-cjs-proxy-error'));
      },
    },
    {
      title: 'tries no more often than allowed',
      settings: { server: { retryOnError: 0 } },
      async run(world) {
        const backend = await world.backend(resetting);
        const other = await world.backend(resetting);
        const answer = await world.get(await world.frontend(backend, other));
        expect(answer.status).toBe(502);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-closed');
        expect(backend.requests.length + other.requests.length).toBe(1);
      },
    },
    {
      title: 'repeats a GET at another backend when one resets before it answers',
      async run(world) {
        const broken = await world.backend(resetting);
        const working = await world.backend(ok('works'));
        const host = await world.frontend(broken, working);
        for (let turn = 0; turn < 4; turn++) expect((await world.get(host)).text).toBe('works');
        expect(broken.requests.length).toBeGreaterThan(0);
      },
    },
    {
      title: 'repeats a PUT with its body at another backend when one resets before it answers',
      async run(world) {
        const broken = await world.backend(resetting);
        const working = await world.backend(ok('stored'));
        const host = await world.frontend(broken, working);
        for (let turn = 0; turn < 4; turn++) {
          const answer = await world.exchange(withBody('PUT', '/', host, 'content'));
          expect(answer.text).toBe('stored');
        }
        expect(working.requests.map((request) => request.text)).toEqual(Array(4).fill('content'));
        expect(broken.requests.length).toBeGreaterThan(0);
      },
    },
    {
      title: 'never repeats a POST that a backend may have seen',
      async run(world) {
        const one = await world.backend(resetting);
        const two = await world.backend(resetting);
        const host = await world.frontend(one, two);
        const answer = await world.exchange(withBody('POST', '/', host, 'once only'));
        expect(answer.status).toBe(502);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-closed');
        expect(one.requests.length + two.requests.length).toBe(1);
      },
    },
    {
      title: 'sends a POST with its whole body to another backend when one refuses',
      async run(world) {
        const backend = await world.backend(ok('got it'));
        for (let turn = 0; turn < 2; turn++) {
          const host = await world.frontend(world.refusing[0], backend);
          for (let again = 0; again < 2; again++) {
            const answer = await world.exchange(withBody('POST', '/', host, `content ${turn}${again}`));
            expect(answer.text).toBe('got it');
          }
        }
        expect(backend.requests.map((request) => request.text)).toEqual(['content 00', 'content 01', 'content 10', 'content 11']);
      },
    },
    {
      title: 'sends a chunked body in pieces whole to another backend when one refuses',
      async run(world) {
        const backend = await world.backend(ok('got it'));
        const host = await world.frontend(...world.refusing, backend);
        const client = await world.client();
        client.send(`${head('POST', '/', host, 'Transfer-Encoding: chunked')}3\r\nabc\r\n`);
        await eventually('the head at the backend', () => backend.requests.length === 1);
        client.send('3\r\ndef\r\n0\r\nX-T: u\r\n\r\n');
        expect((await client.response()).text).toBe('got it');
        expect(backend.only.text).toBe('abcdef');
        expect(backend.only.body?.trailers.get('x-t')).toBe('u');
      },
    },
    {
      title: 'sends a body larger than is kept whole to another backend when one refuses',
      async run(world) {
        const bytes = pattern(500_000);
        const backend = await world.backend(ok('got it'));
        const host = await world.frontend(...world.refusing, backend);
        const client = await world.client();
        client.send(head('POST', '/', host, `Content-Length: ${bytes.length}`));
        await client.sendAll(bytes);
        expect((await client.response()).text).toBe('got it');
        expect(backend.only.body?.bytes.equals(bytes)).toBe(true);
      },
    },
    {
      title: 'does not repeat a PUT whose body is no longer whole at hand',
      async run(world) {
        const one = await world.backend(resetting);
        const two = await world.backend(resetting);
        const bytes = pattern(300_000);
        const client = await world.client();
        client.send(head('PUT', '/', await world.frontend(one, two), `Content-Length: ${bytes.length}`));
        await client.sendAll(bytes);
        expect((await client.response()).status).toBe(502);
        expect(one.requests.length + two.requests.length).toBe(1);
      },
    },
    {
      title: 'repeats a GET on a new connection when a kept one turns out to be closed',
      async run(world) {
        const backend = await world.backend(closingOnSecond);
        const host = await world.frontend(backend);
        for (let turn = 0; turn < 4; turn++) {
          const answer = await world.get(host);
          expect(answer.status).toBe(200);
          expect(answer.text).toBe('fresh');
        }
      },
    },
    {
      title: 'sends no POST twice when a kept connection turns out to be closed',
      async run(world) {
        const backend = await world.backend(closingOnSecond);
        const host = await world.frontend(backend);
        await world.get(host);
        const answer = await world.exchange(withBody('POST', '/', host, 'once'));
        const posts = backend.requests.filter((request) => request.method === 'POST');
        expect(posts).toHaveLength(1);
        // On the kept connection it was lost; on a new one it was answered.
        expect([200, 502]).toContain(answer.status);
      },
    },
    {
      title: 'does not meet a kept connection that the backend has closed in the meantime',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          await request.whole();
          connection.send(ok('and goodbye'));
          setTimeout(() => connection.socket.end(), 20);
        });
        const host = await world.frontend(backend);
        for (let turn = 0; turn < 3; turn++) {
          const answer = await world.exchange(withBody('POST', '/', host, 'x'));
          expect(answer.text).toBe('and goodbye');
          await eventually('the backend to close', () => backend.open === 0);
        }
        expect(backend.requests).toHaveLength(3);
      },
    },
    {
      title: 'does not try again once an answer has begun',
      async run(world) {
        const cutting: Script = (_request, connection) => {
          connection.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun');
          setTimeout(() => connection.reset(), 20);
        };
        const one = await world.backend(cutting);
        const two = await world.backend(cutting);
        await expect(world.get(await world.frontend(one, two))).rejects.toThrow('the connection ended');
        expect(one.requests.length + two.requests.length).toBe(1);
      },
    },
  ],
};
