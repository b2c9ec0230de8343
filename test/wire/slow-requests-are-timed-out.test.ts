// How long a client may take: for a head, for a body, between requests.
import { describe, expect, it } from 'vitest';
import { head, pattern, withBody } from '../contract/engine/world.js';
import { ok } from '../helpers/backend.js';
import { EndedEarly } from '../helpers/byte-queue.js';
import { eventually, pause } from '../helpers/eventually.js';
import type { RawClient } from '../helpers/raw-client.js';
import { useProxy } from './use-proxy.js';

const limit = 600;
/** The clock is coarse (a quarter of a second), the machine may be busy. */
const slack = 900;

const wire = useProxy({ server: { headTimeout: limit, bodyTimeout: limit, idleTimeout: limit, backendTimeout: 6000 } });

/** Sends pieces one after another for as long as the connection lasts. */
async function trickle(client: RawClient, pieces: Iterable<string>, every: number): Promise<void> {
  for (const piece of pieces) {
    if (client.queue.length > 0 || client.queue.end !== null) return;
    client.send(piece);
    await pause(every);
  }
}

/** Milliseconds that `action` takes. */
async function time(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

describe('a head', () => {
  it('is answered with 408 when it stops in the middle', async () => {
    const client = await wire.world.client();
    client.send('GET / HTTP/1.1\r\nHost: a.exa');
    const took = await time(async () => {
      const response = await client.response();
      expect(response.status).toBe(408);
      expect(response.fields.get('x-cjs-proxy-error')).toBe('head-timeout');
      expect(response.fields.get('connection')).toBe('close');
    });
    expect(took).toBeGreaterThan(limit - 300);
    expect(took).toBeLessThan(limit + slack);
    expect(await client.ended()).toBe('end');
  });

  it('has its time as a whole, however steadily its bytes come', async () => {
    const client = await wire.world.client();
    const bytes = head('GET', '/', 'a.example.com', ...Array.from({ length: 60 }, (_, at) => `X-${at}: y`));
    const took = await time(async () => {
      void trickle(client, bytes, 5);
      expect((await client.response()).status).toBe(408);
    });
    expect(took).toBeLessThan(limit + slack);
  });

  it('has its time as a whole, however steadily its lines come', async () => {
    const client = await wire.world.client();
    const lines = head('GET', '/', 'a.example.com', 'A: b', 'C: d', 'E: f', 'G: h', 'I: j').split(/(?<=\r\n)/);
    const took = await time(async () => {
      void trickle(client, lines, limit / 2);
      expect((await client.response()).status).toBe(408);
    });
    expect(took).toBeLessThan(limit + slack);
  });

  it('has the same time as the second on a connection', async () => {
    const { world } = wire;
    const host = await world.frontend(await world.backend(ok('first')));
    const client = await world.client();
    client.send(head('GET', '/', host));
    expect((await client.response()).text).toBe('first');
    client.send('GET / HT');
    expect((await client.response()).status).toBe(408);
    expect(await client.ended()).toBe('end');
  });
});

describe('a connection', () => {
  it('is closed without a word when nothing comes', async () => {
    const client = await wire.world.client();
    const took = await time(async () => {
      expect((await client.queue.rest()).bytes.length).toBe(0);
    });
    expect(took).toBeGreaterThan(limit - 300);
    expect(took).toBeLessThan(limit + slack);
  });

  it('is closed without a word when no further request comes', async () => {
    const { world } = wire;
    const host = await world.frontend(await world.backend(ok('first')));
    const client = await world.client();
    client.send(head('GET', '/', host));
    await client.response();
    const took = await time(async () => {
      expect((await client.queue.rest()).bytes.length).toBe(0);
    });
    expect(took).toBeGreaterThan(limit - 300);
    expect(took).toBeLessThan(limit + slack);
  });
});

describe('a body', () => {
  it('is answered with 408 when it stops in the middle, and the backend is given up', async () => {
    const { world } = wire;
    const backend = await world.backend(ok());
    const host = await world.frontend(backend);
    const client = await world.client();
    client.send(`${head('POST', '/', host, 'Content-Length: 10')}half`);
    const response = await client.response();
    expect(response.status).toBe(408);
    expect(response.fields.get('x-cjs-proxy-error')).toBe('body-timeout');
    expect(response.fields.get('connection')).toBe('close');
    expect(await client.ended()).toBe('end');
    await eventually('the backend connection to close', () => backend.open === 0);
    expect(backend.only.body).toBeNull();
  });

  it('may take as long as it likes while it moves', async () => {
    const { world } = wire;
    const backend = await world.backend(ok('patient'));
    const host = await world.frontend(backend);
    const client = await world.client();
    const body = 'slow and steady';
    client.send(head('POST', '/', host, `Content-Length: ${body.length}`));
    await trickle(client, body, limit / 5);
    expect((await client.response()).text).toBe('patient');
    expect(backend.only.text).toBe(body);
  });

  it('is not asked for while the backend takes its time to read it', async () => {
    const { world } = wire;
    const body = pattern(8 << 20);
    const backend = await world.backend(ok('late'), { accept: (connection) => connection.socket.pause() });
    const host = await world.frontend(backend);
    const client = await world.client();
    client.send(head('POST', '/', host, `Content-Length: ${body.length}`));
    void client.sendAll(body);
    const connection = await eventually('a connection', () => backend.connections[0]);
    await pause(2 * limit);
    expect(client.queue.length).toBe(0);
    connection.socket.resume();
    expect((await client.response()).text).toBe('late');
    expect(backend.only.body?.bytes.equals(body)).toBe(true);
  });

  it('is not asked for while the client may wait for 100 (Continue)', async () => {
    const { world } = wire;
    const backend = await world.backend(async (request, connection) => {
      await pause(2 * limit);
      connection.send('HTTP/1.1 100 Continue\r\n\r\n');
      await request.whole();
      connection.send(ok('thank you'));
    });
    const host = await world.frontend(backend);
    const client = await world.client();
    client.send(head('POST', '/', host, 'Content-Length: 4', 'Expect: 100-continue'));
    expect((await client.head()).startLine).toBe('HTTP/1.1 100 Continue');
    client.send('body');
    expect((await client.response()).text).toBe('thank you');
  });

  it('is asked for when the client does not send it after 100 (Continue)', async () => {
    const { world } = wire;
    const backend = await world.backend(async (request, connection) => {
      connection.send('HTTP/1.1 100 Continue\r\n\r\n');
      await request.whole();
    });
    const host = await world.frontend(backend);
    const client = await world.client();
    client.send(head('POST', '/', host, 'Content-Length: 4', 'Expect: 100-continue'));
    const response = await client.response();
    expect(response.interims.length).toBe(1);
    expect(response.status).toBe(408);
  });

  it('may be waited for by a pipelined request, which then has its own time', async () => {
    const { world } = wire;
    const host = await world.frontend(await world.backend(ok()));
    const client = await world.client();
    client.send(`${withBody('POST', '/', host, 'one') + head('POST', '/', host, 'Content-Length: 9')}two`);
    expect((await client.response()).status).toBe(200);
    expect((await client.response()).status).toBe(408);
  });
});

it('lets a client see 408 that sends much and reads late', async () => {
  const { world } = wire;
  const backend = await world.backend(ok());
  const host = await world.frontend(backend);
  const client = await world.client();
  client.pause();
  client.send(head('POST', '/', host, `Content-Length: ${1 << 20}`));
  await client.sendAll(pattern(1 << 19));
  await eventually('the backend connection to close', () => backend.connections.length === 1 && backend.open === 0);
  client.resume();
  try {
    expect((await client.response()).status).toBe(408);
  } catch (error) {
    if (error instanceof EndedEarly) throw new Error(`the answer was destroyed by a ${error.kind}`);
    throw error;
  }
});
