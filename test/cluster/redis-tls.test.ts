// Redis over TLS with an authority of its own and client certificates: one server, sentinels, a cluster; and what is said when they do not fit.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RedisConfig } from '../../src/config/config.js';
import { StartError } from '../../src/errors/start-error.js';
import { createStore } from '../../src/store/create-store.js';
import type { Store } from '../../src/store/store.js';
import { createAuthority, type KeyAndCert } from '../helpers/certs.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { testConfig } from '../helpers/start-proxy.js';

const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-redis-tls-'));
const authority = createAuthority();
const ca = write('ca.pem', authority.cert);
const server = writePair('server', authority.issue('localhost', '127.0.0.1', 'redis.internal'));
const client = writePair('client', authority.issue('proxy'));
const stranger = writePair('stranger', createAuthority('another authority').issue('proxy'));
/** What every server here is started with: it takes no client without a certificate. */
const guarded = [
  '--tls-ca-cert-file',
  ca,
  '--tls-cert-file',
  server.cert,
  '--tls-key-file',
  server.key,
  '--tls-auth-clients',
  'yes',
];

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

function writePair(name: string, { key, cert }: KeyAndCert): KeyAndCert {
  return { key: write(`${name}.key`, key), cert: write(`${name}.crt`, cert) };
}

function storeAt(driver: string, settings: Partial<RedisConfig>): Store {
  const config = testConfig({ driver });
  const store = createStore({ ...config, redis: { ...config.redis, ...settings } }, () => undefined);
  onTestFinished(() => store.close());
  return store;
}

/** Starts a store, writes by it and reads back. */
async function expectUsable(driver: string, settings: Partial<RedisConfig>): Promise<void> {
  const changed: string[] = [];
  const store = storeAt(driver, settings);
  await store.start({ changed: (name) => changed.push(name), everythingChanged: () => undefined });
  expect(store.state).toBe('live');
  await store.writeFrontend('example.com', 'id', ['http://127.0.0.1:1']);
  expect((await store.readFrontends(['example.com']))[0]?.list).toEqual(['id', 'http://127.0.0.1:1']);
  await eventually('the change to be told', () => changed.includes('example.com'));
}

async function startFailure(driver: string, settings: Partial<RedisConfig>): Promise<string> {
  const failure: unknown = await (async () =>
    storeAt(driver, settings).start({ changed: () => {}, everythingChanged: () => {} }))().then(
    () => null,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(StartError);
  expect((failure as Error).message).not.toContain('\n');
  return (failure as Error).message;
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a server that asks for client certificates', () => {
  let redis: TestRedis;
  let url: string;

  beforeAll(async () => {
    const port = await freePort();
    redis = await startRedis({ args: ['--tls-port', String(port), ...guarded] });
    url = `rediss://127.0.0.1:${port}`;
  });

  afterAll(() => redis.stop());

  it('is used with an authority and a certificate of the settings, for reading, writing and tracking', async () => {
    await expectUsable(url, { ca: [ca], ...client });
    await expectUsable(url.replace('127.0.0.1', 'localhost'), { ca: [ca], ...client, servername: 'redis.internal' });
  });

  it.each<[string, Partial<RedisConfig>, RegExp]>([
    ['without a client certificate', { ca: [ca] }, /client certificate.*redis\.cert and redis\.key/],
    ['with one of another authority', { ca: [ca], ...stranger }, /client certificate in redis\.cert/],
    ['without its authority', client, /not trusted; name its authority in redis\.ca/],
    ['under another name', { ca: [ca], ...client, servername: 'other.internal' }, /another name; .*redis\.servername/],
    [
      'with a file that is not there',
      { ca: [join(folder, 'none.pem')] },
      /cannot read the file of redis\.ca: .*none\.pem \(ENOENT\)/,
    ],
    [
      'with a key in the place of a certificate',
      { ca: [client.key] },
      /redis\.ca: .*client\.key holds no certificate in PEM form/,
    ],
    ['with a key of another certificate', { ca: [ca], cert: client.cert, key: server.key }, /cannot be used for TLS: .*mismatch/],
  ])('ends the start %s in one line that says what to do', async (_how, settings, text) => {
    expect(await startFailure(url, settings)).toMatch(text);
  });
});

it('a primary behind sentinels is used, all of them over TLS with client certificates', async () => {
  const port = await freePort();
  const redis = await startRedis({ args: ['--tls-port', String(port), '--tls-replication', 'yes', ...guarded] });
  onTestFinished(() => redis.stop());
  const sentinelPort = await freePort();
  const lines = guarded.flatMap((part, at) => (at % 2 === 0 ? [`${part.slice(2)} ${guarded[at + 1]}`] : []));
  const file = write(
    'sentinel.conf',
    [
      'port 0',
      `tls-port ${sentinelPort}`,
      'tls-replication yes',
      `dir ${folder}`,
      ...lines,
      `sentinel monitor main 127.0.0.1 ${port} 1`,
      '',
    ].join('\n'),
  );
  const child: ChildProcess = spawn('redis-server', [file, '--sentinel'], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  let printed = '';
  child.stdout?.on('data', (data: Buffer) => {
    printed += String(data);
  });
  await eventually('the sentinel to watch the primary', () => printed.includes('+monitor'));
  await expectUsable(`rediss+sentinel://127.0.0.1:${sentinelPort}/main`, { ca: [ca], ...client });
});

it('a cluster is used over TLS with client certificates', async () => {
  const port = await freePort();
  const bus = ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort()), '--cluster-announce-ip', '127.0.0.1'];
  const node = await startRedis({ args: ['--tls-port', String(port), '--tls-cluster', 'yes', ...bus, ...guarded] });
  onTestFinished(() => node.stop());
  await node.cli('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await eventually('the cluster to be whole', async () => (await node.cli('CLUSTER', 'INFO')).includes('cluster_state:ok'));
  await expectUsable(`rediss+cluster://127.0.0.1:${port}`, { ca: [ca], ...client });
});
