// The upstream connections of `fifo` and `funnel` are counted for the node, whichever of its workers the clients come to.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectionsOf } from '../../scripts/chaos/leaks.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { type LineServer, startLineServer } from '../helpers/line-server.js';
import { connectClient, type RawClient } from '../helpers/raw-client.js';
import { type SpawnedNode, spawnNode } from '../helpers/spawn-node.js';

const servers: LineServer[] = [];
const ports: Record<string, number> = {};
/** Started by the first test. */
let node: SpawnedNode | null = null;
let streams: object[] = [];

beforeAll(async () => {
  for (let at = 0; at < 4; at++) servers.push(await startLineServer());
  for (const name of ['one', 'three', 'each']) ports[name] = await freePort();
  const target = (at: number) => `tcp://127.0.0.1:${servers[at]?.port}`;
  streams = [
    { name: 'one', port: ports.one, mode: 'fifo', framing: 'line', targets: [target(0)] },
    { name: 'three', port: ports.three, mode: 'funnel', connections: 3, async: true, framing: 'line', targets: [target(1)] },
    { name: 'each', port: ports.each, mode: 'funnel', framing: 'line', targets: [target(2), target(3)] },
  ];
});
beforeEach(async () => {
  node ??= await spawnNode({ http: { bind: [] }, streams });
  await node.says('Serving tcp');
});
afterAll(async () => {
  await node?.destroy();
  for (const server of servers) await server.close();
});

/** A client that asks one line after the other. */
async function asks(client: RawClient, name: string, questions: number): Promise<number> {
  let right = 0;
  for (let at = 0; at < questions; at++) {
    client.send(`${name}.${at}\n`);
    if ((await client.queue.until('\n')).toString() === `re:${name}.${at}\n`) right++;
  }
  client.close();
  return right;
}

async function clients(stream: string, count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => connectClient(ports[stream] ?? 0)));
}

/** Clients of a stream, at least so many, and some of them in every worker. The kernel chooses the worker. */
async function clientsOfAll(stream: string, least: number): Promise<RawClient[]> {
  const all: RawClient[] = [];
  const held = (worker: number) => connectionsOf(worker, 0).some((pair) => pair.startsWith(`${ports[stream]} to `));
  await eventually('clients in every worker', async () => {
    all.push(...(await clients(stream, all.length === 0 ? least : 1)));
    return (node?.workers() ?? []).every(held);
  });
  return all;
}

/** Runs clients until a connection has changed hands between workers, which is to say: one was opened beyond those allowed. */
async function untilHandedOver(stream: string, upstreams: readonly LineServer[], allowed: number): Promise<void> {
  const accepted = () => upstreams.reduce((sum, server) => sum + server.accepted, 0);
  await eventually(
    'clients in both workers',
    async () => {
      const all = await clients(stream, 24);
      const right = await Promise.all(all.map((client, at) => asks(client, `${stream}${at}`, 20)));
      expect(right).toEqual(all.map(() => 20));
      return accepted() > allowed;
    },
    20_000,
  );
}

describe('two workers', () => {
  it('share the one connection of a fifo', async () => {
    await untilHandedOver('one', servers.slice(0, 1), 1);
    expect(servers[0]?.most).toBe(1);
  });

  it('share the connections of a funnel', async () => {
    await untilHandedOver('three', servers.slice(1, 2), 3);
    expect(servers[1]?.most).toBeLessThanOrEqual(3);
  });

  it('share one connection to each target', async () => {
    await untilHandedOver('each', servers.slice(2, 4), 2);
    expect(servers[2]?.most).toBeLessThanOrEqual(1);
    expect(servers[3]?.most).toBeLessThanOrEqual(1);
  });

  it('go on when one of them is killed that may have the connection', async () => {
    const [victim] = node?.workers() ?? [];
    const before = await clientsOfAll('one', 12);
    const asked = Promise.allSettled(before.map((client, at) => asks(client, `a${at}`, 200)));
    process.kill(victim ?? 0, 'SIGKILL');
    await eventually('it to be gone', () => !node?.workers().includes(victim ?? 0));
    const after = await clients('one', 12);
    const right = await Promise.all(after.map((client, at) => asks(client, `b${at}`, 20)));
    expect(right).toEqual(after.map(() => 20));
    // Clients of the one that was killed are lost, the others are not.
    const served = (await asked).filter((end) => end.status === 'fulfilled' && end.value === 200);
    expect(served.length).toBeGreaterThan(0);
    const isWhole = (workers: readonly number[]) => workers.length === 2 && !workers.includes(victim ?? 0);
    await eventually('the node to be whole again', () => isWhole(node?.workers() ?? []), 15_000);
    expect(servers[0]?.most).toBe(1);
  });
});
