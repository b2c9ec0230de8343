// Copies of requests to a mirror: what it gets, and that clients never notice it.
import { expect } from 'vitest';
import { answering, ok, response, type Script } from '../../helpers/backend.js';
import { eventually } from '../../helpers/eventually.js';
import { type CaseGroup, head, pattern, withBody } from './world.js';

/** Reads the request and says nothing. */
const silent: Script = async (request) => {
  await request.whole();
};

export const mirrorCases: CaseGroup = {
  title: 'mirrors',
  cases: [
    {
      title: 'sends the request to the mirror as well, marked as a copy, and throws its answer away',
      async run(world) {
        const backend = await world.backend(ok('real'));
        const mirror = await world.backend(response('500 Internal Server Error', 'of the mirror'));
        const host = await world.frontend(backend);
        await world.policy(host, { mirror: { to: mirror.url } });
        expect((await world.get(host, '/path?query', 'X-Own: value')).text).toBe('real');
        await eventually('the copy', () => mirror.requests.length === 1);
        const copy = mirror.only;
        expect(copy.target).toBe('/path?query');
        expect(copy.fields.get('host')).toBe(host);
        expect(copy.fields.get('x-own')).toBe('value');
        expect(copy.fields.get('x-mirrored')).toBe('1');
        expect(copy.fields.get('x-request-id')).toBe(backend.only.fields.get('x-request-id'));
        expect(backend.only.fields.get('x-mirrored')).toBeNull();
      },
    },
    {
      title: 'sends bodies to the mirror whole, with a length and in chunks',
      async run(world) {
        const backend = await world.backend(ok('real'));
        const mirror = await world.backend(ok('thrown away'));
        const host = await world.frontend(backend);
        await world.policy(host, { mirror: { to: mirror.url } });
        const content = pattern(30_000).toString('latin1');
        expect((await world.exchange(withBody('POST', '/', host, content))).text).toBe('real');
        const client = await world.client();
        client.send(`${head('POST', '/', host, 'Transfer-Encoding: chunked')}3\r\nabc\r\n`);
        await eventually('the head at the backend', () => backend.requests.length === 2);
        client.send('3\r\ndef\r\n0\r\n\r\n');
        expect((await client.response()).text).toBe('real');
        await eventually('the copies', () => mirror.requests.length === 2 && mirror.requests.every(({ body }) => body !== null));
        expect(mirror.requests.map((request) => request.text).sort()).toEqual([content, 'abcdef'].sort());
      },
    },
    {
      title: 'leaves out bodies that are larger than `maxBody`, announced or not, and passes them on to the backend',
      async run(world) {
        const backend = await world.backend(ok('real'));
        const mirror = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { mirror: { to: mirror.url, maxBody: 1000 } });
        const large = 'x'.repeat(1001);
        expect((await world.exchange(withBody('POST', '/', host, large))).text).toBe('real');
        const chunks = `${head('POST', '/', host, 'Transfer-Encoding: chunked')}3e9\r\n${large}\r\n0\r\n\r\n`;
        expect((await world.exchange(chunks)).text).toBe('real');
        expect((await world.exchange(withBody('POST', '/', host, 'x'.repeat(1000)))).text).toBe('real');
        await eventually('the copy of the small one', () => mirror.requests.length === 1);
        expect(backend.requests.map((request) => request.text.length)).toEqual([1001, 1001, 1000]);
        expect(mirror.only.fields.get('content-length')).toBe('1000');
      },
    },
    {
      title: 'serves clients as ever while the mirror hangs, refuses or breaks off',
      async run(world) {
        const backend = await world.backend(ok('real'));
        const mirrors = [
          (await world.backend(silent)).url,
          world.refusing[0],
          (await world.backend((_request, connection) => connection.reset())).url,
          (await world.backend('this is no HTTP\r\n\r\n')).url,
        ];
        const host = await world.frontend(backend);
        const client = await world.client();
        for (const to of mirrors) {
          await world.policy(host, { mirror: { to, timeout: '300ms' } });
          for (let turn = 0; turn < 5; turn++) {
            client.send(withBody('POST', '/', host, 'content'));
            expect((await client.response()).text).toBe('real');
          }
        }
        expect(backend.requests).toHaveLength(20);
      },
    },
    {
      title: 'bounds the copies under way, and frees their connections when their time is over',
      async run(world) {
        const backend = await world.backend(ok('real'));
        const mirror = await world.backend(silent);
        const host = await world.frontend(backend);
        await world.policy(host, { mirror: { to: mirror.url, maxActive: 3, timeout: '500ms' } });
        const client = await world.client();
        const began = performance.now();
        let answered = 0;
        // For longer than the copies may take, so that some are given up and others take their places.
        while (performance.now() - began < 800) {
          client.send(head('GET', '/', host));
          expect((await client.response()).text).toBe('real');
          answered++;
          expect(mirror.open).toBeLessThanOrEqual(3);
        }
        expect(answered).toBeGreaterThan(6);
        expect(mirror.requests.length).toBeGreaterThan(3);
        await eventually('the connections to the mirror to close', () => mirror.open === 0);
      },
    },
    {
      title: 'mirrors neither upgrades nor what is a copy already',
      async run(world) {
        const backend = await world.backend(ok('real'));
        const mirror = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { mirror: { to: mirror.url } });
        await world.get(host, '/', 'X-Mirrored: 1');
        await world.get(host, '/', 'Connection: Upgrade', 'Upgrade: websocket');
        await world.get(host, '/last');
        await eventually('the copy of the last one', () => mirror.requests.length === 1);
        expect(mirror.only.target).toBe('/last');
      },
    },
    {
      title: 'ends with one copy where the mirror is the same frontend',
      async run(world) {
        const backend = await world.backend(ok('real'));
        const host = await world.frontend(backend);
        await world.policy(host, { mirror: { to: `http://127.0.0.1:${world.proxy.port}` } });
        expect((await world.get(host)).text).toBe('real');
        await eventually('the request and its copy', () => backend.requests.length === 2);
        await world.get(host, '/again');
        await eventually('both again', () => backend.requests.length === 4);
      },
    },
    {
      title: 'sends a share of the requests, and none for a share of 0',
      async run(world) {
        const backend = await world.backend(ok('real'));
        const mirror = await world.backend(ok());
        const host = await world.frontend(backend);
        const client = await world.client();
        const ask = async (times: number): Promise<void> => {
          for (let turn = 0; turn < times; turn++) {
            client.send(head('GET', '/', host));
            await client.response();
          }
        };
        await world.policy(host, { mirror: { to: mirror.url, share: 0 } });
        await ask(20);
        expect(mirror.requests).toHaveLength(0);
        await world.policy(host, { mirror: { to: mirror.url, share: 0.5 } });
        await ask(200);
        // Eight deviations either way: 100 ± 57.
        await eventually('about half of them', () => mirror.requests.length > 43);
        expect(mirror.requests.length).toBeLessThan(157);
      },
    },
    {
      title: 'makes no copy of a request whose client leaves before its body is complete',
      async run(world) {
        const backend = await world.backend(answering(ok('real')));
        const mirror = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.policy(host, { mirror: { to: mirror.url } });
        const client = await world.client();
        client.send(`${head('PUT', '/half', host, 'Content-Length: 10')}half`);
        await eventually('the head at the backend', () => backend.requests.length === 1);
        client.reset();
        await eventually('the connection to the backend to close', () => backend.open === 0);
        await world.get(host, '/whole');
        await eventually('the copy of the whole one', () => mirror.requests.length === 1);
        expect(mirror.only.target).toBe('/whole');
      },
    },
  ],
};
