// Four workers follow a Redis that changes all the time: what each answered is held against when it was written. `npm run coherence` does it
// for longer, with whole nodes.
import { expect, it, onTestFinished } from 'vitest';
import { type CoherenceResult, runCoherence } from '../helpers/coherence.js';
import { startEchoBackend } from '../helpers/keep-alive-load.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { newSeed } from '../helpers/seeded.js';
import { startProxy } from '../helpers/start-proxy.js';

const workers = 4;

async function coherence(what: string, bound: number, driverOf: (redis: TestRedis) => Promise<string>): Promise<CoherenceResult> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const backend = await startEchoBackend();
  onTestFinished(() => backend.close());
  const driver = await driverOf(redis);
  const ports: number[] = [];
  for (let at = 0; at < workers; at += 1) {
    const { port, close } = await startProxy({ driver, server: { debugHeaders: 'everyone' } });
    onTestFinished(close);
    ports.push(port);
  }
  const result = await runCoherence({
    ...{ redis: redis.client, ports, connections: 1, backend: backend.url, bound },
    ...{ frontends: 10_000, changes: 200, milliseconds: 3_000, seed: newSeed('coherence') },
  });
  const { writes, reads, followed, p50, p99, longest, stall } = result;
  console.log(
    `${what}: ${writes} writes, ${reads} reads; the last worker's first right answer to ${followed} of them p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, ` +
      `longest ${longest.toFixed(1)} ms; the observer was late by up to ${stall.toFixed(1)} ms`,
  );
  return result;
}

it('no worker gives an answer that has been out of date for a second, while frontends change under load', async () => {
  const { writes, reads, followed, wrong } = await coherence('changes told by Redis', 1_000, async ({ url }) => url);
  expect(wrong).toEqual([]);
  expect(writes).toBeGreaterThan(50);
  expect(followed).toBeGreaterThan(0);
  expect(reads).toBeGreaterThanOrEqual(followed * workers);
}, 60_000);

it('nor one that has been for two seconds where the server refuses to tell changes', async () => {
  const { writes, wrong } = await coherence('changes polled for', 2_000, async ({ client, port }) => {
    await client.call('ACL', 'SETUSER', 'proxy', 'reset', 'on', '>pw', '~*', '&*', '+@all', '-client|tracking');
    return `redis://proxy:pw@127.0.0.1:${port}`;
  });
  expect(wrong).toEqual([]);
  expect(writes).toBeGreaterThan(50);
}, 60_000);
