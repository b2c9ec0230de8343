// How a request reaches the backend: method, target, body and version.
import { expect } from 'vitest';
import { ok } from '../../helpers/backend.js';
import { inChunks } from '../../helpers/http-reader.js';
import { type Case, type CaseGroup, head, withBody } from './world.js';

const methods: readonly { readonly method: string; readonly body: string }[] = [
  { method: 'GET', body: '' },
  { method: 'HEAD', body: '' },
  { method: 'POST', body: 'name=value' },
  { method: 'PUT', body: '{"a":1}' },
  { method: 'DELETE', body: 'why' },
  { method: 'OPTIONS', body: '' },
  { method: 'PATCH', body: '[]' },
  { method: 'PROPFIND', body: '<propfind/>' },
];

const methodCases = methods.map(
  ({ method, body }): Case => ({
    title: `passes ${method} on${body === '' ? '' : ' with its body'}`,
    async run(world) {
      const backend = await world.backend(ok(method === 'HEAD' ? '' : 'answer'));
      const host = await world.frontend(backend);
      const request = body === '' ? head(method, '/it', host) : withBody(method, '/it', host, body);
      const response = await world.exchange(request, method);
      expect(response.status).toBe(200);
      expect(response.text).toBe(method === 'HEAD' ? '' : 'answer');
      expect(backend.only).toMatchObject({ method, target: '/it', version: 'HTTP/1.1' });
      expect(backend.only.text).toBe(body);
    },
  }),
);

/** Sends a target as it is and expects the backend to see it so. */
function targetCase(title: string, target: string, method = 'GET'): Case {
  return {
    title,
    async run(world) {
      const backend = await world.backend(ok());
      const host = await world.frontend(backend);
      const response = await world.exchange(head(method, target, host), method);
      expect(response.status).toBe(200);
      expect(backend.only.target).toBe(target);
    },
  };
}

export const requestCases: CaseGroup = {
  title: 'requests',
  cases: [
    ...methodCases,
    targetCase('leaves a query with odd characters as it is', '/q?a=b&&c=%zz&d=|"<>{}^`\\\'&e=1?2??'),
    targetCase('leaves dot segments, double slashes and escapes of a path as they are', '//a/./b/../c%2F%2e%2E//d;v=1,2/'),
    targetCase('leaves bytes beyond ASCII in a target as they are', '/caf\xc3\xa9?\xff=\x80'),
    {
      title: 'leaves bytes beyond ASCII as they are in a request with an expectation too',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.exchange(withBody('POST', '/caf\xe9', host, 'body', 'Expect: 100-continue'));
        expect(backend.only.target).toBe('/caf\xe9');
      },
    },
    targetCase('keeps an empty query', '/a?'),
    targetCase('passes the asterisk form of OPTIONS on', '*', 'OPTIONS'),
    targetCase('passes a long target on', `/${'x'.repeat(6000)}`),
    {
      title: 'reduces the absolute form to path and query',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.exchange(head('GET', `http://${host}/p//q?r=s`, host));
        expect(backend.only.target).toBe('/p//q?r=s');
        expect(backend.only.fields.all('host')).toEqual([host]);
      },
    },
    {
      title: 'adds no Content-Length to a DELETE or OPTIONS without a body',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.exchange(head('DELETE', '/', host));
        await world.exchange(head('OPTIONS', '/', host));
        for (const request of backend.requests) expect(request.delimiter).toEqual({ kind: 'none' });
      },
    },
    {
      title: 'adds no framing to a POST without a body',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.exchange(head('POST', '/', host));
        expect(backend.only.delimiter).toEqual({ kind: 'none' });
      },
    },
    {
      title: 'keeps Content-Length: 0 of a POST',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.exchange(withBody('POST', '/', host, ''));
        expect(backend.only.fields.all('content-length')).toEqual(['0']);
        expect(backend.only.fields.all('transfer-encoding')).toEqual([]);
      },
    },
    {
      title: 'passes a body of GET on',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.exchange(withBody('GET', '/', host, 'unusual'));
        expect(backend.only.text).toBe('unusual');
      },
    },
    {
      title: 'passes a chunked body on in chunks, without extensions',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        const request = head('POST', '/', host, 'Transfer-Encoding: chunked');
        await world.exchange(`${request}3;name=value\r\nabc\r\n1;x="y"\r\nd\r\n0\r\n\r\n`);
        expect(backend.only.fields.all('transfer-encoding')).toEqual(['chunked']);
        expect(backend.only.fields.get('content-length')).toBeNull();
        expect(backend.only.text).toBe('abcd');
      },
    },
    {
      title: 'passes an empty chunked body on',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        await world.exchange(`${head('PUT', '/', host, 'Transfer-Encoding: chunked')}0\r\n\r\n`);
        expect(backend.only.delimiter).toEqual({ kind: 'chunked' });
        expect(backend.only.text).toBe('');
      },
    },
    {
      title: 'passes trailers of a chunked request on',
      async run(world) {
        const backend = await world.backend(ok());
        const host = await world.frontend(backend);
        const request = head('POST', '/', host, 'Transfer-Encoding: chunked', 'Trailer: X-Checksum');
        await world.exchange(Buffer.concat([Buffer.from(request), inChunks('hello', 2, 'X-Checksum: abc\r\nX-More: d e\r\n')]));
        expect(backend.only.text).toBe('hello');
        expect(backend.only.body?.trailers.lines).toEqual([
          ['X-Checksum', 'abc'],
          ['X-More', 'd e'],
        ]);
      },
    },
    {
      title: 'passes a body on that arrives byte by byte',
      async run(world) {
        const backend = await world.backend(ok('done'));
        const host = await world.frontend(backend);
        const client = await world.client();
        client.socket.setNoDelay(true);
        for (const byte of withBody('POST', '/', host, 'slowly')) {
          client.send(byte);
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect((await client.response()).text).toBe('done');
        expect(backend.only.text).toBe('slowly');
      },
    },
    {
      title: 'serves an HTTP/1.0 request and asks the backend in HTTP/1.1',
      async run(world) {
        const backend = await world.backend(ok('old'));
        const host = await world.frontend(backend);
        const client = await world.client();
        client.send(`GET /old HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
        expect((await client.response()).text).toBe('old');
        expect(await client.ended()).toBe('end');
        expect(backend.only).toMatchObject({ target: '/old', version: 'HTTP/1.1' });
      },
    },
  ],
};
