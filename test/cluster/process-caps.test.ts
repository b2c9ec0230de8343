// Caps on connections hold for the node, whichever of its workers the clients come to.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { type LineServer, startLineServer } from '../helpers/line-server.js';
import { connectClient, type RawClient } from '../helpers/raw-client.js';
import { type SpawnedNode, spawnNode } from '../helpers/spawn-node.js';

const all = 60;
const ofAddress = 16;
/** What one worker leaves of the connections of an address to the other: a quarter, divided by two. */
const own = 2;

const ports: Record<string, number> = {};
const clients: RawClient[] = [];
let upstream: LineServer;
/** Started by the first test. */
let node: SpawnedNode | null = null;

beforeAll(async () => {
  upstream = await startLineServer();
  for (const name of ['few', 'turns', 'target']) ports[name] = await freePort();
});
beforeEach(async () => {
  const targets = [`tcp://127.0.0.1:${upstream.port}`];
  node ??= await spawnNode({
    frontDoor: { connections: all, connectionsPerAddress: ofAddress },
    streams: [
      { name: 'few', port: ports.few, maxConnections: 5, targets },
      { name: 'turns', port: ports.turns, maxConnections: 3, overflow: 'wait', waitTimeout: 30, targets },
      { name: 'target', port: ports.target, targetConnections: 2, overflow: 'wait', waitTimeout: 30, targets },
    ],
  });
  await node.serving();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await eventually('the upstream to be idle', () => upstream.sockets.size === 0);
});
afterAll(async () => {
  await node?.destroy();
  await upstream.close();
});

/** A connection from an address; null: it was refused before it was made. */
async function from(address: string, port = node?.port ?? 0): Promise<RawClient | null> {
  const client = await connectClient(port, '127.0.0.1', address).catch(() => null);
  if (client !== null) clients.push(client);
  return client;
}

async function isServed(client: RawClient | null): Promise<boolean> {
  if (client === null) return false;
  client.send('GET / HTTP/1.1\r\nHost: __ping__\r\n\r\n');
  return client.response().then(
    ({ status }) => status === 200,
    () => false,
  );
}

/** How many of some connections, opened at once, are served. */
async function served(addresses: readonly string[]): Promise<number> {
  const opened = await Promise.all(addresses.map((address) => from(address)));
  return (await Promise.all(opened.map(isServed))).filter((is) => is).length;
}

/** Whether a client of a stream is served: asked with a line. */
async function isAnswered(client: RawClient | null, line: string): Promise<boolean> {
  if (client === null) return false;
  client.send(`${line}\n`);
  return client.queue.until('\n').then(
    (answer) => answer.toString() === `re:${line}\n`,
    () => false,
  );
}

describe('two workers', () => {
  it('let an address have as many connections as it may, together', async () => {
    for (let round = 0; round < 3; round++) {
      await eventually('all places of the address', async () => {
        for (const client of clients.splice(0)) client.close();
        const flood = await served(Array.from({ length: 50 }, () => '127.0.0.1'));
        expect(flood).toBeLessThanOrEqual(ofAddress);
        return flood >= ofAddress - own;
      });
      // Another one is not hindered.
      expect(await served(['127.0.0.2'])).toBe(1);
    }
  });

  it('have as many connections in all as the node may, and take others when some have ended', async () => {
    await eventually('all places to be free', async () => {
      for (const client of clients.splice(0)) client.close();
      const count = await served(Array.from({ length: 150 }, (_, at) => `127.0.2.${at + 1}`));
      expect(count).toBeLessThanOrEqual(all);
      return count === all;
    });
    for (const client of clients.splice(0, 75)) client.close();
    await eventually('room', () => served(['127.0.3.1']).then((count) => count === 1));
  });

  it('get what one of them had that was killed', async () => {
    const addresses = Array.from({ length: 150 }, (_, at) => `127.0.4.${at + 1}`);
    await eventually('a full node', async () => {
      for (const client of clients.splice(0)) client.close();
      return (await served(addresses)) === all;
    });
    const [victim] = node?.workers() ?? [];
    process.kill(victim ?? 0, 'SIGKILL');
    for (const client of clients.splice(0)) client.close();
    const isWhole = (workers: readonly number[]) => workers.length === 2 && !workers.includes(victim ?? 0);
    await eventually('the node to be whole again', () => isWhole(node?.workers() ?? []), 15_000);
    await eventually('as many places as before', async () => {
      for (const client of clients.splice(0)) client.close();
      const count = await served(addresses);
      expect(count).toBeLessThanOrEqual(all);
      return count === all;
    });
  });

  it('have as many clients of a stream as it may', async () => {
    for (let round = 0; round < 3; round++) {
      await eventually('all places of the stream', async () => {
        for (const client of clients.splice(0)) client.close();
        const opened = await Promise.all(Array.from({ length: 20 }, () => from('127.0.0.1', ports.few)));
        const answers = await Promise.all(opened.map((client, at) => isAnswered(client, `few${at}`)));
        const count = answers.filter((is) => is).length;
        expect(count).toBeLessThanOrEqual(5);
        return count === 5;
      });
    }
  });

  it('let clients of a stream wait for their turn, whichever of them a place comes free in', async () => {
    const before = upstream.most;
    expect(before).toBeGreaterThan(0);
    const turn = async (at: number): Promise<boolean> => {
      const client = await from('127.0.0.1', ports.turns);
      const right = await isAnswered(client, `turn${at}`);
      expect(upstream.sockets.size).toBeLessThanOrEqual(3);
      client?.close();
      return right;
    };
    expect(await Promise.all(Array.from({ length: 30 }, (_, at) => turn(at)))).toEqual(Array.from({ length: 30 }, () => true));
  });

  it('keep to the connections of a target', async () => {
    const turn = async (at: number): Promise<boolean> => {
      const client = await from('127.0.0.1', ports.target);
      const right = await isAnswered(client, `target${at}`);
      expect(upstream.sockets.size).toBeLessThanOrEqual(2);
      client?.close();
      return right;
    };
    expect(await Promise.all(Array.from({ length: 30 }, (_, at) => turn(at)))).toEqual(Array.from({ length: 30 }, () => true));
  });
});
