// An answer that can be read in two ways could poison the next client's: it is not passed on, and its connection is not kept.
import { describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { ok } from '../helpers/backend.js';
import { EndedEarly } from '../helpers/byte-queue.js';
import { eventually } from '../helpers/eventually.js';
import { isLetGo, useProxy } from './use-proxy.js';

const wire = useProxy({ server: { maxHeadBytes: 4096, maxLineBytes: 1024, maxHeaderCount: 20, retryOnError: 0 } });

/** What a backend sends, by what is wrong with it; each is followed by what would be a proper answer to the next request. */
const answers: readonly (readonly [string, string])[] = [
  ['two different lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nhello'],
  ['two equal lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello'],
  ['a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello'],
  ['a length with a sign', 'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello'],
  ['a length beside chunked', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['chunked beside a length', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n'],
  ['chunked twice', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n'],
  ['chunked in disguise', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n'],
  ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a header line that ends with a bare LF', 'HTTP/1.1 200 OK\r\nA: b\nContent-Length: 5\r\n\r\nhello'],
  ['a head that ends with a bare LF', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello'],
  ['a line injected behind a lone CR', 'HTTP/1.1 200 OK\r\nLocation: /\rSet-Cookie: admin=1\r\nContent-Length: 0\r\n\r\n'],
  ['a control byte in a value', 'HTTP/1.1 200 OK\r\nA: \x01\r\nContent-Length: 0\r\n\r\n'],
  ['a blank before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello'],
  ['a line without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 5\r\n\r\nhello'],
  ['a status line with a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\nhello'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello'],
  ['a status below 100', 'HTTP/1.1 099 OK\r\nContent-Length: 5\r\n\r\nhello'],
  ['a status that is no number', 'HTTP/1.1 2OO OK\r\nContent-Length: 5\r\n\r\nhello'],
  ['a control byte in the reason', 'HTTP/1.1 200 O\x00K\r\nContent-Length: 5\r\n\r\nhello'],
  ['a blank before the status line', ' HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
  ['an empty line before the status line', '\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
  ['HTTP/2', 'HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
  ['no version', 'hello\r\n\r\n'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['too many header lines', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(20)}Content-Length: 5\r\n\r\nhello`],
  ['a header line that is too long', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(1100)}\r\nContent-Length: 5\r\n\r\nhello`],
  ['a head that never ends', `HTTP/1.1 200 OK\r\n${`A: ${'b'.repeat(900)}\r\n`.repeat(5)}`],
  ['a line that never ends', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(5000)}`],
  ['a malformed interim head', 'HTTP/1.1 103 Early Hints\r\nA b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
  ['a chunk size that is no number', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\nhello\r\n0\r\n\r\n'],
  ['a chunk size behind a blank', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n'],
  ['a chunk size with a sign', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n'],
  ['a chunk size beyond what can be counted', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello'],
  ['a body where there are no chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{"hello": "world"}'],
];

describe('an answer', () => {
  for (const [what, bytes] of answers) {
    it(`with ${what} becomes 502, and its connection is closed`, async () => {
      const { world } = wire;
      const backend = await world.backend(bytes);
      const host = await world.frontend(backend);
      const client = await world.client();
      client.send(head('GET', '/1', host));
      const answer = await client.response();
      expect(answer.status).toBe(502);
      expect(answer.fields.all('x-cjs-proxy-error')).toEqual(['backend-bad-response']);
      expect(answer.fields.all('set-cookie')).toEqual([]);
      await eventually('the backend connection to close', () => isLetGo(backend));
      // The client is not to blame: its connection goes on, with a new one to the backend.
      client.send(head('GET', '/2', host));
      expect((await client.response()).status).toBe(502);
      expect(backend.connections.length).toBe(2);
    });
  }
});

describe('a chunked answer that turns out malformed', () => {
  const ends: readonly (readonly [string, string])[] = [
    ['a bad size', 'five\r\n'],
    ['data that is longer than its size', '5\r\nhello!\r\n'],
    ['data that ends with a bare LF', '5\r\nhello\n'],
    ['an extension with a CR', '5;a\rb\r\nhello\r\n'],
    ['a malformed trailer', '0\r\nA b\r\n\r\n'],
  ];
  for (const [what, end] of ends) {
    it(`by ${what} is cut, so that it cannot be taken for whole`, async () => {
      const { world } = wire;
      const backend = await world.backend((_request, connection) => {
        connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
      });
      const client = await world.client();
      client.send(head('GET', '/', await world.frontend(backend)));
      const begun = await client.head();
      expect(begun.startLine).toContain('200');
      await eventually('the first chunk', () => client.queue.length >= 10);
      backend.connections[0]?.send(end);
      const error = await client.finish(begun).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(EndedEarly);
      expect((error as EndedEarly).partial.toString('latin1')).toMatch(/^first/);
      await eventually('the backend connection to close', () => isLetGo(backend));
    });
  }
});

describe('bytes behind a complete answer', () => {
  const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';

  it('in the same piece are given to nobody', async () => {
    const { world } = wire;
    const heads = [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n',
      'HTTP/1.1 204 No Content\r\n\r\n',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 44\r\n\r\n',
    ];
    for (const first of heads) {
      const backend = await world.backend(async (request, connection) => {
        await request.whole();
        connection.send(request.target === '/1' ? first + evil : ok('second'));
      });
      const host = await world.frontend(backend);
      const one = await world.client();
      one.send(head('GET', '/1', host));
      expect((await one.response()).text).not.toContain('evil');
      const other = await world.client();
      for (const client of [other, one]) {
        client.send(head('GET', '/2', host));
        expect((await client.response()).text).toBe('second');
      }
    }
  });

  it('to HEAD are given to nobody', async () => {
    const { world } = wire;
    const backend = await world.backend(async (request, connection) => {
      await request.whole();
      connection.send(
        request.method === 'HEAD' ? `HTTP/1.1 200 OK\r\nContent-Length: ${evil.length}\r\n\r\n${evil}` : ok('second'),
      );
    });
    const host = await world.frontend(backend);
    const client = await world.client();
    client.send(head('HEAD', '/', host));
    expect((await client.response('HEAD')).status).toBe(200);
    client.send(head('GET', '/', host));
    expect((await client.response()).text).toBe('second');
  });

  it('that come while the connection is idle close it', async () => {
    const { world } = wire;
    const backend = await world.backend(ok('fine'));
    const host = await world.frontend(backend);
    expect((await world.get(host)).text).toBe('fine');
    backend.connections[0]?.send(evil);
    await eventually('the backend connection to close', () => isLetGo(backend));
    expect((await world.get(host)).text).toBe('fine');
    expect(backend.connections.length).toBe(2);
  });

  it('do not reach a request that waits for the connection', async () => {
    const { world } = wire;
    const backend = await world.backend(ok('unused'));
    const host = await world.frontend(backend);
    // 204 says that there is no body, whatever its fields announce: a backend that sends one all the same is not believed.
    const liar = await world.backend(`HTTP/1.1 204 No Content\r\nContent-Length: ${evil.length}\r\n\r\n`);
    const liarHost = await world.frontend(liar);
    expect((await world.get(liarHost)).status).toBe(204);
    await eventually('the connection of the liar to close', () => isLetGo(liar));
    expect((await world.get(host)).text).toBe('unused');
  });
});
