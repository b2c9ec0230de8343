// Redis behind sentinels: what happens to a route cache when the primary goes.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseDriverUrl } from '../../src/config/driver-url.js';
import { RedisStore } from '../../src/store/redis-store.js';
import { storeContract } from '../contract/store.contract.js';
import { eventually } from '../helpers/eventually.js';
import { historyFaults } from '../helpers/history-faults.js';
import { startApi } from '../helpers/management.js';
import { startRouting } from '../helpers/routing.js';
import { startSentinels, type TestSentinels } from '../helpers/sentinels.js';

let sentinels: TestSentinels;

beforeAll(async () => {
  sentinels = await startSentinels();
}, 30_000);

afterAll(() => sentinels.stop());

storeContract('Redis behind sentinels', async () => {
  await (await sentinels.primary()).cli('FLUSHALL');
  return newStore(sentinels.url);
});

describe('a store behind sentinels', () => {
  it('reads from the primary, sees changes at once, and goes on with the new primary after a failover', async () => {
    const primary = await sentinels.primary();
    await primary.client.flushall();
    await primary.client.rpush('frontend:example.com', 'site', 'http://127.0.0.1:3000');
    const routing = await startRouting(sentinels.url);
    expect(await routing.find('example.com')).toBe('3000');
    await primary.client.rpush('frontend:example.com', 'http://127.0.0.1:3001');
    await eventually('the change to be in force', async () => (await routing.find('example.com')) === '3000,3001');

    const api = await startApi(sentinels.url);
    onTestFinished(() => api.close());
    const put = (host: string) =>
      api.call('PUT', `/routes/${host}`, { strategy: 'RANDOM', retries: 1, backends: [{ hostname: '10.0.0.1', port: 80 }] });
    expect((await put('before.example.com')).status).toBe(201);

    // The replica must hold it before the primary is gone, else nobody has it.
    await primary.client.call('WAIT', '1', '5000');
    primary.pause();
    // What is known goes on being served, whatever happens behind it.
    expect(await routing.find('example.com')).toBe('3000,3001');
    // Written nowhere, and said so: nobody can tell who the primary is.
    expect((await put('between.example.com')).status).toBe(503);
    const next = await eventually(
      'another primary',
      async () => {
        const now = await sentinels.primary();
        return now === primary ? null : now;
      },
      15_000,
    );
    await eventually('changes to be told by the new primary', () => routing.store.state === 'live', 15_000);
    expect(await routing.find('example.com')).toBe('3000,3001');
    await next.client.lrem('frontend:example.com', 1, 'http://127.0.0.1:3000');
    await eventually('the change to be in force', async () => (await routing.find('example.com')) === '3001', 5000);
    // Writes go to the new primary too.
    await routing.store.writeFrontend('other.example.com', 'other', ['http://127.0.0.1:3002']);
    expect(await next.client.lrange('frontend:other.example.com', 0, -1)).toEqual(['other', 'http://127.0.0.1:3002']);

    await eventually('the API to write there', async () => (await put('after.example.com')).status < 300, 15_000);
    expect(await next.client.llen('frontend:after.example.com')).toBe(2);
    expect((await api.call('GET', '/routes/before.example.com')).status).toBe(200);
    expect((await api.call('GET', '/routes/between.example.com')).status).toBe(404);
    expect(await historyFaults(api.store)).toEqual({ faults: [], revision: 2 });

    // The old one comes back as a replica and nothing changes.
    primary.resume();
    await eventually(
      'the old primary to follow',
      async () => (await primary.cli('INFO', 'replication')).includes('role:slave'),
      15_000,
    );
    expect(await routing.find('other.example.com')).toBe('3002');
  }, 60_000);
});

function newStore(url: string): RedisStore {
  const parsed = parseDriverUrl(url);
  if (parsed.kind !== 'redis') throw new Error('no Redis URL');
  return new RedisStore({ read: parsed, write: parsed, timeout: 1000, log: () => undefined });
}
