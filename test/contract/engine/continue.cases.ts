// Interim responses, the expectation of 100 (Continue), and answers that come before the request is complete.
import { expect } from 'vitest';
import { ok, response } from '../../helpers/backend.js';
import { eventually } from '../../helpers/eventually.js';
import { statusOf } from '../../helpers/raw-client.js';
import { type CaseGroup, head, pattern, withBody } from './world.js';

const earlyHints = 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\nLink: </a.js>\r\n\r\n';

export const continueCases: CaseGroup = {
  title: 'interim and early answers',
  cases: [
    {
      title: 'relays 103 with its lines before the answer',
      async run(world) {
        const backend = await world.backend(`${earlyHints}${ok('page')}`);
        const answer = await world.get(await world.frontend(backend));
        expect(answer.interims.map((interim) => statusOf(interim))).toEqual([103]);
        expect(answer.interims[0]?.fields.all('link')).toEqual(['</style.css>; rel=preload', '</a.js>']);
        expect(answer.text).toBe('page');
      },
    },
    {
      title: 'relays several interim responses, each when it comes',
      async run(world) {
        let finish = (): void => {};
        const backend = await world.backend((_request, connection) => {
          connection.send('HTTP/1.1 102 Processing\r\n\r\n');
          connection.send(earlyHints);
          finish = () => connection.send(ok('at last'));
        });
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend)));
        expect(statusOf(await client.head())).toBe(102);
        expect(statusOf(await client.head())).toBe(103);
        finish();
        expect((await client.response()).text).toBe('at last');
      },
    },
    {
      title: 'keeps interim responses from an HTTP/1.0 client',
      async run(world) {
        const backend = await world.backend(`${earlyHints}${ok('plain')}`);
        const host = await world.frontend(backend);
        const answer = await world.exchange(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
        expect(answer.interims).toEqual([]);
        expect(answer.text).toBe('plain');
      },
    },
    {
      title: 'relays an interim response that was not asked for',
      async run(world) {
        const backend = await world.backend(`HTTP/1.1 100 Continue\r\n\r\n${ok('well')}`);
        const answer = await world.get(await world.frontend(backend));
        expect(answer.text).toBe('well');
      },
    },
    {
      title: 'passes an expectation on and the body after 100 (Continue) of the backend',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          connection.send('HTTP/1.1 100 Continue\r\n\r\n');
          await request.whole();
          connection.send(ok(`got ${request.text}`));
        });
        const client = await world.client();
        client.send(head('POST', '/', await world.frontend(backend), 'Content-Length: 4', 'Expect: 100-continue'));
        expect(statusOf(await client.head())).toBe(100);
        expect(backend.only.fields.get('expect')).toBe('100-continue');
        client.send('body');
        const answer = await client.response();
        expect(answer.interims).toEqual([]);
        expect(answer.text).toBe('got body');
      },
    },
    {
      title: 'relays the refusal of an expectation, without the body',
      async run(world) {
        const backend = await world.backend((_request, connection) => {
          connection.end(response('417 Expectation Failed', 'no', 'Connection: close'));
        });
        const client = await world.client();
        client.send(head('PUT', '/', await world.frontend(backend), 'Content-Length: 1000', 'Expect: 100-continue'));
        const answer = await client.response();
        expect(answer.status).toBe(417);
        expect(answer.interims).toEqual([]);
        // Nobody can tell whether the body will come, so the connection cannot go on.
        expect(answer.fields.get('connection')).toBe('close');
        expect(await client.ended()).toBe('end');
      },
    },
    {
      title: 'sends the body of a client that does not wait for 100 (Continue)',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          await request.whole();
          connection.send(ok(request.text));
        });
        const host = await world.frontend(backend);
        const answer = await world.exchange(withBody('POST', '/', host, 'impatient', 'Expect: 100-continue'));
        expect(answer.text).toBe('impatient');
      },
    },
    {
      title: 'relays an answer that comes while the body is still being sent',
      async run(world) {
        const backend = await world.backend((_request, connection) => {
          connection.send(response('413 Content Too Large', 'too much', 'Connection: close'));
        });
        const client = await world.client();
        client.send(head('POST', '/', await world.frontend(backend), 'Content-Length: 1000000'));
        client.send('x'.repeat(1000));
        const answer = await client.response();
        expect(answer.status).toBe(413);
        expect(answer.text).toBe('too much');
        // The backend has nothing more to do with it.
        await eventually('the backend connection to close', () => backend.open === 0);
      },
    },
    {
      title: 'goes on with the connection when the rest of an answered body arrives',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          connection.send(ok(request.method));
          await request.whole();
        });
        const host = await world.frontend(backend);
        const client = await world.client();
        client.send(head('POST', '/', host, 'Content-Length: 2000'));
        client.send('x'.repeat(500));
        expect((await client.response()).text).toBe('POST');
        client.send('x'.repeat(1500) + head('GET', '/next', host));
        expect((await client.response()).text).toBe('GET');
      },
    },
    {
      title: 'relays a long answer while the body is still coming, both to their ends',
      async run(world) {
        const download = pattern(2_000_000);
        const upload = pattern(2_000_000);
        const backend = await world.backend(async (request, connection) => {
          connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${download.length}\r\n\r\n`);
          await connection.flood(download.subarray(0, 1_000_000));
          await request.whole();
          await connection.flood(download.subarray(1_000_000));
        });
        const client = await world.client();
        client.send(head('PUT', '/', await world.frontend(backend), `Content-Length: ${upload.length}`));
        const answer = client.response();
        await client.sendAll(upload);
        expect((await answer).body.equals(download)).toBe(true);
        expect(backend.only.body?.bytes.equals(upload)).toBe(true);
      },
    },
    {
      title: 'relays an answer of a backend that closes without reading a large body',
      async run(world) {
        const backend = await world.backend((_request, connection) => {
          connection.socket.pause();
          connection.end(response('403 Forbidden', 'not you', 'Connection: close'));
        });
        const client = await world.client();
        client.send(head('POST', '/', await world.frontend(backend), 'Content-Length: 50000000'));
        void client.sendAll(pattern(1_000_000));
        const answer = await client.response();
        expect(answer.status).toBe(403);
        expect(answer.text).toBe('not you');
      },
    },
  ],
};
