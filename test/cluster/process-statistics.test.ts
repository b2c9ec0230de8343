// What whole nodes count and publish: nothing but the last second is lost, whoever is killed, and monitors see all workers as one.

import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseDriverUrl } from '../../src/config/driver-url.js';
import { type FleetReport, readFleetStats, readFrontendStats } from '../../src/store/read-stats.js';
import { RedisStore } from '../../src/store/redis-store.js';
import { ask } from '../helpers/ask.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { type HeldBackend, startHeldBackend } from '../helpers/held-backend.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { type SpawnedNode, spawnNode } from '../helpers/spawn-node.js';

let redis: TestRedis;
let store: RedisStore;
let backend: Server;
let held: HeldBackend;
const nodes: SpawnedNode[] = [];

beforeAll(async () => {
  redis = await startRedis();
  held = await startHeldBackend();
  backend = createServer((_request, response) => response.end('hello'));
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  await redis.cli('rpush', 'frontend:a.example', 'a', `http://127.0.0.1:${(backend.address() as AddressInfo).port}#id=one`);
  await redis.cli('rpush', 'frontend:held.example', 'held', held.url);
  const url = parseDriverUrl(redis.url);
  if (url.kind !== 'redis') throw new Error('no Redis');
  store = new RedisStore({ read: url, write: url, timeout: 5000, log: () => {} });
  await store.start({ changed: () => {}, everythingChanged: () => {} });
});
afterEach(async () => {
  held.release();
  await Promise.all(nodes.splice(0).map((node) => node.destroy()));
});
afterAll(async () => {
  await store.close();
  await held.close();
  backend.close();
  backend.closeAllConnections();
  await redis.stop();
});

async function serve(nodeId: string, adminPort: number, workers = 2): Promise<SpawnedNode> {
  const node = await spawnNode({ driver: redis.url, admin: { port: adminPort }, server: { nodeId, workers } });
  nodes.push(node);
  await node.serving();
  return node;
}

async function askOften(node: SpawnedNode, times: number): Promise<void> {
  for (let at = 0; at < times; at++) expect((await ask(node.port, 'a.example')).body).toBe('hello');
}

/** The statistics once they are as a test expects. */
function statsWhen(what: string, holds: (report: FleetReport) => boolean): Promise<FleetReport> {
  return eventually(
    what,
    async () => {
      const report = await readFleetStats(store);
      return holds(report) ? report : null;
    },
    20_000,
  );
}

/** The value of a line of a page of metrics; null: there is none. */
function sample(page: string, line: string): number | null {
  const found = page.split('\n').find((text) => text.startsWith(`${line} `));
  return found === undefined ? null : Number(found.slice(line.length + 1));
}

describe('what nodes count', () => {
  it('is the sum of all workers and nodes, and outlives the worker, the node and its restart', async () => {
    const [adminOne, adminTwo] = [await freePort(), await freePort()];
    const [one, two] = await Promise.all([serve('one', adminOne), serve('two', adminTwo)]);
    await askOften(one, 30);
    await askOften(two, 12);
    const both = await statsWhen('42 requests', ({ routes }) => routes['a.example']?.requestsTotal === 42);
    expect(both.nodes).toEqual({ counted: 2, live: 2 });
    expect(both.routes['a.example']).toMatchObject({
      hits: 42,
      codes: { 200: 42 },
      errorsTotal: 0,
      backends: { one: { hits: 42 } },
    });
    expect(both.routes['a.example']?.latencyMs.p99).toBeGreaterThan(0);

    const asked = Promise.allSettled([ask(one.port, 'held.example'), ask(one.port, 'held.example')]);
    await statsWhen('two that run', ({ routes }) => routes['held.example']?.activeLength === 2);
    for (const worker of one.workers()) process.kill(worker, 'SIGKILL');
    await asked;
    await statsWhen('none that runs', ({ routes }) => routes['held.example']?.activeLength === 0);
    expect((await readFrontendStats(store, 'a.example')).requestsTotal).toBe(42);

    // Killed with its supervisor: what it had published stays.
    await one.destroy();
    await statsWhen('a node that is gone', (report) => report.nodes.live === 1);
    expect((await readFrontendStats(store, 'a.example')).requestsTotal).toBe(42);

    const again = await serve('one', adminOne);
    await askOften(again, 5);
    await statsWhen('47 requests', ({ routes }) => routes['a.example']?.requestsTotal === 47);
    await askOften(again, 3);
    // A clean end: not even the last second is lost.
    again.kill('SIGTERM');
    await again.ended;
    expect((await readFrontendStats(store, 'a.example')).requestsTotal).toBe(50);
    await redis.cli('flushall');
  });

  it('is written whole again after the store has lost it', async () => {
    await redis.cli('rpush', 'frontend:a.example', 'a', `http://127.0.0.1:${(backend.address() as AddressInfo).port}#id=one`);
    const node = await serve('three', await freePort(), 1);
    await askOften(node, 4);
    await statsWhen('4 requests', ({ routes }) => routes['a.example']?.requestsTotal === 4);
    await redis.cli('del', 'stats:three', 'stats:');
    await statsWhen('4 requests again', ({ routes }) => routes['a.example']?.requestsTotal === 4);
  });
});

describe('the metrics of a node', () => {
  it('are those of all its workers, whichever is asked, and never go back when one is replaced', async () => {
    const admin = await freePort();
    const node = await serve('four', admin);
    const page = () => read(admin, '/metrics');
    await askOften(node, 40);
    await ask(node.port, 'nobody.example');
    const requests = 'cjs_proxy_requests_total{frontend="a.example",class="2xx"}';
    await eventually('40 requests', async () => sample(await page(), requests) === 40, 20_000);
    const text = await page();
    expect(sample(text, 'cjs_proxy_requests_total{frontend="(none)",class="4xx"}')).toBe(1);
    expect(sample(text, 'cjs_proxy_request_duration_seconds_count{frontend="a.example"}')).toBe(40);
    expect(sample(text, 'cjs_proxy_request_duration_seconds_bucket{le="+Inf",frontend="a.example"}') ?? 40).toBe(40);
    expect(sample(text, 'cjs_proxy_workers')).toBe(2);
    expect(text.match(/^cjs_proxy_event_loop_utilization_ratio\{worker="\d"\}/gm)).toHaveLength(2);
    const [victim = 0] = node.workers();
    process.kill(victim, 'SIGKILL');
    await node.says('signal SIGKILL');
    for (let at = 0; at < 5; at++) expect(sample(await page(), requests)).toBe(40);
  });
});

/** Asks until a worker that is there answers. */
function read(port: number, path: string): Promise<string> {
  return eventually(
    `an answer to ${path}`,
    () =>
      new Promise<string | null>((resolve) => {
        get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (more: string) => {
            text += more;
          });
          response.on('end', () => resolve(response.statusCode === 200 ? text : null));
          response.on('error', () => resolve(null));
        }).on('error', () => resolve(null));
      }),
    10_000,
  );
}
