// TLS sessions: resumed on any node of an installation, with keys that are replaced through Redis, and at no other name.
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeyVault } from '../../src/certs/key-vault.js';
import { TicketKeys } from '../../src/certs/ticket-keys.js';
import type { HttpsConfig } from '../../src/config/config.js';
import { selfSigned } from '../helpers/certs.js';
import { eventually } from '../helpers/eventually.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';
import { tlsBind } from '../helpers/tls-bind.js';

let redis: TestRedis;
let proxies: StartedProxy[] = [];

beforeEach(async () => {
  redis = await startRedis();
  for (const name of ['a.example.com', 'b.example.com']) {
    const { key, cert } = selfSigned(name);
    await redis.client.hset(`tls:${name}`, 'certificate', cert, 'key', key);
  }
});
afterEach(async () => {
  for (const proxy of proxies) await proxy.close();
  proxies = [];
  await redis.stop();
});

async function node(httpsSettings: Partial<HttpsConfig> = {}): Promise<number> {
  const proxy = await startProxy({ driver: redis.url, https: [tlsBind()], httpsSettings });
  proxies.push(proxy);
  return proxy.securePort;
}

interface Handshake {
  readonly resumed: boolean;
  readonly session: Buffer | undefined;
}

/** One connection; its session is what the server gave it last. */
function connect(port: number, servername: string, version: tls.SecureVersion, session?: Buffer): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    let given: Buffer | undefined;
    let resumed = false;
    const versions = { minVersion: version, maxVersion: version };
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      servername,
      rejectUnauthorized: false,
      ...versions,
      ...(session ? { session } : {}),
    });
    socket.on('session', (one) => {
      given = one;
    });
    // An answer comes after the tickets of TLS 1.3.
    socket.on('secureConnect', () => {
      resumed = socket.isSessionReused();
      socket.write('GET / HTTP/1.1\r\nHost: __ping__\r\nConnection: close\r\n\r\n');
    });
    socket.on('data', () => {});
    socket.once('error', reject);
    socket.once('close', () => resolve({ resumed, session: given ?? session }));
  });
}

async function sharedKeys(): Promise<string> {
  return eventually('the shared keys', () => redis.client.get('tickets:current'));
}

/** Whether a session of one node is resumed at another: true once both have the shared keys. */
async function resumes(from: number, to: number, version: tls.SecureVersion): Promise<boolean> {
  const { session } = await connect(from, 'a.example.com', version);
  return (await connect(to, 'a.example.com', version, session)).resumed;
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a session of %s', (version) => {
  it('is resumed on the node that made it and on every other', async () => {
    const [one, two] = [await node(), await node()];
    await sharedKeys();
    expect(await resumes(one, one, version)).toBe(true);
    await eventually('the session to be resumed elsewhere', () => resumes(one, two, version));
  });

  it('is not resumed at another name', async () => {
    const port = await node();
    const { session } = await connect(port, 'a.example.com', version);
    expect((await connect(port, 'b.example.com', version, session)).resumed).toBe(false);
  });

  it('ends in a full handshake, and a new session, when its keys were replaced', async () => {
    const [one, two] = [await node(), await node()];
    await sharedKeys();
    await eventually('the session to be resumed elsewhere', () => resumes(one, two, version));
    const before = await connect(one, 'a.example.com', version);
    const made = { keys: Buffer.alloc(48, 7).toString('base64'), since: Date.now() };
    await redis.client.set('tickets:current', JSON.stringify(made));
    await eventually(
      'the old session to be refused',
      async () => !(await connect(one, 'a.example.com', version, before.session)).resumed,
    );
    await eventually('new sessions to be resumed elsewhere', () => resumes(one, two, version));
  });
});

describe('the keys', () => {
  it('are the same for nodes that start together, and encrypted where a secret is given', async () => {
    const secret = Buffer.alloc(32, 9).toString('base64');
    const ports = await Promise.all([
      node({ storeKeys: [secret] }),
      node({ storeKeys: [secret] }),
      node({ storeKeys: [secret] }),
    ]);
    const sealed = await sharedKeys();
    expect(sealed).toMatch(/^enc:v1:/);
    expect(JSON.parse(new KeyVault([secret]).open('tickets:current', sealed))).toMatchObject({ keys: expect.any(String) });
    for (const port of ports) await eventually('all to share them', () => resumes(ports[0] as number, port, 'TLSv1.3'));
  });

  it('are replaced by one node when their time is over', async () => {
    const old = { keys: Buffer.alloc(48, 1).toString('base64'), since: Date.now() - 60_000 };
    await redis.client.set('tickets:current', JSON.stringify(old));
    const store = (await startProxy({ driver: redis.url })).proxy.store;
    const used: string[] = [];
    const options = { store, vault: new KeyVault([]), log: { warn: () => {}, info: () => {} }, rotation: 30_000 };
    const nodes = [1, 2, 3].map(() => new TicketKeys({ ...options, use: (keys) => used.push(keys.toString('hex')) }));
    await Promise.all(nodes.map((one) => one.start()));
    const made = JSON.parse(await sharedKeys()) as { keys: string; since: number };
    expect(made.keys).not.toBe(old.keys);
    await Promise.all(nodes.map((one) => one.start()));
    expect(new Set(nodes.map(({ keys }) => keys.toString('base64')))).toEqual(new Set([made.keys]));
    expect(new Set(used).size).toBeLessThanOrEqual(2);
    await Promise.all(nodes.map((one) => one.close()));
    await store.close();
  });

  it('that nobody can read are replaced', async () => {
    await redis.client.set('tickets:current', 'nonsense');
    await node();
    await eventually('keys that can be read', async () => (await redis.client.get('tickets:current'))?.includes('since'));
  });
});
