// A client may read as slowly as it likes while it reads: only one that takes nothing at all is cut.
import { describe, expect, it } from 'vitest';
import { head, pattern } from '../contract/engine/world.js';
import { EndedEarly } from '../helpers/byte-queue.js';
import { eventually } from '../helpers/eventually.js';
import { inChunks } from '../helpers/http-reader.js';
import type { RawClient } from '../helpers/raw-client.js';
import { isLetGo, useProxy } from './use-proxy.js';

/** The kernel asks for more only when it can take a megabyte or two, so that is how finely progress can be seen. */
const limit = 1500;
const wire = useProxy({ server: { bodyTimeout: limit, idleTimeout: limit, backendTimeout: limit, tunnelTimeout: limit } });

const mebibyte = 1 << 20;
const body = pattern(16 * mebibyte);
const withLength = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body]);
const chunked = Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), inChunks(body, 100_000)]);

/** Reads `step` bytes, rests, and so on. */
function readInSteps(client: RawClient, step: number, rest: number): void {
  let mark = step;
  client.socket.on('data', () => {
    if (client.queue.total < mark) return;
    mark = client.queue.total + step;
    client.pause();
    setTimeout(() => client.resume(), rest);
  });
}

describe('a client that reads slowly', () => {
  const ways = [
    ['Content-Length, on a connection that is kept', withLength, []],
    ['Content-Length, on a connection that is closed', withLength, ['Connection: close']],
    ['chunks, on a connection that is kept', chunked, []],
    ['chunks, on a connection that is closed', chunked, ['Connection: close']],
  ] as const;

  it('gets all of an answer although that takes longer than any limit', async () => {
    const { world } = wire;
    const start = performance.now();
    const readings = ways.map(async ([what, bytes, lines]) => {
      const backend = await world.backend((_request, connection) => connection.flood(bytes));
      const client = await world.client();
      readInSteps(client, mebibyte / 2, 150);
      client.send(head('GET', '/', await world.frontend(backend), ...lines));
      const response = await client.response().catch((error: unknown) => error);
      if (response instanceof Error) throw new Error(`with ${what}: ${response.message.slice(0, 100)}`);
      expect((response as { body: Buffer }).body.equals(body)).toBe(true);
    });
    await Promise.all(readings);
    expect(performance.now() - start).toBeGreaterThan(2 * limit);
  });
});

describe('a client that does not read', () => {
  it('is cut, and its backend is let go', async () => {
    const { world } = wire;
    const backend = await world.backend((_request, connection) => connection.flood(withLength));
    const client = await world.client();
    client.pause();
    client.send(head('GET', '/', await world.frontend(backend)));
    await eventually('the backend connection to close', () => isLetGo(backend));
    client.resume();
    await expect(client.response()).rejects.toThrow(EndedEarly);
  });

  it('is cut when it takes the first of its pipelined answers and then no more', async () => {
    const { world } = wire;
    const backend = await world.backend((_request, connection) => connection.flood(withLength));
    const host = await world.frontend(backend);
    const client = await world.client();
    client.send(head('GET', '/', host).repeat(10));
    await client.response();
    client.pause();
    await eventually('the backend connection to close', () => isLetGo(backend));
  });

  it('is cut although it goes on sending its request', async () => {
    const { world } = wire;
    const backend = await world.backend((_request, connection) => connection.flood(withLength));
    const client = await world.client();
    client.pause();
    client.send(`${head('POST', '/', await world.frontend(backend), 'Content-Length: 1000000')}x`);
    await eventually('the answer to begin', () => backend.connections.length === 1);
    client.send('y'.repeat(999_999));
    await eventually('the backend connection to close', () => isLetGo(backend));
  });

  it('is cut in a tunnel', async () => {
    const { world } = wire;
    const backend = await world.backend(async (_request, connection) => {
      connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      await connection.flood(body);
    });
    const client = await world.client();
    client.send(head('GET', '/', await world.frontend(backend), 'Connection: Upgrade', 'Upgrade: echo'));
    await client.head();
    client.pause();
    await eventually('the backend connection to close', () => isLetGo(backend));
  });
});
