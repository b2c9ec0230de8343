// docs/security.md: its examples do what it says, the tests that it names are there, and its accounts of Redis have the rights that they need, no more.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import type { Backend } from '../../src/model/backend.js';
import type { NodeHeartbeat } from '../../src/model/node.js';
import { parseBackends } from '../../src/model/parse-backends.js';
import { createStore } from '../../src/store/create-store.js';
import type { ManagedStore } from '../../src/store/managed-store.js';
import type { Store } from '../../src/store/store.js';
import { World } from '../contract/engine/world.js';
import { ok } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { recordingLogger } from '../helpers/recording-logger.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { startProxy, testConfig } from '../helpers/start-proxy.js';

const page = readFileSync('docs/security.md', 'utf8');
const password = 'CHANGE-ME';
/** How Redis says that an account may not do something, by itself and from within a script. */
const refused = /NOPERM|permission|can't run this command/;

/** The blocks of a language, in order. */
function blocks(language: string): string[] {
  return [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter((found) => found[1] === language)
    .map((found) => found[2] ?? '');
}

const beat: NodeHeartbeat = {
  id: 'node-1',
  boot: 'boot-1',
  host: 'machine',
  addresses: ['http://127.0.0.1:80'],
  version: '1.0.0',
  pid: 1,
  startedAt: 0,
  beatAt: 0,
  phase: 'serving',
  workers: 1,
  revision: 0,
  staleness: 0,
  active: 0,
  connections: 0,
};

const open: { close(): unknown }[] = [];
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
  // As a person would paste them.
  for (const line of blocks('acl').flatMap((block) => block.trim().split('\n'))) {
    expect(line).toMatch(/^ACL SETUSER /);
    expect(await redis.cli(...line.split(' '))).toBe('OK');
  }
});
afterAll(() => redis.stop());
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

function driverOf(account: string): string {
  return `redis://${account}:${password}@127.0.0.1:${redis.port}`;
}

/** What Redis refused since it was last asked, as `account: what`. */
async function refusals(): Promise<string[]> {
  const log = (await redis.client.call('ACL', 'LOG')) as unknown[][];
  await redis.client.call('ACL', 'LOG', 'RESET');
  return log.map((entry) => {
    const fields = new Map(Array.from({ length: entry.length / 2 }, (_, at) => [entry[2 * at], entry[2 * at + 1]]));
    return `${fields.get('username')}: ${fields.get('object')} (${fields.get('reason')})`;
  });
}

async function storeOf(account: string): Promise<ManagedStore> {
  const store = createStore(testConfig({ driver: driverOf(account) }), () => {}, { followNodes: account === 'cjs-api' });
  await store.start({ changed() {}, everythingChanged() {} });
  open.push(store);
  return store;
}

async function firstBackend(store: Store, name: string): Promise<Backend> {
  const [record] = await store.readFrontends([name]);
  const [backend] = parseBackends(record?.list.slice(1) ?? []).backends;
  if (backend === undefined) throw new Error(`${name} has no backend`);
  return backend;
}

function clientOf(account: string): Redis {
  const client = new Redis({
    port: redis.port,
    username: account,
    password,
    protocol: 2,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
  });
  open.push({ close: () => client.disconnect() });
  return client;
}

describe('the examples', () => {
  it('of a configuration load', () => {
    expect(blocks('json')).toHaveLength(1);
    for (const text of blocks('json')) {
      const { frontDoor } = loadConfig({ env: {}, cwd: tmpdir(), root: false, settings: JSON.parse(text) });
      expect(frontDoor).toMatchObject({ connectionsPerAddress: 200, minBodyRate: 500, bodyGrace: 20_000 });
    }
  });

  it('of commands answer what is written below them', async () => {
    const proxy = await startProxy({
      driver: redis.url,
      frontDoor: { refusedPaths: ['encoded-slash', 'nul', 'dot-segment'] },
    });
    const world = new World(proxy, 'wire');
    open.push(proxy, world);
    const backend = await world.backend(ok('served'));
    await redis.cli('rpush', 'frontend:example.com', 'example', backend.url);
    const lines = blocks('console').join('').trim().split('\n');
    expect(lines.filter((line) => line.startsWith('$ '))).toHaveLength(7);
    for (let at = 0; at < lines.length; ) {
      const command = (lines[at++] as string).slice(2).replaceAll('127.0.0.1:8080', `127.0.0.1:${proxy.port}`);
      const expected: string[] = [];
      while (at < lines.length && !lines[at]?.startsWith('$ ')) expected.push(lines[at++] as string);
      const script = `redis-cli() { command redis-cli --no-raw -p ${redis.port} "$@"; }\n${command}`;
      const say = async () => (await promisify(execFile)('bash', ['-c', script])).stdout.trim();
      // A change is in force within milliseconds, which a command may be faster than.
      if (command.startsWith('redis-cli')) expect(await say()).toBe(expected.join('\n'));
      else await eventually(`${command} to say ${expected}`, async () => (await say()) === expected.join('\n'));
    }
    await redis.client.del('blocklist', 'frontend:example.com');
  });
});

