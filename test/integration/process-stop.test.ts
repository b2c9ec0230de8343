// SIGTERM and SIGINT: what is running finishes, nothing new begins, exit code 0.
import { connect } from 'node:net';
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

async function refused(port: number): Promise<boolean> {
  return ask(port, '__ping__').then(
    () => false,
    () => true,
  );
}

describe.each([
  { process: 'with workers', workers: 2 },
  { process: 'in one process', workers: 0 },
])('a node $process', ({ workers }) => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'finishes a running request after %s, takes no new one, and exits with code 0',
    async (signal) => {
      const node = await serve({ workers });
      const answer = ask(node.port, 'held');
      await backend.waiting(1);
      node.kill(signal);
      await eventually('the port to be closed', () => refused(node.port));
      backend.release();
      expect(await answer).toEqual({ status: 200, body: heldAnswer });
      expect(await node.ended).toEqual({ code: 0, signal: null });
    },
  );

  it('takes a Ctrl-C that arrives twice, from the terminal and from npm, for one', async () => {
    const node = await serve({ workers });
    const answer = ask(node.port, 'held');
    await backend.waiting(1);
    node.kill('SIGINT');
    await node.says('Caught a SIGINT signal');
    node.kill('SIGINT');
    await eventually('the port to be closed', () => refused(node.port));
    backend.release();
    expect(await answer).toEqual({ status: 200, body: heldAnswer });
    expect(await node.ended).toEqual({ code: 0, signal: null });
  });

  it('does not wait for connections that are idle', async () => {
    const node = await serve({ workers, drainTimeout: 60 });
    const idle = connect(node.port, '127.0.0.1');
    const closed = new Promise((resolve) => idle.once('close', resolve));
    await new Promise((resolve) => idle.once('connect', resolve));
    idle.resume();
    node.kill('SIGTERM');
    await closed;
    expect(await node.ended).toEqual({ code: 0, signal: null });
  });

  it('cuts what still runs when the drain timeout is over, and exits with code 0', async () => {
    const node = await serve({ workers, drainTimeout: 0.3 });
    const answer = ask(node.port, 'held');
    const outcome = expect(answer).rejects.toThrow();
    await backend.waiting(1);
    node.kill('SIGTERM');
    await outcome;
    expect(await node.ended).toEqual({ code: 0, signal: null });
    expect(node.stderr()).toContain('are cut');
  });

  it('ends at once after a second signal, with the exit code of that signal', async () => {
    const node = await serve({ workers, drainTimeout: 60 });
    const outcome = expect(ask(node.port, 'held')).rejects.toThrow();
    await backend.waiting(1);
    node.kill('SIGTERM');
    await node.says('Caught a SIGTERM signal');
    // Until it is late enough to be no echo of the first.
    const again = setInterval(() => node.kill('SIGTERM'), 100);
    const end = await node.ended;
    clearInterval(again);
    await outcome;
    expect(end).toEqual({ code: 143, signal: null });
  });
});

describe('a node with workers', () => {
  it('leaves no worker behind', async () => {
    const node = await serve({ workers: 2 });
    const workers = node.workers();
    expect(workers).toHaveLength(2);
    node.kill('SIGTERM');
    await node.ended;
    expect(workers.filter(isWorker)).toEqual([]);
  });

  it('finishes what is running when its supervisor is killed, and then leaves', async () => {
    const node = await serve({ workers: 2 });
    const workers = node.workers();
    const answer = ask(node.port, 'held');
    await backend.waiting(1);
    node.kill('SIGKILL');
    await eventually('the idle worker to leave', () => workers.filter(isWorker).length === 1, 10_000);
    backend.release();
    expect(await answer).toEqual({ status: 200, body: heldAnswer });
    await eventually('the last worker to leave', () => workers.filter(isWorker).length === 0, 10_000);
  });

  it('is not ended by the SIGINT of a terminal that reaches its workers as well', async () => {
    const node = await serve({ workers: 2 });
    const answer = ask(node.port, 'held');
    await backend.waiting(1);
    for (const worker of node.workers()) process.kill(worker, 'SIGINT');
    node.kill('SIGINT');
    await node.says('still running');
    backend.release();
    expect(await answer).toEqual({ status: 200, body: heldAnswer });
    expect(await node.ended).toEqual({ code: 0, signal: null });
  });
});
