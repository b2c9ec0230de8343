// A replica beside the node: cut off from its primary, and promoted by hand.
import { expect, it, onTestFinished } from 'vitest';
import { createProxy } from '../../src/proxy/create-proxy.js';
import { startCutWire } from '../helpers/cut-wire.js';
import { eventually } from '../helpers/eventually.js';
import { startEchoBackend } from '../helpers/keep-alive-load.js';
import { recordingLogger } from '../helpers/recording-logger.js';
import { startRedis, type TestRedis, type TestRedisOptions } from '../helpers/redis.js';
import { askForStaleness } from '../helpers/redis-outage.js';
import { testConfig } from '../helpers/start-proxy.js';

async function start(options: TestRedisOptions = {}): Promise<TestRedis> {
  const redis = await startRedis(options);
  onTestFinished(() => redis.stop());
  return redis;
}

/** A replica that has all that its primary has. @param port where it finds its primary */
async function startReplica(port: number, ...args: readonly string[]): Promise<TestRedis> {
  const replica = await start({ args: ['--replicaof', '127.0.0.1', String(port), ...args] });
  await eventually('the replica to follow', async () =>
    (await replica.cli('INFO', 'replication')).includes('master_link_status:up'),
  );
  return replica;
}

async function startProxy(read: string, write: string) {
  const config = testConfig({ driver: read, server: { debugHeaders: 'everyone' } });
  const { logger, lines } = recordingLogger();
  const proxy = await createProxy({ ...config, driver: { read, write } }, { logger });
  onTestFinished(() => proxy.close());
  const { port } = proxy.addresses[0]!;
  return {
    proxy,
    ask: (host: string) => askForStaleness(port, host),
    staleness: () => proxy.readFigures().gauges.store_staleness_seconds ?? 0,
    logged: (part: string) => lines.map(({ level, msg }) => `${level}: ${msg}`).filter((line) => line.includes(part)),
  };
}

it('a replica that is cut off from its primary is served from, and what it says is called stale until it has caught up', async () => {
  const backend = await startEchoBackend();
  onTestFinished(() => backend.close());
  const primary = await start({ args: ['--repl-ping-replica-period', '1'] });
  const wire = await startCutWire();
  onTestFinished(() => wire.close());
  await primary.client.rpush('frontend:known.example', 'known', backend.url);
  await primary.client.rpush('frontend:other.example', 'other', backend.url);
  wire.to(primary.port);
  const replica = await startReplica(wire.port, '--repl-timeout', '2');
  const { proxy, ask, staleness, logged } = await startProxy(replica.url, primary.url);
  expect(await ask('known.example')).toMatchObject({ status: 200, stale: false });
  expect(staleness()).toBeLessThan(1);
  wire.cut();
  await primary.client.rpush('frontend:new.example', 'new', backend.url);
  await eventually('the line', () => logged('has lost its primary').length === 1);
  expect(await ask('known.example')).toMatchObject({ status: 200, stale: true });
  // The replica knows it, though nobody had asked for it before.
  expect(await ask('other.example')).toMatchObject({ status: 200, stale: true });
  expect(await ask('new.example')).toMatchObject({ status: 400, stale: true });
  await eventually('the staleness to grow', () => staleness() > 1);
  expect(proxy.store.state).not.toBe('away');
  wire.mend();
  await eventually('the replica to have caught up', () => logged('is up to date again').length === 1);
  expect(await ask('new.example')).toMatchObject({ status: 200, stale: false });
  expect(staleness()).toBe(0);
  expect(logged('has lost its primary')).toHaveLength(1);
}, 30_000);

it('a replica that is promoted by hand is followed, and written to by a node that has it alone', async () => {
  const primary = await start();
  const backend = await startEchoBackend();
  onTestFinished(() => backend.close());
  await primary.client.rpush('frontend:known.example', 'known', backend.url, 'http://127.0.0.1:1');
  const replica = await startReplica(primary.port);
  const beside = await startProxy(replica.url, primary.url);
  const alone = await startProxy(replica.url, replica.url);
  await primary.stop();
  await eventually('the line', () => beside.logged('has lost its primary').length === 1);
  // Nobody can write yet: each keeps the dead backend out by itself.
  for (let at = 0; at < 10; at++) expect((await alone.ask('known.example')).status).toBe(200);
  await eventually('the line of the mark', () => alone.logged('stays in this worker alone').length > 0);
  await replica.cli('REPLICAOF', 'NO', 'ONE');
  await eventually('the promotion to be seen', () => beside.logged('is up to date again').length === 1);
  await replica.client.rpush('frontend:new.example', 'new', backend.url, 'http://127.0.0.1:2');
  for (const { ask, proxy } of [beside, alone]) {
    await eventually('the change to be in force', async () => (await ask('new.example')).status === 200);
    expect(proxy.store.state).toBe('live');
    expect(await ask('known.example')).toMatchObject({ status: 200, stale: false });
  }
  await eventually('a dead backend to be marked for all', async () => {
    expect((await alone.ask('new.example')).status).toBe(200);
    return (await replica.cli('EXISTS', 'dead:new.example')) === '1';
  });
}, 30_000);
