// While Redis is away the workers of a node count the points of rate limits together.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ok, type RawBackend, startBackend } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { connectClient } from '../helpers/raw-client.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { type SpawnedNode, spawnNode } from '../helpers/spawn-node.js';

const points = 128;
/** What each worker may have given out beyond that: a block. */
const block = points / 64;

let redis: TestRedis;
let backend: RawBackend;
/** Started by the test, which ends with it. */
let node: SpawnedNode | null = null;

beforeAll(async () => {
  redis = await startRedis();
  backend = await startBackend(ok('served'));
  await redis.cli('rpush', 'frontend:limited', 'limited', `http://127.0.0.1:${backend.port}`);
  await redis.cli('hset', 'tier:gold', 'points', String(points), 'duration', '300');
  await redis.cli('hset', 'route:limited', 'tier', 'gold');
});
afterAll(async () => {
  await node?.destroy();
  await backend.close();
  await redis.stop();
});

/** Statuses of requests from one address, a few on each of many connections. */
async function statuses(address: string, connections: number, each: number): Promise<number[]> {
  const visit = async (): Promise<number[]> => {
    const client = await connectClient(node?.port ?? 0, '127.0.0.1', address);
    const seen: number[] = [];
    for (let at = 0; at < each; at++) {
      client.send('GET / HTTP/1.1\r\nHost: limited\r\nAccept: text/plain\r\n\r\n');
      seen.push((await client.response()).status);
    }
    client.close();
    return seen;
  };
  return (await Promise.all(Array.from({ length: connections }, visit))).flat();
}

it('two workers give a client no more than the limit and a block each, and not less than the limit', async () => {
  node = await spawnNode({ driver: redis.url });
  await node.serving();
  // Each of them has to know the frontend and its tier before Redis goes.
  for (let turn = 1; turn <= 4; turn++) await statuses(`127.0.5.${turn}`, 30, 1);
  await redis.stop();
  await eventually('the node to notice', async () => (await statuses('127.0.6.1', 1, 1))[0] === 200);
  const seen = await statuses('127.0.7.1', 40, 10);
  const served = seen.filter((status) => status === 200).length;
  expect(served).toBeGreaterThanOrEqual(points);
  expect(served).toBeLessThanOrEqual(points + 2 * block);
  expect(seen.filter((status) => status !== 200 && status !== 429)).toEqual([]);
});
