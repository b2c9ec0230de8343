// How a node is seen: ready and alive on its admin listener, there or gone by its heartbeat in Redis.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../helpers/ask.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { type HeldBackend, startHeldBackend } from '../helpers/held-backend.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { type NodeSettings, type SpawnedNode, spawnNode } from '../helpers/spawn-node.js';

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
  await redis.client.del(...(await redis.client.keys('node:*')), 'revision');
});
afterAll(async () => {
  await backend.close();
  await redis.stop();
});

/** Starts a node with an admin listener. @returns it, and the port of that listener */
async function start(settings: NodeSettings = {}): Promise<{ node: SpawnedNode; admin: number }> {
  const admin = await freePort();
  const node = await spawnNode({ driver: redis.url, admin: { port: admin }, ...settings });
  nodes.push(node);
  return { node, admin };
}

interface Ready {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly phase: string;
  readonly workers: { readonly serving: number; readonly wanted: number };
  readonly revision: number;
}

/** What /ready says; null: nobody answers. */
async function ready(admin: number): Promise<(Ready & { readonly status: number }) | null> {
  try {
    const { status, body } = await ask(admin, 'monitor', '/ready');
    return { status, ...(JSON.parse(body) as Ready) };
  } catch {
    return null;
  }
}

async function heartbeat(id: string): Promise<Record<string, string>> {
  return redis.client.hgetall(`node:${id}`);
}

describe.each([
  { process: 'with workers', workers: 2 },
  { process: 'in one process', workers: 0 },
])('a node $process', ({ workers }) => {
  it('is ready once it serves, and no more when it stops, though it lives', async () => {
    const { node, admin } = await start({ server: { workers } });
    await node.serving();
    const wanted = Math.max(1, workers);
    await eventually('the node to be ready', async () => (await ready(admin))?.status === 200);
    expect(await ready(admin)).toMatchObject({
      ready: true,
      reasons: [],
      phase: 'serving',
      workers: { serving: wanted, wanted },
    });
    const held = ask(node.port, 'held');
    await backend.waiting(1);
    node.kill('SIGTERM');
    const answer = await eventually('the node not to be ready', async () => {
      const answer = await ready(admin);
      return answer?.status === 503 ? answer : null;
    });
    expect(answer.reasons).toEqual(['the node is stopping: it finishes what it has']);
    const live = await ask(admin, 'monitor', '/live');
    expect(live.status).toBe(200);
    expect(JSON.parse(live.body)).toMatchObject({ live: true });
    backend.release();
    await held;
    await node.ended;
  });

  it('is not ready as long as Redis was never reached, and answers __ping__ all the same', async () => {
    const { node, admin } = await start({ driver: 'redis://127.0.0.1:1', server: { workers } });
    await node.serving();
    const answer = await eventually('an answer', () => ready(admin));
    expect(answer.status).toBe(503);
    expect(answer.reasons).toContain('Redis was never reached since the start');
    expect(await ask(node.port, '__ping__')).toEqual({ status: 200, body: 'ok' });
  });

  it('is not ready while somebody has taken it out, tells so, and serves what comes all the same', async () => {
    const { node, admin } = await start({ server: { workers, nodeId: 'first' } });
    await node.serving();
    await eventually('the node to be ready', async () => (await ready(admin))?.status === 200);
    await redis.cli('sadd', 'drained', 'first', 'another');
    const answer = await eventually('the node not to be ready', async () => {
      const answer = await ready(admin);
      return answer?.status === 503 ? answer : null;
    });
    expect(answer.reasons).toEqual(['somebody has taken the node out (`cjs-proxy node alive` gives it back)']);
    await eventually('the heartbeat to tell it', async () => (await heartbeat('first')).drained === 'true');
    expect(await ask(node.port, '__ping__')).toEqual({ status: 200, body: 'ok' });
    await redis.cli('del', 'drained');
    await eventually('the node to be ready again', async () => (await ready(admin))?.status === 200);
    await eventually('the heartbeat to tell that too', async () => (await heartbeat('first')).drained === undefined);
  });

  it('has a heartbeat as long as it runs, under a name that is the same after a restart', async () => {
    const settings = { server: { workers, nodeId: 'first' } };
    const { node } = await start(settings);
    await node.serving();
    const beat = await eventually('a heartbeat', async () => {
      const fields = await heartbeat('first');
      return fields.phase === 'serving' && Number(fields.workers) === Math.max(1, workers) ? fields : null;
    });
    expect(beat).toMatchObject({ pid: String(node.pid), staleness: '0', revision: '0', version: expect.stringMatching(/^\d/) });
    expect(beat.addresses).toBe(`http://127.0.0.1:${node.port}`);
    expect(await redis.client.pttl('node:first')).toBeGreaterThan(0);
    const held = ask(node.port, 'held');
    await backend.waiting(1);
    await eventually('the load in the heartbeat', async () => (await heartbeat('first')).active === '1');
    node.kill('SIGTERM');
    await eventually('the heartbeat to tell the end', async () => (await heartbeat('first')).phase === 'stopping');
    backend.release();
    await held;
    await node.ended;
    expect(await heartbeat('first')).toEqual({});
  });

  it('tells the revision that is in force in all of it as soon as it is', async () => {
    const { node, admin } = await start({ server: { workers, nodeId: 'second' } });
    await node.serving();
    await eventually('a heartbeat', async () => (await heartbeat('second')).phase === 'serving');
    const took: number[] = [];
    for (let revision = 1; revision <= 5; revision++) {
      const since = performance.now();
      expect(await redis.client.incr('revision')).toBe(revision);
      await eventually(`revision ${revision}`, async () => (await heartbeat('second')).revision === String(revision));
      took.push(performance.now() - since);
    }
    console.log(`revision in force: ${took.map((time) => `${time.toFixed(0)} ms`).join(', ')} after the write`);
    // The heartbeat comes once a second; a change does not wait for it.
    expect(Math.min(...took)).toBeLessThan(500);
    expect(await ready(admin)).toMatchObject({ revision: 5 });
  });
});