describe('a block list of another type', () => {
  it('refuses no client of HTTP, and does not undo what was known', async () => {
    const { logger, lines } = recordingLogger();
    const proxy = await startProxy({ driver: redis.url }, { logger });
    const world = new World(proxy, 'wire');
    open.push(proxy, world);
    const isServed = () =>
      world.get('__ping__').then(
        ({ status }) => status === 200,
        () => false,
      );
    await redis.cli('set', 'blocklist', 'everybody');
    await eventually('the fault to be told', () => lines.some(({ msg }) => msg.includes('blocklist has the wrong type')));
    expect(await isServed()).toBe(true);
    await redis.cli('del', 'blocklist');
    await redis.cli('sadd', 'blocklist', '127.0.0.1');
    await eventually('it to be in force', async () => !(await isServed()));
    await redis.client.multi().del('blocklist').set('blocklist', 'everybody').exec();
    await eventually('the fault to be told again', () => lines.filter(({ msg }) => msg.includes('wrong type')).length === 2);
    expect(await isServed()).toBe(false);
    await redis.cli('del', 'blocklist');
    await eventually('it to be over', isServed);
  });
});

describe('the table of attacks', () => {
  const rows = [...page.matchAll(/\| `(test\/[\w./-]+)`: ([^|]+) \|$/gm)].map(
    (found) => [found[1] ?? '', found[2] ?? ''] as const,
  );

  it('names tests that are there', () => {
    expect(rows.length).toBeGreaterThan(30);
    for (const [file, title] of rows) {
      expect(existsSync(file), file).toBe(true);
      expect(readFileSync(file, 'utf8'), `${file}: ${title}`).toContain(title);
    }
  });
});

describe('the account of a proxy node', () => {
  it('lets it serve, with live changes, dead marks, limits, leases and heartbeats', async () => {
    await refusals();
    const proxy = await startProxy({ driver: driverOf('cjs-node') });
    const world = new World(proxy, 'wire');
    open.push(proxy, world);
    const { store } = proxy.proxy;
    expect(store.state).toBe('live');
    const backend = await world.backend(ok('served'));
    const refusing = world.refusing[0] as string;
    await redis.client.rpush('frontend:shop.example.com', 'shop', refusing, backend.url);
    await redis.client.hset('tier:slow', { points: 2, duration: 60 });
    await redis.client.rpush('frontend:slow.example.com', 'slow', backend.url);
    await redis.client.hset('route:slow.example.com', 'tier', 'slow');
    for (let turn = 0; turn < 4; turn++) expect((await world.get('shop.example.com')).text).toBe('served');
    await eventually('the dead mark', async () => (await redis.client.exists('dead:shop.example.com')) === 1);
    const statuses: number[] = [];
    for (let turn = 0; turn < 3; turn++) statuses.push((await world.get('slow.example.com')).status);
    expect(statuses).toEqual([200, 200, 429]);
    await redis.client.sadd('blocklist', '203.0.113.1');
    await redis.client.rpush('frontend:shop.example.com', refusing);
    expect((await world.get('shop.example.com')).text).toBe('served');
    expect(await refusals()).toEqual([]);
  });

  it('lets its store do all that a node does', async () => {
    const store = await storeOf('cjs-node');
    const backend = await firstBackend(store, 'shop.example.com');
    const mark = { host: 'shop.example.com', frontend: 'shop.example.com', backend, size: 3, ttl: 30, write: true };
    await store.markDead(mark);
    await store.revive([{ name: 'shop.example.com', entry: backend.entry, members: [String(backend.index)] }]);
    await store.readHcheckerPing();
    for (const kind of [
      'healthcheck',
      'patterns',
      'tls',
      'member',
      'registered',
      'premium',
      'auth',
      'stream',
      'targets',
      'blocklist',
    ] as const) {
      expect((await store.readRecord(kind, 'x')).fault).toBe('');
    }
    await store.writeRecord('tickets', 'current', ['sealed']);
    await store.scanNames('frontend', '', () => {});
    expect(await store.takeLease('probes', 'me', 1000)).toBe(true);
    await store.dropLease('probes', 'me');
    await store.readAppliedRevision();
    await store.writeHeartbeat(beat, 5000);
    expect((await store.readHeartbeats()).length).toBe(1);
    await store.removeHeartbeat('node-1', 'boot-1');
    expect(await refusals()).toEqual([]);
  });

  it.each([
    ['write a route', ['RPUSH', 'frontend:shop.example.com', 'http://203.0.113.9']],
    ['write a policy', ['HSET', 'route:shop.example.com', 'hostHeader', 'evil.example.com']],
    ['write a certificate', ['HSET', 'tls:shop.example.com', 'certificate', 'x']],
    ['let somebody in', ['HSET', 'auth:staff', 'user:eve', 'x']],
    ['take somebody off the block list', ['SREM', 'blocklist', '203.0.113.1']],
    ['raise a client', ['SET', 'member:ip:203.0.113.1', 'premium']],
    ['write a route by a script', ['EVAL', "return redis.call('rpush', 'frontend:x', 'y')", '0']],
    ['change the settings of Redis', ['CONFIG', 'SET', 'maxmemory', '1']],
    ['list all keys at once', ['KEYS', '*']],
    ['forget everything', ['FLUSHALL']],
    ['give itself rights', ['ACL', 'SETUSER', 'cjs-node', '+@all']],
    ['make Redis a replica of another', ['REPLICAOF', '203.0.113.9', '6379']],
    ['look at what others ask', ['MONITOR']],
    ['speak on another channel', ['PUBLISH', 'news', 'x']],
  ] as const)('does not let it %s', async (_what, [name, ...args]) => {
    await expect(clientOf('cjs-node').call(name, ...args)).rejects.toThrow(refused);
  });
});

