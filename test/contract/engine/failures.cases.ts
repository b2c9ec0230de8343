// What a client sees when a backend fails or is silent, and what a backend sees when a client does.
import { expect } from 'vitest';
import { resetSocket } from '../../../src/base/socket-reset.js';
import { ok, response } from '../../helpers/backend.js';
import { eventually, pause } from '../../helpers/eventually.js';
import { type CaseGroup, head, pattern, withBody } from './world.js';

const headOfHundred = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n';
const chunkedHead = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

export const failureCases: CaseGroup = {
  title: 'failures',
  cases: [
    {
      title: 'answers 502 when the only backend refuses, each time anew',
      async run(world) {
        const host = await world.frontend(world.refusing[0]);
        for (let turn = 0; turn < 2; turn++) {
          const answer = await world.get(host);
          expect(answer.status).toBe(502);
          expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-refused');
        }
      },
    },
    {
      title: 'answers 502 when the name of a backend does not exist',
      async run(world) {
        const answer = await world.get(await world.frontend('http://no-such-host.invalid:80'));
        expect(answer.status).toBe(502);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-unreachable');
      },
    },
    {
      title: 'answers 502, not 504, when a backend resets before it answers (D.9)',
      async run(world) {
        const backend = await world.backend((_request, connection) => connection.reset());
        const answer = await world.get(await world.frontend(backend));
        expect(answer.status).toBe(502);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-closed');
      },
    },
    {
      title: 'answers 504 in time when a backend is silent',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const backend = await world.backend(() => {});
        const host = await world.frontend(backend);
        const begin = performance.now();
        const answer = await world.get(host);
        expect(answer.status).toBe(504);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('backend-timeout');
        const took = performance.now() - begin;
        expect(took).toBeGreaterThan(400);
        expect(took).toBeLessThan(2500);
        await eventually('the backend connection to close', () => backend.open === 0);
      },
    },
    {
      title: 'answers 504 to a POST whose backend is silent, and sends it once',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const one = await world.backend(() => {});
        const two = await world.backend(() => {});
        const answer = await world.exchange(withBody('POST', '/', await world.frontend(one, two), 'body'));
        expect(answer.status).toBe(504);
        expect(one.requests.length + two.requests.length).toBe(1);
      },
    },
    {
      title: 'cuts an answer that would have ended with the connection when its backend resets it',
      async run(world) {
        const backend = await world.backend((_request, connection) => {
          // Together, so that the event loop tells of an end.
          connection.send('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf of it');
          resetSocket(connection.socket);
        });
        await expect(world.get(await world.frontend(backend))).rejects.toThrow();
      },
    },
    {
      title: 'cuts an answer whose backend falls silent in the middle',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const backend = await world.backend((_request, connection) => connection.send(`${headOfHundred}only this`));
        await expect(world.get(await world.frontend(backend))).rejects.toThrow('the connection ended');
        await eventually('the backend connection to close', () => backend.open === 0);
      },
    },
    {
      title: 'is patient with a slow backend that keeps on sending',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const backend = await world.backend(async (_request, connection) => {
          connection.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n');
          for (const byte of 'slowly') {
            await pause(200);
            connection.send(byte);
          }
        });
        expect((await world.get(await world.frontend(backend))).text).toBe('slowly');
      },
    },
    {
      title: 'does not blame a backend for a client that is slow to send',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const backend = await world.backend(ok('waited'));
        const client = await world.client();
        client.send(head('POST', '/', await world.frontend(backend), 'Content-Length: 8'));
        client.send('half');
        await pause(1200);
        client.send('half');
        expect((await client.response()).text).toBe('waited');
      },
    },
    {
      title: 'does not blame a backend for a client that is slow to read',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const bytes = pattern(32 * 1_048_576);
        const backend = await world.backend(async (_request, connection) => {
          connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`);
          await connection.flood(bytes);
        });
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend)));
        const start = await client.head();
        client.pause();
        await pause(1200);
        client.resume();
        expect((await client.finish(start)).body.equals(bytes)).toBe(true);
      },
    },
    {
      title: 'gives a backend up when its client leaves before the answer',
      async run(world) {
        const backend = await world.backend(() => {});
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend)));
        await eventually('the request to arrive', () => backend.requests.length === 1);
        client.reset();
        await eventually('the backend connection to close', () => backend.open === 0);
      },
    },
    {
      title: 'gives a backend up when its client leaves in the middle of the answer',
      async run(world) {
        const backend = await world.backend((_request, connection) => connection.send(`${headOfHundred}some`));
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend)));
        await client.queue.until('some');
        client.reset();
        await eventually('the backend connection to close', () => backend.open === 0);
      },
    },
    {
      title: 'gives a backend up when its client leaves in the middle of the request',
      async run(world) {
        const backend = await world.backend(ok());
        const client = await world.client();
        client.send(head('POST', '/', await world.frontend(backend), 'Content-Length: 100'));
        client.send('some');
        await eventually('the request to arrive', () => (backend.connections[0]?.queue.length ?? 0) > 0);
        client.reset();
        await eventually('the backend connection to close', () => backend.open === 0);
        expect(backend.only.body).toBeNull();
      },
    },
    {
      title: 'gives a client the answer when it has closed its sending side',
      async run(world) {
        const backend = await world.backend(async (_request, connection) => {
          await pause(50);
          connection.send(ok('still here'));
        });
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend)));
        client.end();
        expect((await client.response()).text).toBe('still here');
        expect(await client.ended()).toBe('end');
      },
    },
    {
      title: 'describes an error in JSON to a client that asks for it',
      async run(world) {
        const host = await world.frontend(world.refusing[0]);
        const answer = await world.get(host, '/', 'Accept: application/json');
        expect(answer.status).toBe(502);
        expect(answer.fields.get('content-type')).toContain('application/json');
        expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 'backend-refused', status: 502 } });
      },
    },
    {
      title: 'shows a browser a page',
      async run(world) {
        const host = await world.frontend(world.refusing[0]);
        const answer = await world.get(host, '/', 'Accept: text/html');
        expect(answer.fields.get('content-type')).toContain('text/html');
        expect(answer.text).toContain('<html');
      },
    },
    {
      title: 'sends no body with an error in answer to HEAD',
      async run(world) {
        const host = await world.frontend(world.refusing[0]);
        const client = await world.client();
        client.send(head('HEAD', '/', host));
        expect((await client.response('HEAD')).status).toBe(502);
        client.send(head('HEAD', '/', host));
        expect((await client.response('HEAD')).status).toBe(502);
        expect(client.queue.length).toBe(0);
      },
    },
    {
      title: 'keeps the connection of a client through an error, its body thrown away',
      async run(world) {
        const backend = await world.backend(ok('alive'));
        const bad = await world.frontend(world.refusing[0]);
        const good = await world.frontend(backend);
        const client = await world.client();
        client.send(withBody('POST', '/', bad, 'x'.repeat(10_000)) + head('GET', '/', good));
        expect((await client.response()).status).toBe(502);
        expect((await client.response()).text).toBe('alive');
      },
    },
    {
      title: 'serves others on after a backend failed in every way',
      async run(world) {
        const texts = ['', 'garbage\r\n\r\n', headOfHundred, `${chunkedHead}zz\r\n`, response('101 What', '')];
        const broken = await world.backend(async (request, connection) =>
          connection.end(texts[Number(request.target.slice(1))] ?? ''),
        );
        const backend = await world.backend(ok('fine'));
        const bad = await world.frontend(broken);
        const good = await world.frontend(backend);
        await Promise.all(texts.map((_, at) => world.get(bad, `/${at}`).catch(() => {})));
        expect((await world.get(good)).text).toBe('fine');
      },
    },
  ],
};
