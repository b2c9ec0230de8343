// Which connections are used again, which are not, and in what order answers leave.
import { expect } from 'vitest';
import { ok, response } from '../../helpers/backend.js';
import { eventually, pause } from '../../helpers/eventually.js';
import { inChunks } from '../../helpers/http-reader.js';
import { type CaseGroup, head, withBody } from './world.js';

export const connectionCases: CaseGroup = {
  title: 'connections',
  cases: [
    {
      title: 'uses the connections of client and backend again',
      async run(world) {
        const backend = await world.backend(ok('again'));
        const host = await world.frontend(backend);
        const client = await world.client();
        for (let turn = 0; turn < 5; turn++) {
          client.send(turn % 2 === 0 ? head('GET', `/${turn}`, host) : withBody('POST', `/${turn}`, host, 'x'.repeat(turn)));
          expect((await client.response()).text).toBe('again');
        }
        expect(backend.requests.map((request) => request.target)).toEqual(['/0', '/1', '/2', '/3', '/4']);
        expect(backend.dialled).toBe(1);
      },
    },
    {
      title: 'uses a backend connection again for another client',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        for (let turn = 0; turn < 3; turn++) await world.get(host);
        expect(backend.dialled).toBe(1);
      },
    },
    {
      title: 'uses a backend connection again after a chunked answer with trailers',
      async run(world) {
        const text = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${inChunks('abc', 2, 'X-T: u\r\n').toString('latin1')}`;
        const backend = await world.backend(text);
        const host = await world.frontend(backend);
        for (let turn = 0; turn < 3; turn++) expect((await world.get(host)).text).toBe('abc');
        expect(backend.dialled).toBe(1);
      },
    },
    {
      title: 'does not use a connection again that the backend closes',
      async run(world) {
        const backend = await world.backend(response('200 OK', 'bye', 'Connection: close'));
        const host = await world.frontend(backend);
        const client = await world.client();
        for (let turn = 0; turn < 3; turn++) {
          client.send(head('GET', '/', host));
          const answer = await client.response();
          expect(answer.text).toBe('bye');
          // What a backend does with its connection is nothing to the client.
          expect(answer.fields.get('connection')).toBeNull();
        }
        expect(backend.dialled).toBe(3);
      },
    },
    {
      title: 'keeps no backend connection when keep-alive is off',
      settings: { server: { httpKeepAlive: false } },
      async run(world) {
        const backend = await world.backend(ok('once'));
        const host = await world.frontend(backend);
        for (let turn = 0; turn < 2; turn++) expect((await world.get(host)).text).toBe('once');
        expect(backend.dialled).toBe(2);
        expect(backend.requests[0]?.fields.get('connection')).toBe('close');
        await eventually('the connections to close', () => backend.open === 0);
      },
    },
    {
      title: 'closes an idle backend connection after its time',
      settings: { server: { backendIdleTimeout: 300 } },
      async run(world) {
        const backend = await world.backend(ok());
        await world.get(await world.frontend(backend));
        await eventually('the idle connection to close', () => backend.open === 0);
      },
    },
    {
      title: 'closes the connection of a client that asks for it',
      async run(world) {
        const backend = await world.backend(ok('last'));
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend), 'Connection: close'));
        const answer = await client.response();
        expect(answer.text).toBe('last');
        expect(answer.fields.get('connection')).toBe('close');
        expect(await client.ended()).toBe('end');
        expect(backend.only.fields.get('connection')).not.toBe('close');
      },
    },
    {
      title: 'answers pipelined requests in order, whichever backend is faster',
      async run(world) {
        const slow = await world.backend(async (_request, connection) => {
          await pause(100);
          connection.send(ok('slow'));
        });
        const fast = await world.backend(ok('fast'));
        const slowHost = await world.frontend(slow);
        const fastHost = await world.frontend(fast);
        const client = await world.client();
        client.send(
          head('GET', '/1', slowHost) + head('GET', '/2', fastHost) + head('GET', '/3', slowHost) + head('GET', '/4', fastHost),
        );
        const texts: string[] = [];
        for (let turn = 0; turn < 4; turn++) texts.push((await client.response()).text);
        expect(texts).toEqual(['slow', 'fast', 'slow', 'fast']);
      },
    },
    {
      title: 'tells the bodies of pipelined requests apart',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          await request.whole();
          connection.send(ok(request.text));
        });
        const host = await world.frontend(backend);
        const client = await world.client();
        const inPieces = `${head('POST', '/', host, 'Transfer-Encoding: chunked')}${inChunks('second', 4).toString('latin1')}`;
        client.send(
          withBody('POST', '/', host, 'first') + inPieces + head('GET', '/', host) + withBody('PUT', '/', host, 'fourth'),
        );
        const texts: string[] = [];
        for (let turn = 0; turn < 4; turn++) texts.push((await client.response()).text);
        expect(texts).toEqual(['first', 'second', '', 'fourth']);
      },
    },
    {
      title: 'answers many pipelined requests that arrive in one piece',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          connection.send(ok(request.target));
        });
        const host = await world.frontend(backend);
        const client = await world.client();
        const targets = Array.from({ length: 200 }, (_, turn) => `/${turn}`);
        client.send(targets.map((target) => head('GET', target, host)).join(''));
        for (const target of targets) expect((await client.response()).text).toBe(target);
      },
    },
    {
      title: 'serves clients at the same time, each its own answer',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          await pause(5);
          connection.send(ok(request.target));
        });
        const host = await world.frontend(backend);
        const targets = Array.from({ length: 40 }, (_, turn) => `/client-${turn}`);
        const answers = await Promise.all(targets.map((target) => world.get(host, target)));
        expect(answers.map((answer) => answer.text)).toEqual(targets);
        expect(backend.dialled).toBeGreaterThan(1);
      },
    },
    {
      title: 'opens no more backend connections than allowed, and lets requests wait',
      settings: { server: { maxSockets: 2 } },
      async run(world) {
        let most = 0;
        const backend = await world.backend(async (_request, connection) => {
          most = Math.max(most, backend.open);
          await pause(20);
          connection.send(ok('waited'));
        });
        const host = await world.frontend(backend);
        const answers = await Promise.all(Array.from({ length: 10 }, () => world.get(host)));
        expect(answers.map((answer) => answer.text)).toEqual(Array(10).fill('waited'));
        expect(most).toBeLessThanOrEqual(2);
      },
    },
    {
      title: 'answers 503 when all backend connections stay in use',
      settings: { server: { maxSockets: 1, connectTimeout: 400 } },
      async run(world) {
        const backend = await world.backend(() => {});
        const host = await world.frontend(backend);
        const first = await world.client();
        first.send(head('GET', '/', host));
        await eventually('the first request to arrive', () => backend.requests.length === 1);
        const answer = await world.get(host);
        expect(answer.status).toBe(503);
        expect(answer.fields.get('x-cjs-proxy-error')).toBe('pool-exhausted');
        expect(backend.requests).toHaveLength(1);
      },
    },
    {
      title: 'gives a waiting request the connection of a client that left',
      settings: { server: { maxSockets: 1 } },
      async run(world) {
        const backend = await world.backend((request, connection) => {
          if (request.target !== '/stuck') connection.send(ok('free'));
        });
        const host = await world.frontend(backend);
        const stuck = await world.client();
        stuck.send(head('GET', '/stuck', host));
        await eventually('the first request to arrive', () => backend.requests.length === 1);
        const waiting = world.get(host);
        stuck.reset();
        expect((await waiting).text).toBe('free');
      },
    },
  ],
};
