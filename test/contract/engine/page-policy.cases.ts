// Pages of a frontend's own, and frontends that are closed for maintenance.
import { expect } from 'vitest';
import { ok, response } from '../../helpers/backend.js';
import { echo, webSocket } from './upgrade.cases.js';
import { type CaseGroup, head } from './world.js';

export const pagePolicyCases: CaseGroup = {
  title: 'pages of a policy',
  cases: [
    {
      title: "errorPages take the place of the proxy's pages, and of nothing that a program reads",
      async run(world) {
        const host = await world.frontend(world.refusing[0]);
        await world.policy(host, { errorPages: { '5xx': '<h1>Käse</h1>' } });
        const page = await world.get(host);
        expect([page.status, page.body.toString('utf8')]).toEqual([502, '<h1>Käse</h1>']);
        expect(page.fields.get('content-type')).toBe('text/html; charset=utf-8');
        expect(page.fields.get('x-cjs-proxy-error')).toBe('backend-refused');
        const json = await world.get(host, '/', 'Accept: application/json');
        expect(JSON.parse(json.text)).toMatchObject({ error: { code: 'backend-refused', status: 502 } });
      },
    },
    {
      title: 'errorPages leave answers of backends alone',
      async run(world) {
        const host = await world.frontend(await world.backend(response('500 Oops', 'mine')));
        await world.policy(host, { errorPages: { default: 'page' } });
        const answer = await world.get(host);
        expect([answer.status, answer.reason, answer.text]).toEqual([500, 'Oops', 'mine']);
      },
    },
    {
      title: 'replaceBackendErrors puts a page in place of what a backend says, and keeps its connection',
      async run(world) {
        const backend = await world.backend((request, connection) => {
          const lines = ['Content-Encoding: gzip', 'ETag: "x"', 'Set-Cookie: a=b', 'Retry-After: 7', 'WWW-Authenticate: Basic'];
          connection.send(response(request.target === '/404' ? '404 Nope' : '418 Teapot', 'stack trace', ...lines));
        });
        const host = await world.frontend(backend);
        await world.policy(host, {
          errorPages: { 404: 'not here' },
          replaceBackendErrors: [404],
          responseHeaders: { 'X-Own': '1' },
        });
        const client = await world.client();
        for (let round = 0; round < 3; round++) {
          client.send(head('GET', '/404', host));
          const answer = await client.response();
          expect([answer.status, answer.text]).toEqual([404, 'not here']);
          const names = answer.fields.names.map((name) => name.toLowerCase()).sort();
          const expected = [
            'cache-control',
            'content-length',
            'content-type',
            'date',
            'retry-after',
            'www-authenticate',
            'x-own',
          ];
          expect(names).toEqual(expected);
        }
        client.send(head('GET', '/other', host));
        expect((await client.response()).text).toBe('stack trace');
        expect(backend.dialled).toBe(1);
      },
    },
    {
      title: 'replaceBackendErrors answers programs in their form, HEAD without a body, and chunks like lengths',
      async run(world) {
        const backend = await world.backend(
          'HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ntrace\r\n0\r\nX-T: 1\r\n\r\n',
        );
        const host = await world.frontend(backend);
        await world.policy(host, { errorPages: { 500: 'sorry' }, replaceBackendErrors: '5xx' });
        const answer = await world.get(host);
        expect([answer.text, answer.delimiter, answer.fields.get('content-length')]).toEqual(['sorry', 'length', '5']);
        const json = await world.get(host, '/', 'Accept: application/json');
        expect(JSON.parse(json.text)).toMatchObject({ error: { code: 'backend-error', status: 500, source: 'backend' } });
        const head500 = await world.backend('HTTP/1.1 500 X\r\nContent-Length: 9\r\n\r\n');
        const other = await world.frontend(head500);
        await world.policy(other, { errorPages: { 500: 'sorry' }, replaceBackendErrors: '5xx' });
        const bodyless = await world.exchange(head('HEAD', '/', other), 'HEAD');
        expect([bodyless.status, bodyless.text, bodyless.fields.get('content-length')]).toEqual([500, '', '5']);
      },
    },
    {
      title: 'replaceBackendErrors does not read an endless error to its end, and serves the next request',
      async run(world) {
        const piece = Buffer.alloc(64 * 1024, 'x');
        const backend = await world.backend(async (request, connection) => {
          if (request.target === '/ok') return connection.send(ok('fine'));
          connection.send('HTTP/1.1 500 X\r\n\r\n');
          while (connection.socket.writable && connection.flooded < 512 * piece.length) await connection.flood(piece);
        });
        const host = await world.frontend(backend);
        await world.policy(host, { errorPages: { default: 'sorry' }, replaceBackendErrors: [500] });
        const client = await world.client();
        client.send(head('GET', '/', host));
        expect((await client.response()).text).toBe('sorry');
        client.send(head('GET', '/ok', host));
        expect((await client.response()).text).toBe('fine');
      },
    },
    {
      title: 'replaceBackendErrors has no hand in the error of an answer that could not be relayed',
      async run(world) {
        const backend = await world.backend('HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
        const host = await world.frontend(backend);
        await world.policy(host, { errorPages: { 500: 'sorry', 502: 'broken' }, replaceBackendErrors: [500] });
        const answer = await world.get(host);
        // node:http hands a head over before it has looked at what follows: the page has been sent then.
        const expected = world.engine === 'wire' ? [502, 'broken'] : [500, 'sorry'];
        expect([answer.status, answer.text]).toEqual(expected);
      },
    },
    {
      title: 'maintenance answers 503 with Retry-After before a backend is asked, also for upgrades',
      async run(world) {
        const backend = await world.backend(echo);
        const host = await world.frontend(backend);
        await world.policy(host, { maintenance: true });
        const answer = await world.get(host);
        expect([answer.status, answer.fields.get('retry-after'), answer.fields.get('x-cjs-proxy-error')]).toEqual([
          503,
          '60',
          'maintenance',
        ]);
        expect((await world.get(host, '/', ...webSocket)).status).toBe(503);
        expect(backend.requests).toEqual([]);
      },
    },
    {
      title: 'maintenance shows a text or a page of its own, and ends when the field goes',
      async run(world) {
        const host = await world.frontend(await world.backend(ok('open')));
        await world.policy(host, { maintenance: { page: '<p>Back at nine</p>', retryAfter: 600 } });
        const page = await world.get(host);
        expect([page.text, page.fields.get('content-type'), page.fields.get('retry-after')]).toEqual([
          '<p>Back at nine</p>',
          'text/html; charset=utf-8',
          '600',
        ]);
        await world.policy(host, { maintenance: 'Back at nine' });
        const text = await world.get(host, '/', 'Accept: text/plain');
        expect([text.text, text.fields.get('content-type')]).toEqual(['Back at nine', 'text/plain; charset=utf-8']);
        await world.policy(host, {});
        expect((await world.get(host)).text).toBe('open');
      },
    },
    {
      title: 'maintenanceAllow lets the clients pass that it names',
      async run(world) {
        const host = await world.frontend(await world.backend(ok('open')));
        await world.policy(host, { maintenance: true, maintenanceAllow: ['10.0.0.0/8'] });
        expect((await world.get(host)).status).toBe(503);
        await world.policy(host, { maintenance: true, maintenanceAllow: ['10.0.0.0/8', '127.0.0.1'] });
        expect((await world.get(host)).text).toBe('open');
      },
    },
  ],
};
