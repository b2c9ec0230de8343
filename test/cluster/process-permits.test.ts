// A limit of a frontend holds for the node, whichever of its workers the requests come to.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, ask } from '../helpers/ask.js';
import { eventually } from '../helpers/eventually.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { type SpawnedNode, spawnNode } from '../helpers/spawn-node.js';

let redis: TestRedis;
/** Started by the first test. */
let node: SpawnedNode | null = null;
/** Requests that the backend has and has not answered; the most that it ever had. */
const running: ServerResponse[] = [];
let most = 0;
let served = 0;
const backend = createServer((_request, response) => {
  running.push(response);
  most = Math.max(most, running.length);
  response.on('close', () => {
    const at = running.indexOf(response);
    if (at !== -1) running.splice(at, 1);
  });
});

beforeAll(async () => {
  redis = await startRedis();
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const url = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
  await redis.cli('rpush', 'frontend:narrow', 'narrow', url);
  await redis.cli('hset', 'route:narrow', 'reqActiveLength', '3', 'reqQueueLength', '200', 'queueTimeout', '30');
  await redis.cli('rpush', 'frontend:strict', 'strict', url);
  await redis.cli('hset', 'route:strict', 'reqActiveLength', '3', 'reqQueueLength', '2');
});
beforeEach(async () => {
  node ??= await spawnNode({ driver: redis.url, server: { workers: 4 } });
  await node.serving();
});
afterEach(async () => {
  finish(running.length);
  await eventually('the backend to be idle', () => running.length === 0);
  most = 0;
  served = 0;
});
afterAll(async () => {
  await node?.destroy();
  backend.close();
  backend.closeAllConnections();
  await redis.stop();
});

function finish(count: number): void {
  for (const response of running.splice(0, count)) {
    served++;
    response.end('done');
  }
}

/** Sends requests on connections of their own, which the kernel spreads over the workers. */
function send(host: string, count: number): Promise<Answer>[] {
  return Array.from({ length: count }, () => ask(node?.port ?? 0, host));
}

describe('four workers', () => {
  it('let three requests through at a time, and each of those that wait in its turn', async () => {
    const answers = Promise.all(send('narrow', 60));
    while (served < 60) {
      await eventually('requests at the backend', () => running.length === Math.min(3, 60 - served), 8000);
      finish(running.length > 2 && served % 2 === 0 ? 2 : 1);
    }
    expect((await answers).map(({ status }) => status)).toEqual(Array.from({ length: 60 }, () => 200));
    expect(most).toBe(3);
  });

  it('let as many wait as the frontend allows, and refuse the others', async () => {
    const sent = send('strict', 12).map((answer) => answer.then(({ status }) => status));
    const refused: number[] = [];
    for (const answer of sent) void answer.then((status) => status === 503 && refused.push(status));
    await eventually('seven refusals', () => refused.length === 7, 8000);
    await eventually('three requests at the backend', () => running.length === 3);
    await eventually('the others to be served', () => {
      finish(running.length);
      return served === 5;
    });
    const statuses = await Promise.all(sent);
    expect(statuses.filter((status) => status === 200)).toHaveLength(5);
    expect(most).toBe(3);
  });

  it('get the permits of one that is killed back', async () => {
    const sent = send('narrow', 3).map((answer) =>
      answer.then(
        ({ status }) => status,
        () => 0,
      ),
    );
    await eventually('three requests at the backend', () => running.length === 3);
    const waiting = send('narrow', 12).map((answer) =>
      answer.then(
        ({ status }) => status,
        () => 0,
      ),
    );
    // Whichever has one of the three: all but one of them.
    const victims = (node?.workers() ?? []).slice(0, 3);
    for (const pid of victims) process.kill(pid, 'SIGKILL');
    const isWhole = (workers: readonly number[]) => workers.length === 4 && !workers.some((pid) => victims.includes(pid));
    await eventually('the node to be whole again', () => isWhole(node?.workers() ?? []), 15_000);
    // Those of killed workers have ended by now, which the backend learns a little later than the supervisor.
    await eventually('the backend to know', () => running.length <= 3);
    most = 0;
    const all = Promise.all([...sent, ...waiting, ...send('narrow', 8).map((answer) => answer.then(({ status }) => status))]);
    let done = false;
    void all.then(() => {
      done = true;
    });
    await eventually(
      'all that can be served',
      () => {
        finish(running.length);
        return done;
      },
      8000,
    );
    const statuses = await all;
    // Those of killed workers are lost; the last eight came to workers that live.
    expect(statuses.slice(-8)).toEqual([200, 200, 200, 200, 200, 200, 200, 200]);
    expect(most).toBeLessThanOrEqual(3);
  });
});
