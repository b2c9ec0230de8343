// How an answer reaches the client: status, and a body however it is delimited.
import { expect } from 'vitest';
import { answering, ok, response, type Script } from '../../helpers/backend.js';
import { inChunks } from '../../helpers/http-reader.js';
import { type Case, type CaseGroup, head, pattern } from './world.js';

const chunkedHead = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n';

/** Sends a text and closes. */
function thenClosing(text: string): Script {
  return async (request, connection) => {
    await request.whole();
    connection.end(text);
  };
}

/** A text that must be passed on with its status and body. */
function statusCase(status: string, body = ''): Case {
  return {
    title: `passes the status ${status} on`,
    async run(world) {
      const backend = await world.backend(response(status, body, 'Location: /there'));
      const host = await world.frontend(backend);
      const answer = await world.get(host);
      expect(`${answer.status} ${answer.reason}`.trim()).toBe(status);
      expect(answer.fields.get('location')).toBe('/there');
      expect(answer.fields.get('x-cjs-proxy-error')).toBeNull();
      expect(answer.text).toBe(body);
    },
  };
}

export const responseCases: CaseGroup = {
  title: 'responses',
  cases: [
    statusCase('201 Created', 'made'),
    statusCase('302 Found'),
    statusCase('404 Nobody Knows (sorry)', 'nothing'),
    statusCase('418 I am a teapot', 'short and stout'),
    statusCase('500 Internal Server Error', 'my fault'),
    {
      title: 'relays a body with Content-Length, byte for byte',
      async run(world) {
        const bytes = pattern(100_000);
        const text = `HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`;
        const backend = await world.backend(answering(Buffer.concat([Buffer.from(text), bytes])));
        const answer = await world.get(await world.frontend(backend));
        expect(answer.fields.all('content-length')).toEqual(['100000']);
        expect(answer.fields.get('transfer-encoding')).toBeNull();
        expect(answer.body.equals(bytes)).toBe(true);
      },
    },
    {
      title: 'relays a chunked body',
      async run(world) {
        const backend = await world.backend(
          answering(Buffer.concat([Buffer.from(`${chunkedHead}\r\n`), inChunks('some content', 5)])),
        );
        const answer = await world.get(await world.frontend(backend));
        expect(answer.delimiter).toBe('chunked');
        expect(answer.fields.get('content-length')).toBeNull();
        expect(answer.text).toBe('some content');
      },
    },
    {
      title: 'reads chunked in any case, and a status line without a reason',
      async run(world) {
        const backend = await world.backend('HTTP/1.1 200\r\nTRANSFER-encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
        const host = await world.frontend(backend);
        for (let turn = 0; turn < 2; turn++) expect((await world.get(host)).text).toBe('abc');
        expect(backend.dialled).toBe(1);
      },
    },
    {
      title: 'drops trailers that must not be trailers, both ways',
      async run(world) {
        const trailers = 'X-Good: 1\r\nSet-Cookie: a=b\r\nX-Forwarded-For: 6.6.6.6\r\nContent-Type: text/html\r\n';
        const framing = 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: evil.example\r\n';
        const backend = await world.backend(
          answering(Buffer.concat([Buffer.from(`${chunkedHead}\r\n`), inChunks('abc', 3, trailers)])),
        );
        const host = await world.frontend(backend);
        const request = head('POST', '/', host, 'Transfer-Encoding: chunked', 'TE: trailers');
        const answer = await world.exchange(Buffer.concat([Buffer.from(request), inChunks('def', 3, trailers + framing)]));
        expect(answer.trailers.lines).toEqual([['X-Good', '1']]);
        expect(backend.only.body?.trailers.lines).toEqual([['X-Good', '1']]);
      },
    },
    {
      title: 'relays each chunk as it comes, without waiting for the next',
      async run(world) {
        let sendRest = (): void => {};
        const backend = await world.backend((_request, connection) => {
          connection.send(`${chunkedHead}\r\n5\r\nfirst\r\n`);
          sendRest = () => connection.send('4\r\nlast\r\n0\r\n\r\n');
        });
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend)));
        expect((await client.queue.until('first')).toString('latin1')).toContain('HTTP/1.1 200 OK');
        sendRest();
        expect((await client.queue.until('0\r\n\r\n')).toString('latin1')).toContain('last');
      },
    },
    {
      title: 'relays a head before any byte of the body has come',
      async run(world) {
        let sendBody = (): void => {};
        const backend = await world.backend((_request, connection) => {
          connection.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n');
          sendBody = () => connection.send('body');
        });
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend)));
        const start = await client.head();
        sendBody();
        expect((await client.finish(start)).text).toBe('body');
      },
    },
    {
      title: 'relays trailers of a chunked answer',
      async run(world) {
        const bytes = inChunks('counted', 3, 'X-Count: 7\r\n');
        const backend = await world.backend(
          answering(Buffer.concat([Buffer.from(`${chunkedHead}Trailer: X-Count\r\n\r\n`), bytes])),
        );
        const answer = await world.get(await world.frontend(backend), '/', 'TE: trailers');
        expect(answer.text).toBe('counted');
        expect(answer.trailers.get('x-count')).toBe('7');
      },
    },
    {
      title: 'relays a body that ends with the connection, in chunks',
      async run(world) {
        const backend = await world.backend(thenClosing('HTTP/1.1 200 OK\r\n\r\nuntil the end'));
        const host = await world.frontend(backend);
        const client = await world.client();
        client.send(head('GET', '/', host));
        const answer = await client.response();
        expect(answer.delimiter).toBe('chunked');
        expect(answer.text).toBe('until the end');
        // The client's connection lives on.
        client.send(head('GET', '/', host));
        expect((await client.response()).text).toBe('until the end');
      },
    },
    {
      title: 'relays an empty body that ends with the connection',
      async run(world) {
        const backend = await world.backend(thenClosing('HTTP/1.1 200 OK\r\nX-Empty: yes\r\n\r\n'));
        const answer = await world.get(await world.frontend(backend));
        expect(answer.fields.get('x-empty')).toBe('yes');
        expect(answer.text).toBe('');
      },
    },
    {
      title: 'relays an empty body with Content-Length: 0',
      async run(world) {
        const backend = await world.backend(ok());
        const answer = await world.get(await world.frontend(backend));
        expect(answer.fields.all('content-length')).toEqual(['0']);
        expect(answer.text).toBe('');
      },
    },
    {
      title: 'relays 204 without a body and goes on with the connection',
      async run(world) {
        const backend = await world.backend('HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n');
        const host = await world.frontend(backend);
        const client = await world.client();
        for (let turn = 0; turn < 2; turn++) {
          client.send(head('GET', '/', host));
          const answer = await client.response();
          expect(answer.status).toBe(204);
          expect(answer.fields.get('transfer-encoding')).toBeNull();
        }
        expect(client.queue.length).toBe(0);
      },
    },
    {
      title: 'relays 304 with the length of what is not sent',
      async run(world) {
        const backend = await world.backend('HTTP/1.1 304 Not Modified\r\nETag: "e"\r\nContent-Length: 1234\r\n\r\n');
        const host = await world.frontend(backend);
        const client = await world.client();
        for (let turn = 0; turn < 2; turn++) {
          client.send(head('GET', '/', host, 'If-None-Match: "e"'));
          const answer = await client.response();
          expect(answer.status).toBe(304);
          expect(answer.fields.get('content-length')).toBe('1234');
          expect(answer.fields.get('etag')).toBe('"e"');
        }
      },
    },
    {
      title: 'relays an answer to HEAD with its length and no body',
      async run(world) {
        const backend = await world.backend('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n');
        const host = await world.frontend(backend);
        const client = await world.client();
        for (let turn = 0; turn < 2; turn++) {
          client.send(head('HEAD', '/', host));
          const answer = await client.response('HEAD');
          expect(answer.fields.get('content-length')).toBe('99');
        }
        expect(client.queue.length).toBe(0);
      },
    },
    {
      title: 'relays an answer to HEAD that would have been chunked',
      async run(world) {
        const backend = await world.backend(`${chunkedHead}\r\n`);
        const host = await world.frontend(backend);
        const client = await world.client();
        for (let turn = 0; turn < 2; turn++) {
          client.send(head('HEAD', '/', host));
          expect((await client.response('HEAD')).status).toBe(200);
        }
        expect(client.queue.length).toBe(0);
        expect(backend.dialled).toBe(1);
      },
    },
    {
      title: 'reads an HTTP/1.0 backend that closes at the end',
      async run(world) {
        const backend = await world.backend(thenClosing('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nfrom the past'));
        const answer = await world.get(await world.frontend(backend));
        expect(answer.version).toBe('HTTP/1.1');
        expect(answer.text).toBe('from the past');
      },
    },
    {
      title: 'does not keep a connection to an HTTP/1.0 backend that did not offer it',
      async run(world) {
        const backend = await world.backend('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi');
        const host = await world.frontend(backend);
        for (let turn = 0; turn < 2; turn++) expect((await world.get(host)).text).toBe('hi');
        expect(backend.dialled).toBe(2);
      },
    },
    {
      title: 'gives an HTTP/1.0 client a body without chunks that ends with the connection',
      async run(world) {
        const backend = await world.backend(
          answering(Buffer.concat([Buffer.from(`${chunkedHead}\r\n`), inChunks('not in chunks', 4)])),
        );
        const host = await world.frontend(backend);
        const client = await world.client();
        client.send(`GET / HTTP/1.0\r\nHost: ${host}\r\nConnection: keep-alive\r\n\r\n`);
        const answer = await client.response();
        expect(answer.delimiter).toBe('close');
        expect(answer.text).toBe('not in chunks');
      },
    },
    {
      title: 'keeps the connection of an HTTP/1.0 client that asks for it, when the length is known',
      async run(world) {
        const backend = await world.backend(ok('known'));
        const host = await world.frontend(backend);
        const client = await world.client();
        for (let turn = 0; turn < 2; turn++) {
          client.send(`GET / HTTP/1.0\r\nHost: ${host}\r\nConnection: keep-alive\r\n\r\n`);
          const answer = await client.response();
          expect(answer.fields.get('connection')?.toLowerCase()).toBe('keep-alive');
          expect(answer.text).toBe('known');
        }
      },
    },
    {
      title: 'reads an answer that arrives byte by byte',
      async run(world) {
        const text = `${chunkedHead}X-Slow: yes\r\n\r\n${inChunks('in tiny steps', 4, 'X-T: u\r\n').toString('latin1')}`;
        const backend = await world.backend(async (_request, connection) => {
          for (const byte of text) {
            connection.send(byte);
            await new Promise((resolve) => setImmediate(resolve));
          }
        });
        const answer = await world.get(await world.frontend(backend));
        expect(answer.fields.get('x-slow')).toBe('yes');
        expect(answer.text).toBe('in tiny steps');
      },
    },
    {
      title: 'relays many small chunks that come at once',
      async run(world) {
        const bytes = pattern(20_000);
        const backend = await world.backend(answering(Buffer.concat([Buffer.from(`${chunkedHead}\r\n`), inChunks(bytes, 7)])));
        const answer = await world.get(await world.frontend(backend));
        expect(answer.body.equals(bytes)).toBe(true);
      },
    },
  ],
};
