// Large bodies: whole, in the pace of the slower side, and with bounded memory.
import { expect } from 'vitest';
import { ok } from '../../helpers/backend.js';
import { eventually, settled } from '../../helpers/eventually.js';
import { inChunks } from '../../helpers/http-reader.js';
import { type CaseGroup, head, pattern } from './world.js';

const mebibyte = 1_048_576;

/**
 * More than this in flight means that somebody keeps what nobody reads: the kernel holds up to about 6 MiB for each of two
 * connections on the loopback.
 */
const inFlightAtMost = 24 * mebibyte;

export const bodyCases: CaseGroup = {
  title: 'large bodies',
  cases: [
    {
      title: 'relays a large answer with Content-Length whole',
      async run(world) {
        const bytes = pattern(32 * mebibyte);
        const backend = await world.backend(async (_request, connection) => {
          connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`);
          await connection.flood(bytes);
        });
        const answer = await world.get(await world.frontend(backend));
        expect(answer.body.equals(bytes)).toBe(true);
      },
    },
    {
      title: 'relays a large chunked answer whole',
      async run(world) {
        const bytes = pattern(16 * mebibyte);
        const backend = await world.backend(async (_request, connection) => {
          connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
          await connection.flood(inChunks(bytes, 100_001));
        });
        const answer = await world.get(await world.frontend(backend));
        expect(answer.body.equals(bytes)).toBe(true);
      },
    },
    {
      title: 'relays a large answer that ends with the connection whole',
      async run(world) {
        const bytes = pattern(16 * mebibyte);
        const backend = await world.backend(async (_request, connection) => {
          connection.send('HTTP/1.1 200 OK\r\n\r\n');
          await connection.flood(bytes);
          connection.end();
        });
        const answer = await world.get(await world.frontend(backend));
        expect(answer.body.equals(bytes)).toBe(true);
      },
    },
    {
      title: 'relays a large request with Content-Length whole',
      async run(world) {
        const bytes = pattern(32 * mebibyte);
        const backend = await world.backend(ok('thanks'));
        const client = await world.client();
        client.send(head('PUT', '/', await world.frontend(backend), `Content-Length: ${bytes.length}`));
        await client.sendAll(bytes);
        expect((await client.response()).text).toBe('thanks');
        expect(backend.only.body?.bytes.equals(bytes)).toBe(true);
      },
    },
    {
      title: 'relays a large chunked request whole',
      async run(world) {
        const bytes = pattern(16 * mebibyte);
        const backend = await world.backend(ok('thanks'));
        const client = await world.client();
        client.send(head('POST', '/', await world.frontend(backend), 'Transfer-Encoding: chunked'));
        await client.sendAll(inChunks(bytes, 65_537, 'X-Sum: 1\r\n'));
        expect((await client.response()).text).toBe('thanks');
        expect(backend.only.body?.bytes.equals(bytes)).toBe(true);
        expect(backend.only.body?.trailers.get('x-sum')).toBe('1');
      },
    },
    {
      title: 'lets a backend wait for a slow client, and keeps no more than fits on the way',
      async run(world) {
        const size = 64 * mebibyte;
        const bytes = pattern(size);
        const backend = await world.backend(async (_request, connection) => {
          connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
          await connection.flood(bytes);
        });
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend)));
        await client.head();
        client.pause();
        const sent = await settled(() => backend.connections[0]?.flooded ?? 0);
        expect(sent).toBeLessThan(inFlightAtMost);
        const received = eventually('the rest', () => client.queue.total > size);
        client.resume();
        await received;
        expect(client.queue.end).toBeNull();
      },
    },
    {
      title: 'lets a client wait for a slow backend, and keeps no more than fits on the way',
      async run(world) {
        const size = 64 * mebibyte;
        let goOn = false;
        const backend = await world.backend(async (request, connection) => {
          connection.socket.pause();
          await eventually('the sign to go on', () => goOn, 15_000);
          connection.socket.resume();
          await request.whole();
          connection.send(ok('at last'));
        });
        let sent = 0;
        const client = await world.client();
        client.send(head('PUT', '/', await world.frontend(backend), `Content-Length: ${size}`));
        const piece = pattern(mebibyte);
        const sending = (async () => {
          for (; sent < size; sent += piece.length) await client.sendAll(piece);
        })();
        await eventually('the upload to begin', () => sent > 0);
        expect(await settled(() => sent)).toBeLessThan(inFlightAtMost);
        goOn = true;
        await sending;
        expect((await client.response()).text).toBe('at last');
        expect(backend.only.body?.bytes.length).toBe(size);
      },
    },
    {
      title: 'relays a stream both ways at once',
      async run(world) {
        const size = 8 * mebibyte;
        const bytes = pattern(size);
        const backend = await world.backend(async (_request, connection) => {
          connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
          for (let left = size; left > 0; ) {
            const piece = await connection.queue.some();
            if (piece === null) return;
            left -= piece.length;
            await connection.flood(piece);
          }
          // The body was read past the request.
          connection.socket.end();
        });
        const client = await world.client();
        client.send(head('POST', '/', await world.frontend(backend), `Content-Length: ${size}`));
        const answer = client.response();
        await client.sendAll(bytes);
        expect((await answer).body.equals(bytes)).toBe(true);
      },
    },
  ],
};