describe('the account of the management process', () => {
  it('lets its store write every record', async () => {
    await refusals();
    const store = await storeOf('cjs-api');
    expect(store.state).toBe('live');
    await store.writeFrontend('new.example.com', 'new', ['http://127.0.0.1:1']);
    await store.writeRecord('route', 'new.example.com', ['tier', 'slow']);
    await store.writeRecord('patterns', '', ['{}']);
    for (const kind of ['tls', 'tier', 'auth', 'stream', 'healthcheck'] as const) await store.writeRecord(kind, 'x', ['a', 'b']);
    await store.writeRecord('member', 'ip:203.0.113.1', ['premium']);
    await store.writeRecord('blocklist', 'db', ['203.0.113.1']);
    const backend = await firstBackend(store, 'new.example.com');
    await store.maintain({ frontend: 'new.example.com', backend, on: true, ttl: 30 });
    await store.maintain({ frontend: 'new.example.com', backend, on: false, ttl: 30 });
    await store.scanNames('tier', '', () => {});
    await store.readHeartbeats();
    await store.readHeartbeat('node-1');
    const change = await store.change(
      [
        { kind: 'frontend', name: 'new.example.com' },
        { kind: 'tls', name: 'new.example.com' },
      ],
      () => ({ after: [['new'], ['certificate', 'x']], history: (revision) => String(revision) }),
    );
    expect((await store.readHistory('', 1))[0]?.text).toBe(String(change));
    await store.scanNamesStep('frontend', 'new', '', 100);
    await store.readStats();
    await store.readStats({ id: 'node-1', fields: ['1'] });
    await store.scanStraysStep('', 100);
    await store.deleteFrontend('new.example.com');
    expect(await refusals()).toEqual([]);
  });

  it('lets it count revisions and keep the history in one transaction, watching what it changes', async () => {
    const client = clientOf('cjs-api');
    await client.watch('frontend:new.example.com');
    const replies = await client
      .multi()
      .del('frontend:new.example.com')
      .rpush('frontend:new.example.com', 'new', 'http://127.0.0.1:1')
      .incr('revision')
      .xadd('history', 'MAXLEN', '~', '1000', '*', 'who', 'me')
      .exec();
    expect(replies?.map(([error]) => error)).toEqual([null, null, null, null]);
    expect((await client.xrevrange('history', '+', '-', 'COUNT', 1)).length).toBe(1);
    expect(await refusals()).toEqual([]);
  });

  it.each([
    ['change the settings of Redis', ['CONFIG', 'GET', '*']],
    ['forget everything', ['FLUSHALL']],
    ['list all keys at once', ['KEYS', '*']],
    ['give itself rights', ['ACL', 'SETUSER', 'cjs-api', '+@all']],
    ['pretend to be a node', ['HSET', 'node:x', 'revision', '9']],
    ['touch the keys of others', ['SET', 'session:1', 'x']],
  ] as const)('does not let it %s', async (_what, [name, ...args]) => {
    await expect(clientOf('cjs-api').call(name, ...args)).rejects.toThrow(refused);
  });
});

describe('the other accounts', () => {
  it('let a deployment write its site and no other', async () => {
    const client = clientOf('shop-deploy');
    await client.multi().del('frontend:shop.example.com').rpush('frontend:shop.example.com', 'shop', 'http://127.0.0.1:2').exec();
    expect(await client.lrange('frontend:shop.example.com', 0, -1)).toEqual(['shop', 'http://127.0.0.1:2']);
    await expect(client.rpush('frontend:other.example.com', 'x')).rejects.toThrow(refused);
    await expect(client.hset('route:shop.example.com', 'authProvider', 'none')).rejects.toThrow(refused);
  });

  it('let a reader read and not write', async () => {
    const client = clientOf('cjs-reader');
    expect((await client.lrange('frontend:shop.example.com', 0, -1)).length).toBeGreaterThan(0);
    await expect(client.rpush('frontend:shop.example.com', 'x')).rejects.toThrow(refused);
    await expect(client.hgetall('tls:shop.example.com')).rejects.toThrow(refused);
  });
});
