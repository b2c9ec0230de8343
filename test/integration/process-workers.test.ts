// Workers that end are replaced; one that grew too large is replaced without cutting what it does.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../helpers/ask.js';
import { eventually } from '../helpers/eventually.js';
import { type HeldBackend, heldAnswer, startHeldBackend } from '../helpers/held-backend.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { isWorker, type SpawnedNode, spawnNode } from '../helpers/spawn-node.js';

let redis: TestRedis;
let backend: HeldBackend;
const nodes: SpawnedNode[] = [];

beforeAll(async () => {
  redis = await startRedis();
  backend = await startHeldBackend();
  await redis.cli('rpush', 'frontend:held', 'held', backend.url);
});
afterEach(async () => {
  backend.release();
  await Promise.all(nodes.splice(0).map((node) => node.destroy()));
});
afterAll(async () => {
  await backend.close();
  await redis.stop();
});

async function serve(server: Record<string, unknown>): Promise<SpawnedNode> {
  const node = await spawnNode({ driver: redis.url, server });
  nodes.push(node);
  await node.serving();
  return node;
}

describe('workers', () => {
  it('are replaced when they are killed, while the others go on serving', async () => {
    const node = await serve({ workers: 2 });
    const [victim = 0] = node.workers();
    process.kill(victim, 'SIGKILL');
    await node.says('signal SIGKILL');
    expect(await ask(node.port, '__ping__')).toEqual({ status: 200, body: 'ok' });
    await eventually('another worker', () => node.workers().length === 2, 10_000);
    expect(node.workers()).not.toContain(victim);
  });

  it('serve again after the only one was killed', async () => {
    const node = await serve({ workers: 1 });
    const [victim = 0] = node.workers();
    process.kill(victim, 'SIGKILL');
    const answer = await eventually('an answer', () => ask(node.port, '__ping__').catch(() => null), 10_000);
    expect(answer.status).toBe(200);
  });

  it('that get a SIGTERM of their own finish and are replaced', async () => {
    const node = await serve({ workers: 1 });
    const [old = 0] = node.workers();
    const answer = ask(node.port, 'held');
    await backend.waiting(1);
    process.kill(old, 'SIGTERM');
    await node.says('1 request is still running');
    backend.release();
    expect(await answer).toEqual({ status: 200, body: heldAnswer });
    await eventually('another worker', () => node.workers().length === 1 && !node.workers().includes(old), 10_000);
  });

  it('over the memory limit are replaced while their transfers run to the end', async () => {
    const node = await serve({ workers: 1, memoryLimit: 1_048_576 });
    const [old = 0] = node.workers();
    const answer = ask(node.port, 'held');
    await backend.waiting(1);
    await node.says(`pid ${old} finishes what it has begun`);
    expect((await ask(node.port, '__ping__')).status).toBe(200);
    expect(isWorker(old)).toBe(true);
    backend.release();
    expect(await answer).toEqual({ status: 200, body: heldAnswer });
    await eventually('the old worker to leave', () => !isWorker(old), 10_000);
    expect(node.stderr()).toContain('more than server.memoryLimit');
  });
});
