// A client that closed its sending side may be waiting for its answer, or gone: TCP does not tell them apart.
import { describe, expect, it } from 'vitest';
import { head, withBody } from '../contract/engine/world.js';
import { type BackendConnection, ok, type RawBackend } from '../helpers/backend.js';
import { eventually, pause } from '../helpers/eventually.js';
import { isLetGo, useProxy } from './use-proxy.js';

const silence = (): Promise<void> => new Promise(() => {});

/** The connection that carries the only request, once it is there. */
function received(backend: RawBackend): Promise<BackendConnection> {
  return eventually('the request', () => (backend.requests.length === 1 ? backend.connections[0] : null));
}

describe('a client that closed its sending side', () => {
  const wire = useProxy();

  it('gets the answer, and then the end of the connection', async () => {
    const { world } = wire;
    const backend = await world.backend(silence);
    const client = await world.client();
    client.send(head('GET', '/', await world.frontend(backend)));
    client.end();
    (await received(backend)).send(ok('late but whole'));
    expect((await client.response()).text).toBe('late but whole');
    expect(await client.ended()).toBe('end');
  });

  it('gets a long answer whole', async () => {
    const { world } = wire;
    const body = 'x'.repeat(3 << 20);
    const client = await world.client();
    client.send(head('GET', '/', await world.frontend(await world.backend(ok(body)))));
    client.end();
    expect((await client.response()).text === body).toBe(true);
    expect(await client.ended()).toBe('end');
  });

  it('gets the answers to everything that it had sent before', async () => {
    const { world } = wire;
    const backend = await world.backend(async (request, connection) => {
      await request.whole();
      connection.send(ok(`${request.target} ${request.text}`));
    });
    const host = await world.frontend(backend);
    const client = await world.client();
    client.send(
      head('GET', '/1', host) +
        withBody('POST', '/2', host, 'two') +
        head('GET', '/', '__ping__').repeat(2) +
        head('GET', '/3', host),
    );
    client.end();
    const texts: string[] = [];
    for (let turn = 0; turn < 5; turn++) texts.push((await client.response()).text);
    expect(texts).toEqual(['/1 ', '/2 two', 'ok', 'ok', '/3 ']);
    expect(await client.ended()).toBe('end');
  });

  it('is told at once that a body is cut short, the first or a pipelined one', async () => {
    const { world } = wire;
    const backend = await world.backend(ok('whole'));
    const host = await world.frontend(backend);
    for (const before of ['', head('GET', '/', host)]) {
      const client = await world.client();
      client.send(`${before}${head('POST', '/cut', host, 'Content-Length: 10')}half`);
      client.end();
      if (before !== '') expect((await client.response()).text).toBe('whole');
      const answer = await client.response();
      expect(answer.fields.get('x-cjs-proxy-error')).toBe('body-cut-short');
      expect(await client.ended()).toBe('end');
    }
    for (const request of backend.requests) if (request.target === '/cut') expect(request.body).toBeNull();
  });

  it('is told nothing about a head that is cut short', async () => {
    const client = await wire.world.client();
    client.send('GET / HTTP/1.1\r\nHo');
    client.end();
    expect(await client.queue.rest()).toMatchObject({ end: 'end', bytes: Buffer.alloc(0) });
  });

  it('is asked by 100 (Continue) whether it is still there, and gets its answer', async () => {
    const { world } = wire;
    const backend = await world.backend(silence);
    const client = await world.client();
    client.send(head('GET', '/', await world.frontend(backend)));
    client.end();
    expect((await client.head()).startLine).toBe('HTTP/1.1 100 Continue');
    expect(isLetGo(backend)).toBe(false);
    (await received(backend)).send(ok('here you are'));
    expect((await client.response()).text).toBe('here you are');
  });

  it('is asked again by a request that it had pipelined', async () => {
    const { world } = wire;
    const backend = await world.backend(async (request, connection) => {
      if (request.target === '/1') connection.send(ok('first'));
      else await silence();
    });
    const host = await world.frontend(backend);
    const client = await world.client();
    client.send(head('GET', '/1', host) + head('GET', '/2', host));
    client.end();
    expect((await client.response()).text).toBe('first');
    expect((await client.head()).startLine).toBe('HTTP/1.1 100 Continue');
  });

  it('is not asked over HTTP/1.0, which knows no interim answers', async () => {
    const { world } = wire;
    const backend = await world.backend(async (_request, connection) => {
      await pause(1600);
      connection.send(ok('old'));
    });
    const client = await world.client();
    client.send(`GET / HTTP/1.0\r\nHost: ${await world.frontend(backend)}\r\n\r\n`);
    client.end();
    const answer = await client.response();
    expect(answer.interims).toEqual([]);
    expect(answer.text).toBe('old');
  });
});

