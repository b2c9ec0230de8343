// Whoever breaks off, nothing may stay behind: no backend connection, no slot, no exchange that counts as running.
import { describe, expect, it } from 'vitest';
import { head, pattern, type World } from '../contract/engine/world.js';
import { ok } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import type { RawClient } from '../helpers/raw-client.js';
import { isLetGo, useProxy } from './use-proxy.js';

const wire = useProxy({ server: { maxSockets: 1, connectTimeout: 6000 } });
const silence = (): Promise<void> => new Promise(() => {});

const leavings: readonly (readonly [string, (client: RawClient) => void])[] = [
  ['resets', (client) => client.reset()],
  ['closes', (client) => client.close()],
];

/** The one slot of the backend is free again: another client is served. */
async function expectSlotFree(world: World, host: string): Promise<void> {
  const client = await world.client();
  client.send(head('GET', '/after', host));
  expect((await client.response()).text).toBe('after');
  await eventually('all exchanges to end', () => world.proxy.proxy.activeExchanges === 0);
}

describe('a client that leaves', () => {
  for (const [how, leave] of leavings) {
    it(`in the middle of an upload (it ${how}) frees the slot`, async () => {
      const { world } = wire;
      const backend = await world.backend(async (request, connection) => {
        if (request.target === '/after') connection.send(ok('after'));
        else await silence();
      });
      const host = await world.frontend(backend);
      const client = await world.client();
      client.send(head('POST', '/upload', host, 'Content-Length: 1000000'));
      client.send(pattern(300_000));
      const connection = await eventually('half of the upload', () =>
        backend.connections.find(({ queue }) => queue.length === 300_000),
      );
      leave(client);
      await eventually('the backend connection to close', () => connection.queue.end);
      await expectSlotFree(world, host);
    });

    it(`in the middle of a chunked upload that its backend does not read (it ${how}) frees the slot`, async () => {
      const { world } = wire;
      const backend = await world.backend(ok('after'), {
        accept: (connection) => {
          if (backend.connections.length === 1) connection.socket.pause();
        },
      });
      const host = await world.frontend(backend);
      const client = await world.client();
      client.send(`${head('POST', '/upload', host, 'Transfer-Encoding: chunked')}10000\r\n`);
      client.send(pattern(0x8000));
      await eventually('a backend connection', () => backend.connections[0]);
      leave(client);
      await eventually('the exchange to end', () => world.proxy.proxy.activeExchanges === 0);
      await expectSlotFree(world, host);
    });

    it(`in the middle of a download (it ${how}) frees the slot`, async () => {
      const { world } = wire;
      const body = pattern(32 << 20);
      const backend = await world.backend(async (request, connection) => {
        if (request.target === '/after') return connection.send(ok('after'));
        connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
        await connection.flood(body);
      });
      const host = await world.frontend(backend);
      const client = await world.client();
      client.send(head('GET', '/download', host));
      await eventually('some of the download', () => client.queue.length > 100_000);
      leave(client);
      await eventually('the backend connection to close', () => isLetGo(backend));
      await expectSlotFree(world, host);
      expect(backend.connections[0]?.flooded).toBeLessThan(body.length);
    });
  }
});

it('survives clients that leave at every point of an exchange', async () => {
  const { world } = wire;
  const body = 'b'.repeat(2000);
  const backend = await world.backend(async (request, connection) => {
    await request.whole();
    connection.send(request.target === '/after' ? ok('after') : ok(body));
  });
  const host = await world.frontend(backend);
  const bytes = `${head('POST', '/', host, 'Transfer-Encoding: chunked')}10\r\n0123456789abcdef\r\n0\r\n\r\n`;
  for (let cut = 0; cut <= bytes.length; cut++) {
    const client = await world.client();
    client.send(bytes.slice(0, cut));
    // What was sent has been read before the client leaves: the exchange of another connection lies between.
    if (cut % 2 === 0) await world.get('__ping__');
    (leavings[cut % 3 === 0 ? 1 : 0] as (typeof leavings)[number])[1](client);
  }
  await expectSlotFree(world, host);
});
