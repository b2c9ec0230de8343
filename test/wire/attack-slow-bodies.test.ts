// Who sends a body so slowly that it holds a backend for nothing is cut; who is slow and honest is not.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { head, pattern, World } from '../contract/engine/world.js';
import { ok } from '../helpers/backend.js';
import { eventually, pause } from '../helpers/eventually.js';
import type { RawClient } from '../helpers/raw-client.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';

const rate = 1000;
const grace = 1500;
let proxy: StartedProxy;
let world: World;

// One world for all: most of their time is waiting, which they do side by side.
beforeAll(async () => {
  const frontDoor = { minBodyRate: rate, bodyGrace: grace };
  proxy = await startProxy({ frontDoor, server: { bodyTimeout: 20_000, idleTimeout: 20_000 } });
  world = new World(proxy, 'wire');
});
afterAll(async () => {
  await world.close();
  await proxy.close();
});

/** Sends pieces one after another until there is an answer. @returns the milliseconds that it went on */
async function trickle(client: RawClient, piece: string, every: number, count: number): Promise<number> {
  const begun = performance.now();
  for (let sent = 0; sent < count && client.queue.length === 0 && client.queue.end === null; sent++) {
    client.send(piece);
    await pause(every);
  }
  return performance.now() - begun;
}

describe.concurrent('a body that trickles', () => {
  const ways = [
    ['with a length', 'Content-Length: 100000', 'x'],
    ['in chunks', 'Transfer-Encoding: chunked', '1\r\nx\r\n'],
    ['in extensions of chunks', 'Transfer-Encoding: chunked', '1;abc=def\r\nx\r\n'],
  ] as const;

  it.each(ways)('%s is answered with 408, and its backend is let go', async (_way, field, piece) => {
    const backend = await world.backend(ok());
    const host = await world.frontend(backend);
    const client = await world.client();
    client.send(head('POST', '/', host, field));
    const took = await trickle(client, piece, 50, 200);
    const response = await client.response();
    expect(response.status).toBe(408);
    expect(response.fields.get('x-cjs-proxy-error')).toBe('body-timeout');
    expect(response.fields.get('connection')).toBe('close');
    expect(took).toBeGreaterThan(grace - 300);
    expect(took).toBeLessThan(grace + 2500);
    await eventually('the backend connection to close', () => backend.open === 0);
  });

  it('is cut as well when it began fast', async () => {
    const host = await world.frontend(await world.backend(ok()));
    const client = await world.client();
    client.send(head('POST', '/', host, 'Content-Length: 1000000') + 'x'.repeat(500_000));
    const took = await trickle(client, 'x', 50, 200);
    expect((await client.response()).status).toBe(408);
    expect(took).toBeLessThan(grace + 2500);
  });

  it('is cut as the second on its connection', async () => {
    const host = await world.frontend(await world.backend(ok()));
    const client = await world.client();
    client.send(`${head('POST', '/', host, 'Content-Length: 4')}fast`);
    expect((await client.response()).status).toBe(200);
    client.send(head('POST', '/', host, 'Content-Length: 100000'));
    await trickle(client, 'x', 50, 200);
    expect((await client.response()).status).toBe(408);
  });
});

describe.concurrent('a body that is slow and honest', () => {
  it('is taken whole, twice as fast as the least that is asked for', async () => {
    const backend = await world.backend(ok('taken'));
    const host = await world.frontend(backend);
    const client = await world.client();
    client.send(head('POST', '/', host, 'Content-Length: 4000'));
    await trickle(client, 'x'.repeat(200), 100, 20);
    expect((await client.response()).text).toBe('taken');
    expect(backend.only.body?.bytes.length).toBe(4000);
  });

  it('may rest within the grace, again and again', async () => {
    const host = await world.frontend(await world.backend(ok('taken')));
    const client = await world.client();
    client.send(head('POST', '/', host, 'Content-Length: 8000'));
    await trickle(client, 'x'.repeat(2000), 350, 4);
    expect((await client.response()).text).toBe('taken');
  });

  it('is not blamed for a backend that takes its time', async () => {
    const body = pattern(8 << 20);
    const backend = await world.backend(ok('late'), { accept: (connection) => connection.socket.pause() });
    const host = await world.frontend(backend);
    const client = await world.client();
    client.send(head('POST', '/', host, `Content-Length: ${body.length}`));
    void client.sendAll(body);
    const connection = await eventually('a connection', () => backend.connections[0]);
    await pause(2 * grace + 500);
    expect(client.queue.length).toBe(0);
    connection.socket.resume();
    expect((await client.response()).text).toBe('late');
  });

  it('is not asked for before 100 (Continue)', async () => {
    const backend = await world.backend(async (request, connection) => {
      await pause(grace + 600);
      connection.send('HTTP/1.1 100 Continue\r\n\r\n');
      await request.whole();
      connection.send(ok('thank you'));
    });
    const host = await world.frontend(backend);
    const client = await world.client();
    client.send(head('POST', '/', host, 'Content-Length: 4', 'Expect: 100-continue'));
    await client.head();
    client.send('body');
    expect((await client.response()).text).toBe('thank you');
  });
});
