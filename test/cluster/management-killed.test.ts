// A management process that is killed in the middle of many writes: each change is there as a whole, with its revision and its entry in
// the history, or it is not there at all; and what was answered is there.
import { expect, it, onTestFinished } from 'vitest';
import { parseDriverUrl } from '../../src/config/driver-url.js';
import { RedisStore } from '../../src/store/redis-store.js';
import { eventually } from '../helpers/eventually.js';
import { historyFaults } from '../helpers/history-faults.js';
import { startRedis } from '../helpers/redis.js';
import { newSeed, seeded } from '../helpers/seeded.js';
import { spawnApi } from '../helpers/spawn-api.js';

const rounds = 4;
const writers = 8;
const hosts = 12;

it('leaves nothing half done', async () => {
  const chance = seeded(newSeed('killed management'));
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const url = parseDriverUrl(redis.url);
  if (url.kind !== 'redis') throw new Error('no Redis');
  const store = new RedisStore({ read: url, write: url, timeout: 5_000, log: () => {} });
  await store.start({ changed: () => {}, everythingChanged: () => {} });
  onTestFinished(() => store.close());
  let answered = 0;
  let unanswered = 0;
  for (let round = 0; round < rounds; round += 1) {
    const api = await spawnApi(redis.url);
    onTestFinished(() => api.kill());
    let killed = false;
    /** Two records and more each: list, policy, and the certificate of some. */
    const write = async (): Promise<void> => {
      const host = `site-${Math.floor(chance() * hosts)}.example.com`;
      const gone = chance() < 0.2;
      const backends = Array.from({ length: 1 + Math.floor(chance() * 4) }, (_, at) => ({
        ...{ id: `b${at}-${Math.floor(chance() * 1_000)}`, hostname: '10.0.0.1', port: 8_000 + at },
      }));
      const body = JSON.stringify({
        strategy: 'RANDOM',
        backends,
        retries: Math.floor(chance() * 10),
        reqQueueLength: Math.floor(chance() * 500),
      });
      const headers = { 'content-type': 'application/json' };
      const reply = await fetch(`${api.url}/routes/${host}`, gone ? { method: 'DELETE' } : { method: 'PUT', body, headers });
      expect([200, 201, 204, 404]).toContain(reply.status);
      await reply.arrayBuffer();
      if (reply.status !== 404) answered += 1;
    };
    const writing = Array.from({ length: writers }, async () => {
      while (!killed) {
        try {
          await write();
        } catch (error) {
          if (!killed) throw error;
          unanswered += 1;
        }
      }
    });
    const before = answered;
    await eventually('some answers', () => answered >= before + 5, 10_000);
    await new Promise((resolve) => setTimeout(resolve, chance() * 50));
    killed = true;
    await api.kill();
    await Promise.all(writing);
    const { faults, revision } = await historyFaults(store);
    expect(faults).toEqual([]);
    expect(revision).toBeGreaterThanOrEqual(answered);
    expect(revision).toBeLessThanOrEqual(answered + unanswered);
  }
  expect(unanswered).toBeGreaterThan(0);
  process.stdout.write(`killed ${rounds} times: ${answered} changes answered, ${unanswered} calls without an answer\n`);
}, 40_000);
