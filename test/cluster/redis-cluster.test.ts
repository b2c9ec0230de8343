// Redis Cluster: keys of a look-up on different nodes, changes told by each primary, a primary that fails.
import { readFileSync } from 'node:fs';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseDriverUrl } from '../../src/config/driver-url.js';
import { RedisStore } from '../../src/store/redis-store.js';
import { storeContract } from '../contract/store.contract.js';
import { eventually } from '../helpers/eventually.js';
import { historyFaults } from '../helpers/history-faults.js';
import { startApi, type TestApi } from '../helpers/management.js';
import { startRedisCluster, type TestRedisCluster } from '../helpers/redis-cluster.js';
import { startRouting } from '../helpers/routing.js';

let cluster: TestRedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster();
}, 40_000);

afterAll(() => cluster.stop());

storeContract('Redis Cluster', async () => {
  for (const node of cluster.nodes) {
    if ((await node.cli('INFO', 'replication')).includes('role:master')) await node.cli('FLUSHALL');
  }
  return newStore(cluster.url);
});

/** Hosts whose lists lie on all three primaries. */
const hosts = Array.from({ length: 12 }, (_, at) => `site-${at}.example.com`);

describe('a store in a Redis Cluster', () => {
  it('reads frontends from all nodes, and each primary tells the changes of its keys at once', async () => {
    for (const host of hosts) await cluster.cli('RPUSH', `frontend:${host}`, host, 'http://127.0.0.1:3000');
    const routing = await startRouting(cluster.url);
    expect(routing.store.state).toBe('live');
    for (const host of hosts) expect(await routing.find(host)).toBe('3000');
    for (const host of hosts) await cluster.cli('RPUSH', `frontend:${host}`, 'http://127.0.0.1:3001');
    for (const host of hosts) {
      await eventually(`the change of ${host} to be in force`, async () => (await routing.find(host)) === '3000,3001', 1000);
    }
    await cluster.cli('SADD', 'dead:site-1.example.com', '0');
    await eventually('the mark to be in force', async () => (await routing.find('site-1.example.com')) === '!3000,3001', 1000);
    await cluster.cli('DEL', 'dead:site-1.example.com');
    await eventually('the mark to be gone', async () => (await routing.find('site-1.example.com')) === '3000,3001', 1000);
    const names: string[] = [];
    await routing.store.scanNames('frontend', 'site-', (page) => names.push(...page));
    expect([...new Set(names)].sort()).toEqual([...hosts].sort());
  }, 20_000);

  it('is read and followed with the rights that docs/security.md gives a node', async () => {
    const page = readFileSync('docs/security.md', 'utf8');
    const blocks = [...page.matchAll(/^```acl(?:-cluster)?\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
    const lines = blocks.flatMap((text) => text.trim().split('\n')).filter((line) => line.includes(' cjs-node '));
    for (const node of cluster.nodes) for (const line of lines) expect(await node.cli(...line.split(' '))).toBe('OK');
    const routing = await startRouting(cluster.url.replace('://', '://cjs-node:CHANGE-ME@'));
    expect(routing.store.state).toBe('live');
    for (const host of hosts) expect(await routing.find(host)).toBe('3000,3001');
    await cluster.cli('SADD', 'dead:site-3.example.com', '0');
    await eventually('the mark to be in force', async () => (await routing.find('site-3.example.com')) === '!3000,3001', 1000);
    await cluster.cli('DEL', 'dead:site-3.example.com');
    await routing.store.scanNames('frontend', 'site-', () => {});
    for (const node of cluster.nodes) expect(await node.cli('ACL', 'LOG')).toBe('');
  }, 20_000);

  it('is managed with the rights that docs/security.md gives the management process', async () => {
    const page = readFileSync('docs/security.md', 'utf8');
    const blocks = [...page.matchAll(/^```acl(?:-cluster)?\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
    const lines = blocks.flatMap((text) => text.trim().split('\n')).filter((line) => line.includes(' cjs-api '));
    expect(lines.some((line) => line.includes('+cluster|slots'))).toBe(true);
    for (const node of cluster.nodes) for (const line of lines) expect(await node.cli(...line.split(' '))).toBe('OK');
    const api = await startApi(cluster.url.replace('://', '://cjs-api:CHANGE-ME@'));
    onTestFinished(() => api.close());
    const record = { strategy: 'RANDOM', backends: [{ hostname: '10.0.0.1', port: 8_000 }] };
    const managed = Array.from({ length: 12 }, (_, at) => `managed-${at}.example.com`);
    for (const host of managed) expect((await api.call('PUT', `/routes/${host}`, record)).status).toBe(201);
    for (const host of managed) expect((await api.call('GET', `/routes/${host}`)).body).toMatchObject(record);
    for (const host of managed) expect((await api.call('DELETE', `/routes/${host}`)).status).toBe(204);
    for (const node of cluster.nodes) expect(await node.cli('ACL', 'LOG')).toBe('');
  }, 20_000);

  it('is changed through the management API: whole records on all nodes, one change after the other by two processes', async () => {
    for (const node of cluster.nodes) {
      if ((await node.cli('INFO', 'replication')).includes('role:master')) await node.cli('FLUSHALL');
    }
    const apis = [await startApi(cluster.url), await startApi(cluster.url)];
    onTestFinished(async () => {
      for (const api of apis) await api.close();
    });
    const written = hosts.map((host, at) =>
      apis[at % 2]!.call('PUT', `/routes/${host}`, {
        strategy: 'RANDOM',
        retries: at % 10,
        backends: [{ hostname: '10.0.0.1', port: 8_000 + at }],
      }),
    );
    expect((await Promise.all(written)).map(({ status }) => status)).toEqual(hosts.map(() => 201));
    const [api, other] = apis as [TestApi, TestApi];
    const { body, headers } = await api.call('GET', `/routes/${hosts[0]}`);
    expect(body).toMatchObject({ retries: 0, backends: [{ port: 8_000 }] });
    const tag = { 'if-match': headers.get('etag') ?? '' };
    expect((await other.call('PATCH', `/routes/${hosts[0]}`, { retries: 5 }, tag)).status).toBe(200);
    expect((await api.call('PATCH', `/routes/${hosts[0]}`, { retries: 6 }, tag)).status).toBe(412);
    expect((await api.call('DELETE', `/routes/${hosts[1]}`)).status).toBe(204);
    const [removal] = (await api.call('GET', '/history?limit=1')).body as { id: string }[];
    expect((await other.call('POST', `/history/${removal?.id}/revert`)).status).toBe(200);
    expect((await api.call('GET', `/routes/${hosts[1]}`)).body).toMatchObject({ retries: 1 });
    expect(await historyFaults(api.store)).toEqual({ faults: [], revision: hosts.length + 3 });
  }, 20_000);

  it('goes on while slots move: no look-up fails, and changes made before, within and after the move are followed', async () => {
    const routing = await startRouting(cluster.url);
    const client = new Cluster([{ host: '127.0.0.1', port: cluster.nodes[1]!.port }]);
    onTestFinished(() => client.disconnect());
    for (const host of hosts) await client.del(`frontend:${host}`);
    for (const host of hosts) await client.rpush(`frontend:${host}`, host, 'http://127.0.0.1:3000');
    for (const host of hosts) await eventually(`${host}`, async () => (await routing.find(host)) === '3000', 5000);
    let over = false;
    const wrong: string[] = [];
    let asked = 0;
    const asking = (async () => {
      while (!over) {
        for (const host of hosts) {
          const found = await routing.find(host);
          if (!/^300\d$/.test(found)) wrong.push(`${host}: ${found}`);
          asked++;
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const change = async (host: string, port: number): Promise<void> => {
      await client.lset(`frontend:${host}`, 1, `http://127.0.0.1:${port}`);
      await eventually(`${port} for ${host}`, async () => (await routing.find(host)) === String(port), 2000);
    };
    for (const host of hosts.slice(0, 4)) {
      const move = await cluster.moveOf(`frontend:${host}`);
      await change(host, 3001);
      await move.begin();
      await change(host, 3002);
      await move.moveKeys();
      await change(host, 3003);
      await move.end();
      await change(host, 3004);
    }
    over = true;
    await asking;
    process.stdout.write(`moving slots: ${asked} look-ups, ${wrong.length} wrong\n`);
    expect(wrong).toEqual([]);
    expect(routing.store.state).toBe('live');
    expect(routing.cache.stale).toBe(false);
  }, 30_000);

  it('serves what is known while a primary is away, and follows the replica that takes its place', async () => {
    const routing = await startRouting(cluster.url);
    for (const host of hosts) await cluster.cli('DEL', `frontend:${host}`);
    for (const host of hosts) await cluster.cli('RPUSH', `frontend:${host}`, host, 'http://127.0.0.1:3000');
    for (const host of hosts) {
      await eventually(`${host} to be known`, async () => (await routing.find(host)) === '3000', 1000);
    }
    const key = 'frontend:site-2.example.com';
    const owner = await cluster.ownerOf(key);
    owner.pause();
    for (const host of hosts) expect(await routing.find(host)).toBe('3000');
    // Nobody waits for the 1000 ms that a command to it may take.
    let longest = 0;
    await eventually(
      'another node to own the slot',
      async () => {
        for (const host of hosts) {
          const begun = performance.now();
          expect(await routing.find(host)).toBe('3000');
          longest = Math.max(longest, performance.now() - begun);
        }
        return (await cluster.ownerOf(key)) !== owner;
      },
      20_000,
    );
    process.stdout.write(`a frozen primary: the longest wait for a known host was ${longest.toFixed(1)} ms\n`);
    expect(longest).toBeLessThan(800);
    await eventually('changes to be told by all primaries', () => routing.store.state === 'live', 20_000);
    await eventually(
      'the slot to be served',
      async () => (await cluster.cli('RPUSH', key, 'http://127.0.0.1:3002')) !== '',
      5000,
    );
    await eventually('the change to be in force', async () => (await routing.find('site-2.example.com')) === '3000,3002', 5000);
    owner.resume();
  }, 60_000);
});

function newStore(url: string): RedisStore {
  const parsed = parseDriverUrl(url);
  if (parsed.kind !== 'redis') throw new Error('no Redis URL');
  return new RedisStore({ read: parsed, write: parsed, timeout: 1000, log: () => undefined });
}
