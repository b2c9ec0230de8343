// Header lines both ways: what stays exactly as it was, and what belongs to one connection only.
import { expect } from 'vitest';
import { ok, response } from '../../helpers/backend.js';
import { type CaseGroup, withBody } from './world.js';

/** Names of lines that the proxy adds or may add. */
const added = /^(x-forwarded-.*|x-real-ip|x-request-id|traceparent|host|connection|te|date)$/i;

export const headerCases: CaseGroup = {
  title: 'header lines',
  cases: [
    {
      title: 'keeps order and case of request lines',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.get(host, '/', 'X-One: 1', 'ACCEPT: */*', 'x-two: 2', 'User-Agent: me', 'X-tHREE: 3', 'a: b');
        const lines = backend.only.fields.lines.filter(([name]) => !added.test(name));
        expect(lines).toEqual([
          ['X-One', '1'],
          ['ACCEPT', '*/*'],
          ['x-two', '2'],
          ['User-Agent', 'me'],
          ['X-tHREE', '3'],
          ['a', 'b'],
        ]);
      },
    },
    {
      title: 'keeps lines of one name apart and in order',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.get(host, '/', 'X-Many: a, b', 'X-Many: c', 'X-Many: a, b', 'Accept: text/html', 'Accept: */*');
        expect(backend.only.fields.all('x-many')).toEqual(['a, b', 'c', 'a, b']);
        expect(backend.only.fields.all('accept')).toEqual(['text/html', '*/*']);
      },
    },
    {
      title: 'keeps the place of lines of one name among others',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.get(host, '/', 'X-A: 1', 'X-B: 2', 'x-a: 3', 'X-C: 4');
        const lines = backend.only.fields.lines.filter(([name]) => !added.test(name));
        expect(lines).toEqual([
          ['X-A', '1'],
          ['X-B', '2'],
          ['x-a', '3'],
          ['X-C', '4'],
        ]);
      },
    },
    {
      title: 'keeps several Cookie lines apart',
      async run(world) {
        const backend = await world.backend(ok());
        await world.get(await world.frontend(backend), '/', 'Cookie: a=1; b=2', 'Cookie: c=3');
        expect(backend.only.fields.all('cookie')).toEqual(['a=1; b=2', 'c=3']);
      },
    },
    {
      title: 'keeps order, case and repetition of response lines',
      async run(world) {
        const lines = [
          'X-One: 1',
          'set-cookie: a=1; Path=/',
          'SERVER: mine',
          'X-One: 2',
          'Set-Cookie: b=2, c',
          'Vary: A',
          'Vary: B',
          'Date: then',
        ];
        const backend = await world.backend(response('200 OK', '', ...lines));
        const answer = await world.get(await world.frontend(backend));
        const kept = answer.fields.lines.filter(([name]) => !/^(content-length|connection)$/i.test(name));
        expect(kept.map(([name, value]) => `${name}: ${value}`)).toEqual(lines);
      },
    },
    {
      title: 'keeps every Set-Cookie a line of its own',
      async run(world) {
        const cookies = ['a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT', 'b=2; HttpOnly', 'a=3'];
        const backend = await world.backend(response('200 OK', '', ...cookies.map((cookie) => `Set-Cookie: ${cookie}`)));
        const answer = await world.get(await world.frontend(backend));
        expect(answer.fields.all('set-cookie')).toEqual(cookies);
      },
    },
    {
      title: 'keeps bytes beyond ASCII and inner blanks of values, both ways',
      async run(world) {
        const backend = await world.backend(response('200 OK', '', 'X-Back: gr\xfc\xdfe  \t z'));
        const answer = await world.get(await world.frontend(backend), '/', 'X-There: caf\xe9  \t "q"');
        expect(backend.only.fields.get('x-there')).toBe('caf\xe9  \t "q"');
        expect(answer.fields.get('x-back')).toBe('gr\xfc\xdfe  \t z');
      },
    },
    {
      title: 'keeps empty values, both ways',
      async run(world) {
        const backend = await world.backend(response('200 OK', '', 'X-Back:', 'X-Next: n'));
        const answer = await world.get(await world.frontend(backend), '/', 'X-There:', 'X-Next: n');
        expect(backend.only.fields.all('x-there')).toEqual(['']);
        expect(answer.fields.all('x-back')).toEqual(['']);
        expect(answer.fields.get('x-next')).toBe('n');
      },
    },
    {
      title: 'keeps long values, both ways',
      async run(world) {
        const long = 'v'.repeat(8000);
        const backend = await world.backend(response('200 OK', '', `X-Back: ${long}`));
        const answer = await world.get(await world.frontend(backend), '/', `X-There: ${long}`);
        expect(backend.only.fields.get('x-there')).toBe(long);
        expect(answer.fields.get('x-back')).toBe(long);
      },
    },
    {
      title: 'removes hop-by-hop lines of a request',
      async run(world) {
        const backend = await world.backend(ok());
        const lines = [
          'Connection: keep-alive',
          'Keep-Alive: timeout=5',
          'Proxy-Connection: keep-alive',
          'TE: gzip',
          'Proxy-Authorization: Basic x',
        ];
        await world.get(await world.frontend(backend), '/', ...lines, 'X-Kept: yes');
        const { fields } = backend.only;
        for (const name of ['keep-alive', 'proxy-connection', 'te', 'proxy-authorization']) expect(fields.all(name)).toEqual([]);
        expect(fields.get('connection') ?? 'keep-alive').toBe('keep-alive');
        expect(fields.get('x-kept')).toBe('yes');
      },
    },
    {
      title: 'removes the request lines that Connection names, but none that a backend relies on',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        const names = 'Connection: x-private, X-Also, x-forwarded-for, host, content-length, x-real-ip, cookie';
        await world.exchange(withBody('POST', '/', host, 'body', names, 'X-Private: 1', 'x-also: 2', 'X-Kept: 3', 'Cookie: c=1'));
        const { fields } = backend.only;
        expect(fields.all('x-private')).toEqual([]);
        expect(fields.all('x-also')).toEqual([]);
        expect(fields.get('x-kept')).toBe('3');
        expect(fields.get('host')).toBe(host);
        expect(fields.get('x-forwarded-for')).toBe('127.0.0.1');
        expect(fields.get('x-real-ip')).toBe('127.0.0.1');
        expect(fields.get('cookie')).toBe('c=1');
        expect(backend.only.text).toBe('body');
      },
    },
    {
      title: 'removes hop-by-hop lines of a response and those that Connection names',
      async run(world) {
        const lines = [
          'Connection: keep-alive, X-Private',
          'Keep-Alive: timeout=5',
          'Proxy-Connection: x',
          'X-Private: 1',
          'X-Kept: 2',
        ];
        const backend = await world.backend(response('200 OK', 'body', ...lines));
        const answer = await world.get(await world.frontend(backend));
        for (const name of ['connection', 'keep-alive', 'proxy-connection', 'x-private'])
          expect(answer.fields.all(name)).toEqual([]);
        expect(answer.fields.get('x-kept')).toBe('2');
        expect(answer.text).toBe('body');
      },
    },
    {
      title: 'tells a backend that trailers are welcome when the client says so',
      async run(world) {
        const backend = await world.backend(ok());
        await world.get(await world.frontend(backend), '/', 'TE: trailers, deflate;q=0.5', 'Connection: TE');
        expect(backend.only.fields.all('te')).toEqual(['trailers']);
        expect(backend.only.fields.get('connection')?.toLowerCase()).toBe('te');
      },
    },
    {
      title: 'keeps lines back that a backend could take for another by an underscore',
      async run(world) {
        const backend = await world.backend(ok());
        await world.get(await world.frontend(backend), '/', 'X_Forwarded_For: 6.6.6.6', 'X_Real_IP: 6.6.6.6', 'my_own: kept');
        expect(backend.only.fields.names.filter((name) => name.includes('_'))).toEqual(['my_own']);
      },
    },
    {
      title: 'adds Date to an answer without one, and leaves the one of the backend alone',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          connection.send(request.target === '/with' ? response('200 OK', '', 'Date: Tue, 01 Jan 2030 00:00:00 GMT') : ok());
        });
        const host = await world.frontend(backend);
        expect((await world.get(host, '/with')).fields.all('date')).toEqual(['Tue, 01 Jan 2030 00:00:00 GMT']);
        const [date = ''] = (await world.get(host, '/without')).fields.all('date');
        expect(Math.abs(Date.parse(date) - Date.now())).toBeLessThan(5000);
      },
    },
    {
      title: 'adds no Connection, Keep-Alive or X-Powered-By of its own to an answer',
      async run(world) {
        const backend = await world.backend(ok('plain'));
        const answer = await world.get(await world.frontend(backend));
        expect(answer.fields.names.map((name) => name.toLowerCase()).sort()).toEqual(['content-length', 'date']);
      },
    },
  ],
};
