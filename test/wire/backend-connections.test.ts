// Connections to backends: how many, how long they are kept, and what happens when a backend closes one.
import { describe, expect, it } from 'vitest';
import { head, withBody } from '../contract/engine/world.js';
import { ok, response } from '../helpers/backend.js';
import { eventually, pause } from '../helpers/eventually.js';
import { isLetGo, useProxy } from './use-proxy.js';

describe('a cap on connections', () => {
  const wire = useProxy({ server: { maxSockets: 2 } });

  it('lets requests wait in order, and serves each as soon as a connection is free', async () => {
    const { world } = wire;
    let running = 0;
    let most = 0;
    const backend = await world.backend(async (request, connection) => {
      most = Math.max(most, ++running);
      await pause(5);
      running--;
      connection.send(ok(request.target));
    });
    const host = await world.frontend(backend);
    const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => world.get(host, `/${at}`)));
    expect(answers.map((answer) => answer.text)).toEqual(answers.map((_, at) => `/${at}`));
    expect(most).toBe(2);
    expect(backend.connections.length).toBe(2);
  });

  it('counts for each backend address alone', async () => {
    const { world } = wire;
    const stuck = await world.backend(() => new Promise<void>(() => {}));
    const stuckHost = await world.frontend(stuck);
    for (let turn = 0; turn < 4; turn++) (await world.client()).send(head('GET', '/', stuckHost));
    await eventually('both connections to be taken', () => stuck.requests.length === 2);
    expect((await world.get(await world.frontend(await world.backend(ok('free'))))).text).toBe('free');
    expect(stuck.connections.length).toBe(2);
  });

  it('gives a waiting request a new connection when the one it waits for breaks', async () => {
    const { world } = wire;
    await eventually('earlier exchanges to end', () => world.proxy.proxy.activeExchanges === 0);
    let breaking = false;
    const backend = await world.backend(async (request, connection) => {
      if (request.target === '/break') {
        await eventually('the time to break', () => breaking);
        connection.reset();
      } else connection.send(ok('served'));
    });
    const host = await world.frontend(backend);
    const post = (target: string): Promise<unknown> => world.exchange(withBody('POST', target, host, 'x'));
    const broken = [post('/break'), post('/break')];
    await eventually('both to be there', () => backend.requests.length === 2);
    const waiting = post('/wait');
    await eventually('the third to wait', () => world.proxy.proxy.activeExchanges === 3);
    breaking = true;
    expect(await waiting).toMatchObject({ text: 'served' });
    expect(await Promise.all(broken)).toMatchObject([{ status: 502 }, { status: 502 }]);
  });

  it('does not count tunnels', async () => {
    const { world } = wire;
    const backend = await world.backend((request, connection) => {
      if (request.target !== '/tunnel') return connection.send(ok('beside'));
      connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
      return new Promise<void>(() => {});
    });
    const host = await world.frontend(backend);
    for (let turn = 0; turn < 3; turn++) {
      const client = await world.client();
      client.send(head('GET', '/tunnel', host, 'Connection: Upgrade', 'Upgrade: x'));
      expect((await client.head()).startLine).toContain('101');
    }
    expect((await world.get(host)).text).toBe('beside');
  });
});

describe('without keep-alive', () => {
  const wire = useProxy({ server: { httpKeepAlive: false, maxSockets: 1 } });

  it('uses every connection once, says so, and closes it, also when requests wait for one', async () => {
    const { world } = wire;
    // This backend does not say that it closes: it leaves that to the proxy, as HTTP/1.1 allows.
    const backend = await world.backend(ok('once'));
    const host = await world.frontend(backend);
    const answers = await Promise.all(Array.from({ length: 5 }, () => world.get(host)));
    expect(answers.map((answer) => answer.text)).toEqual(Array(5).fill('once'));
    expect(backend.connections.map((connection) => connection.requests)).toEqual(Array(5).fill(1));
    for (const request of backend.requests) expect(request.fields.all('connection')).toEqual(['close']);
    await eventually('all connections to close', () => isLetGo(backend));
  });

  it('keeps the connection of the client all the same', async () => {
    const { world } = wire;
    const host = await world.frontend(await world.backend(ok('kept')));
    const client = await world.client();
    for (let turn = 0; turn < 3; turn++) {
      client.send(head('GET', '/', host));
      const answer = await client.response();
      expect(answer.fields.get('connection')).toBeNull();
    }
  });
});

describe('a backend that says how long it keeps a connection', () => {
  const wire = useProxy();

  it('gets no request on one that it is about to close', async () => {
    const { world } = wire;
    const backend = await world.backend(response('200 OK', 'x', 'Connection: keep-alive', 'Keep-Alive: timeout=1, max=100'));
    const host = await world.frontend(backend);
    await world.get(host);
    // The proxy closes it first, with time to spare.
    const start = performance.now();
    await eventually('the proxy to close it', () => isLetGo(backend));
    expect(performance.now() - start).toBeLessThan(1000);
    expect((await world.get(host)).fields.get('keep-alive')).toBeNull();
    expect(backend.connections.length).toBe(2);
  });

  it('has it used again as long as there is time', async () => {
    const { world } = wire;
    const backend = await world.backend(response('200 OK', 'x', 'Keep-Alive: timeout=5'));
    const host = await world.frontend(backend);
    for (let turn = 0; turn < 3; turn++) await world.get(host);
    expect(backend.connections.length).toBe(1);
  });
});

describe('without a limit for silence', () => {
  const wire = useProxy({ server: { backendTimeout: 0, backendIdleTimeout: 300 } });

  it('a connection that was idle has no limit either once it is used again', async () => {
    const { world } = wire;
    const backend = await world.backend(async (request, connection) => {
      if (request.target === '/slow') await pause(1000);
      connection.send(ok(request.target));
    });
    const host = await world.frontend(backend);
    for (const target of ['/quick', '/slow']) expect((await world.get(host, target)).text).toBe(target);
    expect(backend.connections.length).toBe(1);
  });
});

describe('a kept connection', () => {
  const wire = useProxy();

  it('that its backend closes while it is idle is forgotten, in good order or by a reset', async () => {
    const { world } = wire;
    for (const how of ['end', 'reset'] as const) {
      const backend = await world.backend(ok('fine'));
      const host = await world.frontend(backend);
      for (let turn = 0; turn < 3; turn++) {
        expect((await world.exchange(withBody('POST', '/', host, 'x'))).text).toBe('fine');
        const connection = backend.connections.at(-1);
        connection?.[how]();
        await eventually('the proxy to notice', () => connection?.closed === true || connection?.queue.end !== null);
      }
      expect(backend.requests.length).toBe(3);
      expect(backend.connections.length).toBe(3);
    }
  });

  it('is closed by nobody but its time, however many clients come and go', async () => {
    const { world } = wire;
    const backend = await world.backend(ok());
    const host = await world.frontend(backend);
    for (let turn = 0; turn < 50; turn++) await world.get(host);
    expect(backend.connections.length).toBe(1);
    expect(backend.open).toBe(1);
  });

  it('is not used for a request whose answer said that it is the last', async () => {
    const { world } = wire;
    for (const last of [
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n',
    ]) {
      const backend = await world.backend(last);
      const host = await world.frontend(backend);
      for (let turn = 0; turn < 3; turn++) expect((await world.get(host)).status).toBe(200);
      expect(backend.connections.map((connection) => connection.requests)).toEqual([1, 1, 1]);
    }
  });
});