describe('a client that is gone while its backend is silent', () => {
  const wire = useProxy({ server: { maxSockets: 1, connectTimeout: 6000 } });

  it('frees its backend connection for the next client within a few seconds', async () => {
    const { world } = wire;
    const backend = await world.backend(async (request, connection) => {
      if (request.target === '/next') connection.send(ok('next'));
      else await silence();
    });
    const host = await world.frontend(backend);
    const gone = await world.client();
    gone.send(head('GET', '/never', host));
    await received(backend);
    const next = await world.client();
    next.send(head('GET', '/next', host));
    gone.close();
    expect((await next.response()).text).toBe('next');
    expect(backend.connections.length).toBe(2);
    await eventually('the first backend connection to close', () => backend.connections[0]?.queue.end);
  });

  it('frees it at once when it resets', async () => {
    const { world } = wire;
    const backend = await world.backend(silence);
    const client = await world.client();
    client.send(head('GET', '/', await world.frontend(backend)));
    await received(backend);
    client.reset();
    await eventually('the backend connection to close', () => isLetGo(backend), 700);
  });

  it('is let go while its request waits for a connection', async () => {
    const { world } = wire;
    const backend = await world.backend(async (request, connection) => {
      if (request.target === '/held') await eventually('its release', () => released, 6000);
      connection.send(ok(request.target));
    });
    let released = false;
    await eventually('earlier exchanges to end', () => world.proxy.proxy.activeExchanges === 0);
    const host = await world.frontend(backend);
    const holder = await world.client();
    holder.send(head('GET', '/held', host));
    await received(backend);
    const gone = await world.client();
    gone.send(head('GET', '/gone', host));
    const last = await world.client();
    last.send(head('GET', '/last', host));
    await eventually('both to wait', () => world.proxy.proxy.activeExchanges === 3);
    gone.reset();
    await eventually('the proxy to notice', () => world.proxy.proxy.activeExchanges === 2);
    released = true;
    expect((await holder.response()).text).toBe('/held');
    expect((await last.response()).text).toBe('/last');
    expect(backend.requests.map((request) => request.target)).toEqual(['/held', '/last']);
  });
});

describe('with a limit for the whole exchange', () => {
  const wire = useProxy({ server: { totalTimeout: 8000 } });

  it('a client that is gone frees its backend as well', async () => {
    const { world } = wire;
    const backend = await world.backend(silence);
    const client = await world.client();
    client.send(head('GET', '/', await world.frontend(backend)));
    await received(backend);
    client.close();
    await eventually('the backend connection to close', () => isLetGo(backend));
  });
});

describe('halfClosedClients: abort', () => {
  const wire = useProxy({ server: { halfClosedClients: 'abort' } });

  it('gives a client up that closed its sending side', async () => {
    const { world } = wire;
    const backend = await world.backend(silence);
    const client = await world.client();
    client.send(head('GET', '/', await world.frontend(backend)));
    await received(backend);
    client.end();
    await eventually('the backend connection to close', () => isLetGo(backend), 700);
    expect((await client.queue.rest()).bytes.length).toBe(0);
  });
});

describe('halfClosedClients: serve', () => {
  const wire = useProxy({ server: { halfClosedClients: 'serve' } });

  it('asks nothing and waits for the answer', async () => {
    const { world } = wire;
    const backend = await world.backend(silence);
    const client = await world.client();
    client.send(head('GET', '/', await world.frontend(backend)));
    client.end();
    const connection = await received(backend);
    await pause(1600);
    connection.send(ok('unasked'));
    const answer = await client.response();
    expect(answer.interims).toEqual([]);
    expect(answer.text).toBe('unasked');
  });
});
