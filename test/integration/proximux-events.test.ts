// What a program that runs a Proximux of its own learns and decides.
import { BlockList } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Proximux, type ProximuxConfig, type ProximuxPeer } from '../../src/index.js';
import { eventually } from '../helpers/eventually.js';
import { type LineServer, startLineServer } from '../helpers/line-server.js';
import { connectClient, type RawClient } from '../helpers/raw-client.js';
import { startTarget } from '../helpers/streams.js';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function upstream(): Promise<LineServer> {
  const server = await startLineServer((line, socket) => {
    if (line !== 'die') return `re:${line}\n`;
    socket.destroy();
    return null;
  });
  ending.push(() => server.close());
  return server;
}

async function start(ports: readonly number[], settings: Partial<ProximuxConfig> = {}, warmup = false): Promise<Proximux> {
  const proximux = new Proximux(warmup, {
    logLevel: 0,
    localServerHost: '127.0.0.1',
    localServerPort: 0,
    proxyConnectionsCount: ports.length,
    targetServers: ports.map((port) => ({ host: '127.0.0.1', port })),
    ...settings,
  });
  ending.push(() => proximux.stop());
  await proximux.run();
  return proximux;
}

async function client(proximux: Proximux): Promise<RawClient> {
  const opened = await connectClient(proximux.port);
  ending.push(() => opened.close());
  return opened;
}

const shapes = [
  ['proxy', 1, { localServerMaxConnections: 1 }],
  ['fifo', 1, {}],
  ['funnel', 2, {}],
  ['asynchronous funnel', 2, { exchangeFunnelAsync: true }],
] as const;

describe.each(shapes)('in %s mode', (_mode, count, settings) => {
  test('a program is told of each request and gets its answer', async () => {
    const server = await upstream();
    const proximux = await start(new Array<number>(count).fill(server.port), settings);
    const seen: string[] = [];
    proximux.getEventEmitter().on('request', async (_logger, data, response) => {
      seen.push(data.toString(), (await response).toString());
    });
    const asking = await client(proximux);
    for (const line of ['a', 'b']) {
      asking.send(`${line}\n`);
      await asking.queue.until('\n');
    }
    await eventually('both answers', () => seen.length === 4);
    expect(seen).toEqual(['a\n', 're:a\n', 'b\n', 're:b\n']);
  });

  test('the promise of an answer is broken when the target is lost, and nobody has to listen to that', async () => {
    const server = await upstream();
    const proximux = await start(new Array<number>(count).fill(server.port), settings);
    const fates: string[] = [];
    proximux.getEventEmitter().on('request', (_logger, _data, response) => {
      response.catch(() => fates.push('broken'));
    });
    proximux.getEventEmitter().on('request', () => {
      throw new Error('a listener that fails');
    });
    const asking = await client(proximux);
    asking.send('die\n');
    await asking.ended();
    await eventually('the promise to be broken', () => fates.length === 1);
  });

  test('a listener that throws refuses the client before anything of it is read or sent on', async () => {
    const server = await upstream();
    const proximux = await start(new Array<number>(count).fill(server.port), settings);
    const peers: ProximuxPeer[] = [];
    const blocked = new BlockList();
    blocked.addAddress('127.0.0.1');
    proximux.getEventEmitter().on('connected', (_logger, peer) => {
      peers.push(peer);
      if (blocked.check(peer.address, peer.family.toLowerCase() as 'ipv4')) throw new Error('blocked');
    });
    const asking = await client(proximux);
    asking.send('a\n');
    await asking.ended();
    expect(peers).toEqual([{ address: '127.0.0.1', port: asking.socket.localPort, family: 'IPv4' }]);
    expect(server.accepted).toBe(0);
  });
});

describe('the mode', () => {
  test('is proxy where there are as many targets as clients: a server may speak first, and one more client is dropped', async () => {
    const greeting = await startTarget((socket) => {
      socket.write('welcome\n');
      socket.on('end', () => socket.end()).resume();
    });
    ending.push(() => greeting.close());
    const proximux = await start([greeting.port, greeting.port], { localServerMaxConnections: 2 });
    const clients = [await client(proximux), await client(proximux)];
    for (const one of clients) expect((await one.queue.until('\n')).toString()).toBe('welcome\n');
    const surplus = await client(proximux);
    expect((await surplus.queue.rest()).bytes).toHaveLength(0);
    expect(greeting.accepted).toBe(2);
    clients[0]?.end();
    clients[0]?.close();
    // The target may know earlier than the proxy that a place is free.
    const next = await eventually('the place to be free', async () => {
      const { queue } = await client(proximux);
      return queue.until('\n').then(String, () => null);
    });
    expect(next).toBe('welcome\n');
  });

  test('proxy takes the first free target in order', async () => {
    const [one, two] = [await startTarget(), await startTarget()];
    ending.push(
      () => one.close(),
      () => two.close(),
    );
    const proximux = await start([one.port, two.port], { localServerMaxConnections: 2 });
    const first = await client(proximux);
    await eventually('the first target to be used', () => one.accepted === 1);
    expect(two.accepted).toBe(0);
    await client(proximux);
    await eventually('the second target to be used', () => two.accepted === 1);
    first.close();
    await eventually('the first target to be used again', async () => {
      await client(proximux);
      return one.accepted === 2;
    });
    expect(two.accepted).toBe(1);
  });
});

test('warm-up connects to all targets before it listens, and they are used then', async () => {
  const server = await upstream();
  const proximux = await start([server.port, server.port, server.port], {}, true);
  await eventually('the server to have accepted them', () => server.accepted === 3);
  const asking = await client(proximux);
  asking.send('a\n');
  await asking.queue.until('\n');
  expect(server.accepted).toBe(3);
});

test('an upstream connection that was silent for PROXY_INACTIVE_TIMEOUT is closed, its clients stay and are served again', async () => {
  const server = await upstream();
  const proximux = await start([server.port], { proxyInactivityTimeout: 100 });
  const asking = await client(proximux);
  asking.send('a\n');
  await asking.queue.until('\n');
  await eventually('the upstream connection to be closed', () => server.sockets.size === 0);
  asking.send('b\n');
  expect((await asking.queue.until('\n')).toString()).toBe('re:b\n');
  expect(server.accepted).toBe(2);
});

test('stop() ends listening and all connections, and run() begins anew', async () => {
  const server = await upstream();
  const proximux = await start([server.port]);
  const asking = await client(proximux);
  asking.send('a\n');
  await asking.queue.until('\n');
  const { port } = proximux;
  await proximux.stop();
  await asking.ended();
  await eventually('the upstream connection to be closed', () => server.sockets.size === 0);
  await expect(connectClient(port)).rejects.toThrow('ECONNREFUSED');
  await proximux.run();
  const again = await client(proximux);
  again.send('b\n');
  expect((await again.queue.until('\n')).toString()).toBe('re:b\n');
});