describe('a node with workers', () => {
  it('keeps its heartbeat when the worker that keeps it is killed, and through a reload', async () => {
    const { node } = await start({ server: { workers: 2, nodeId: 'third' } });
    await node.serving();
    const { boot } = await eventually('a heartbeat', async () => {
      const fields = await heartbeat('third');
      return fields.boot === undefined ? null : (fields as { boot: string });
    });
    const goesOn = async () => {
      const { beatAt } = await heartbeat('third');
      await eventually('two more beats', async () => Number((await heartbeat('third')).beatAt) > Number(beatAt) + 1500, 8000);
      expect((await heartbeat('third')).boot).toBe(boot);
    };
    process.kill(node.workers()[0] ?? 0, 'SIGKILL');
    await goesOn();
    node.kill('SIGHUP');
    await node.says('The new configuration is in force');
    await goesOn();
  });

  it('is gone from the list some seconds after it was killed as a whole', async () => {
    const { node } = await start({ server: { workers: 2, nodeId: 'fourth' } });
    await node.serving();
    await eventually('a heartbeat', async () => (await heartbeat('fourth')).boot !== undefined);
    await node.destroy();
    const left = await redis.client.pttl('node:fourth');
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(5000);
  });

  it('says that another node has its name', async () => {
    const [one, other] = [
      await start({ server: { workers: 0, nodeId: 'twin' } }),
      await start({ server: { workers: 0, nodeId: 'twin' } }),
    ];
    await Promise.all([one.node.serving(), other.node.serving()]);
    await Promise.any([one, other].map(({ node }) => node.says('another node is called', 8000)));
  });
});

describe('the admin listener', () => {
  it('knows two paths and takes no other method than GET and HEAD', async () => {
    const { node, admin } = await start({ server: { workers: 0 } });
    await node.serving();
    expect((await ask(admin, 'monitor', '/elsewhere')).status).toBe(404);
    expect((await ask(admin, 'monitor', '/toString')).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${admin}/live`, { method: 'POST' })).status).toBe(405);
    const head = await fetch(`http://127.0.0.1:${admin}/live?since=now`, { method: 'HEAD' });
    expect([head.status, head.headers.get('cache-control'), await head.text()]).toEqual([200, 'no-store', '']);
  });

  it('that cannot be had keeps the node from starting, with a reason', async () => {
    const first = await start({ server: { workers: 0 } });
    await first.node.serving();
    const second = await spawnNode({ driver: redis.url, admin: { port: first.admin } }, ['--quiet']);
    nodes.push(second);
    expect(await second.ended).toEqual({ code: 1, signal: null });
    expect(second.stderr()).toMatch(/^cjs-proxy: cannot listen on 127\.0\.0\.1:\d+ for the admin listener: [^\n]+\n$/);
  });
});
