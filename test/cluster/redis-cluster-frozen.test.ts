// A primary of a cluster that stands still, and is not given up yet: only what lies on it is missed.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.js';
import type { TestRedis } from '../helpers/redis.js';
import { startRedisCluster, type TestRedisCluster } from '../helpers/redis-cluster.js';
import { startRouting, type TestRouting } from '../helpers/routing.js';

let cluster: TestRedisCluster;

beforeAll(async () => {
  // For as long as the tests take nobody takes the place of a primary.
  cluster = await startRedisCluster({ nodeTimeout: 120_000 });
}, 40_000);

afterAll(() => cluster.stop());

/** What came of asking for some hosts, one after the other. */
interface Asked {
  readonly found: readonly string[];
  /** Milliseconds. */
  readonly longest: number;
}

async function ask(routing: TestRouting, hosts: readonly string[]): Promise<Asked> {
  const found: string[] = [];
  let longest = 0;
  for (const host of hosts) {
    const begun = performance.now();
    found.push(await routing.find(host));
    longest = Math.max(longest, performance.now() - begun);
  }
  return { found, longest };
}

/** Hosts of a domain with a list, by whether one of their own keys lies on a server. */
async function writeHosts(
  domain: string,
  server: TestRedis,
  count: number,
): Promise<{ readonly on: string[]; readonly off: string[] }> {
  const on: string[] = [];
  const off: string[] = [];
  for (let at = 0; on.length < count || off.length < count; at += 1) {
    const host = `site-${at}.${domain}`;
    const owners = await Promise.all(['frontend', 'route', 'dead', 'health'].map((kind) => cluster.ownerOf(`${kind}:${host}`)));
    const into = owners.includes(server) ? on : off;
    if (into.length >= count) continue;
    await owners[0]!.client.rpush(`frontend:${host}`, host, 'http://127.0.0.1:3000');
    into.push(host);
  }
  return { on, off };
}

describe('a primary that stands still', () => {
  it.each([
    ['that has the host patterns', 'one.example', () => cluster.ownerOf('patterns')],
    ['that has not', 'other.example', async () => otherThan(await cluster.ownerOf('patterns'))],
  ])(
    '%s is waited for by nobody for long, and those whose records are elsewhere are served',
    async (_which, domain, choose) => {
      const frozen = await choose();
      const { on, off } = await writeHosts(domain, frozen, 24);
      const timeout = 3_000;
      // Long enough that a machine which is busy with other tests does not make servers late that are well.
      const routing = await startRouting(cluster.url, { timeout, lookupWait: 400 });
      const known = [...on.splice(0, 4), ...off.splice(0, 4)];
      expect(new Set((await ask(routing, known)).found)).toEqual(new Set(['3000']));
      frozen.pause();
      try {
        for (const round of ['at first', 'later']) {
          const served = ask(routing, off.splice(0, 8));
          const missed = ask(routing, on.splice(0, 8));
          const seen = ask(routing, known);
          const line = [await served, await missed, await seen].map(({ longest }) => longest.toFixed(1));
          process.stdout.write(`a primary stands still, ${round}: served, missed, known within ${line.join(', ')} ms\n`);
          expect.soft((await served).found).toEqual(Array(8).fill('3000'));
          expect.soft((await missed).found).toEqual(Array(8).fill('late'));
          expect.soft((await seen).found).toEqual(Array(8).fill('3000'));
          // Nobody waits for as long as a command may take.
          for (const { longest } of [await served, await missed, await seen]) expect.soft(longest).toBeLessThan(timeout / 2);
          if (round === 'at first') await eventually('it to be noticed', () => routing.store.state === 'polling', 15_000);
        }
      } finally {
        frozen.resume();
      }
      await eventually('changes to be told by all', () => routing.store.state === 'live', 15_000);
      expect((await ask(routing, on)).found).toEqual(Array(on.length).fill('3000'));
    },
    60_000,
  );
});

/** Another primary. */
async function otherThan(server: TestRedis): Promise<TestRedis> {
  for (const key of ['a', 'b', 'c', 'd', 'e']) {
    const owner = await cluster.ownerOf(key);
    if (owner !== server) return owner;
  }
  throw new Error('all keys lie on one server');
}
