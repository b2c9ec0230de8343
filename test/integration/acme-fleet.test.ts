// Automatic certificates for a fleet: nodes on one Redis, and pebble as the authority, which refuses every other nonce.
import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { type AcmeFront, type HeldAt, startAcmeFront } from '../helpers/acme-front.js';
import { type AcmeNode, orderPatience, startAcmeNode } from '../helpers/acme-node.js';
import { ok, type RawBackend, startBackend } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { opensslPair } from '../helpers/openssl.js';
import { type Pebble, startPebble } from '../helpers/pebble.js';
import { connectClient } from '../helpers/raw-client.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { spawnNode } from '../helpers/spawn-node.js';

const [first, second, third] = ['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const;

let redis: TestRedis;
let pebble: Pebble;
let front: AcmeFront;
let backend: RawBackend;
let ports: { readonly http: number; readonly https: number };
let nodes: AcmeNode[] = [];

beforeAll(async () => {
  ports = { http: await freePort(), https: await freePort() };
  redis = await startRedis();
  pebble = await startPebble({ httpPort: ports.http, tlsPort: ports.https, nonceReject: 50 });
  front = await startAcmeFront(pebble);
  backend = await startBackend(ok('inside'));
});
afterAll(async () => {
  await backend.close();
  await front.close();
  await pebble.stop();
  await redis.stop();
});
afterEach(async () => {
  for (const node of nodes) await node.close();
  nodes = [];
  await redis.client.flushall();
});

async function start(address: string, more: Partial<Parameters<typeof startAcmeNode>[0]> = {}): Promise<AcmeNode> {
  const node = await startAcmeNode({ pebble, driver: redis.url, address, ports, ...more });
  nodes.push(node);
  return node;
}

async function frontend(host: string): Promise<void> {
  await redis.client.hset(`route:${host}`, 'autoHttps', 'true');
  await redis.client.rpush(`frontend:${host}`, 'id', backend.url);
}

describe('a frontend with autoHttps', () => {
  it('is served with a certificate by all nodes, and with its next one, without a restart, when another node orders', async () => {
    const acme = { directory: front.directory };
    const leader = await start(third, { acme });
    await eventually('the lease', () => redis.client.get('lease:certificates'), orderPatience);
    const [one, two] = [await start(first, { acme }), await start(second, { acme })];
    // Authorities ask whichever node they find: one that did not order.
    await pebble.point(second);
    await frontend('www.example.com');
    const root = await pebble.root();
    const before = await eventually('the certificate', () => one.shown('www.example.com', root), orderPatience);
    expect(await two.shown('www.example.com', root)).toBe(before);
    expect(leader.lines.map(({ msg }) => msg)).toContain('Got the certificate of www.example.com');

    // It is the authority that wants it replaced; who asks next hears of it.
    front.advise(Date.now() - 2_000, Date.now() - 1_000);
    await leader.close();
    for (const node of [one, two]) {
      const isNew = async () => {
        const now = await node.shown('www.example.com', root);
        return now !== null && now !== before && now;
      };
      const after = await eventually('the next certificate', isNew, orderPatience);
      expect(after).not.toBe(before);
    }
    const lines = [...one.lines, ...two.lines].map(({ msg }) => msg);
    expect(lines).toContain('Renewed the certificate of www.example.com');
    // RFC 9773 section 4.1: the key of the issuer and the number of the certificate.
    const [id = ''] = front.asked;
    expect(id).toMatch(/^[\w-]{20,}\.[\w-]+$/);
    // Section 5: the authority is told which certificate is replaced.
    expect(front.orders).toEqual([
      { name: 'www.example.com', replaces: '' },
      { name: 'www.example.com', replaces: id },
    ]);
  });

  it('is ordered without a word on what it replaces where the authority knows of a successor already', async () => {
    const acme = { directory: front.directory };
    const name = 'replaced.example.com';
    await frontend(name);
    await pebble.point(first);
    const before = front.orders.length;
    front.advise(Date.now() + 86_400_000, Date.now() + 2 * 86_400_000);
    const old = await start(first, { acme });
    const root = await pebble.root();
    const shown = await eventually('the certificate', () => old.shown(name, root), orderPatience);
    await old.close();
    front.refuseReplacement();
    front.advise(Date.now() - 2_000, Date.now() - 1_000);
    const node = await start(first, { acme });
    const isNew = async () => (await node.shown(name, root)) !== shown;
    await eventually('the next certificate', isNew, orderPatience);
    const [ordered, refused, again] = front.orders.slice(before).map(({ replaces }) => replaces);
    expect([ordered, refused === '', again]).toEqual(['', false, '']);
    expect(node.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it.each([
    ['before the authority has heard its last word', 'request'],
    ['when the authority has made the certificate', 'answer'],
  ] as const)('is brought to its end by another node where the one that ordered dies %s', async (_when, at: HeldAt) => {
    const name = `cut-${at}.example.com`;
    await pebble.point(third);
    await frontend(name);
    const before = front.orders.length;
    const held = front.hold(/^\/finalize-order\//, at);
    const ordering = await spawnNode({
      http: { bind: [third], port: ports.http },
      https: { bind: [third], port: ports.https },
      driver: redis.url,
      acme: { directory: front.directory, agreeTerms: true, ca: [pebble.caFile] },
      server: { workers: 0 },
    });
    try {
      await Promise.race([held, ordering.ended.then(() => Promise.reject(new Error(ordering.stderr())))]);
    } finally {
      await ordering.destroy();
    }
    // What a node that has died holds runs out; nobody need wait for it here.
    await redis.client.del('lease:certificates');
    const other = await start(first, { acme: { directory: front.directory } });
    const root = await pebble.root();
    await eventually('the certificate', () => other.shown(name, root), orderPatience);
    expect(front.orders.slice(before)).toEqual([{ name, replaces: '' }]);
    expect(await redis.client.hget(`acme:name:${name}`, 'order')).toBe('');
  });

  it('is proved by a handshake at a node that did not order, where tls-alpn-01 is the way', async () => {
    await start(first, { acme: { challenges: ['tls-alpn-01'] } });
    await eventually('the lease', () => redis.client.get('lease:certificates'), orderPatience);
    const other = await start(second, { acme: { challenges: ['tls-alpn-01'] } });
    await pebble.point(second);
    await frontend('alpn.example.com');
    const root = await pebble.root();
    await eventually('the certificate', () => other.shown('alpn.example.com', root), orderPatience);
    // What proved it is gone.
    await eventually('an end', async () => (await redis.client.keys('acme:alpn:*')).length === 0);
  });

  it('gets another certificate when two thirds of the life of its last one are over, and none in place of a person’s', async () => {
    const [old, own] = [
      opensslPair(['old.example.com'], { from: -20, until: 5 }),
      opensslPair(['own.example.com'], { from: -20, until: 5 }),
    ];
    const mark = new X509Certificate(old.cert).fingerprint256;
    await redis.client.hset('tls:old.example.com', { certificate: old.cert, key: old.key, acme: mark, note: 'kept' });
    // The mark is that of another certificate: somebody has put theirs in its place.
    await redis.client.hset('tls:own.example.com', { certificate: own.cert, key: own.key, acme: mark });
    await frontend('own.example.com');
    await frontend('old.example.com');
    await pebble.point(first);
    const node = await start(first);
    const root = await pebble.root();
    await eventually('the next certificate', () => node.shown('old.example.com', root), orderPatience);
    expect(await redis.client.hget('tls:old.example.com', 'note')).toBe('kept');
    expect(await redis.client.hget('tls:own.example.com', 'certificate')).toBe(own.cert);
    expect(await redis.client.exists('acme:name:own.example.com')).toBe(0);
  });
});

describe('keys', () => {
  it('of certificates and of the account are encrypted in Redis where there is a secret', async () => {
    const storeKeys = [Buffer.alloc(32, 5).toString('base64')];
    await pebble.point(first);
    const node = await start(first, { httpsSettings: { storeKeys } });
    await frontend('sealed.example.com');
    await eventually('the certificate', async () => node.shown('sealed.example.com', await pebble.root()), orderPatience);
    const [account] = await redis.client.keys('acme:account:*');
    expect(await redis.client.hget('tls:sealed.example.com', 'key')).toMatch(/^enc:v1:/);
    expect(await redis.client.hget(account ?? '', 'key')).toMatch(/^enc:v1:/);
    expect(JSON.stringify(node.lines)).not.toMatch(/PRIVATE/);
  });
});

describe('a proof', () => {
  it('is given by every node, on any host and before any redirect; other tokens go on to the backend', async () => {
    await start(first);
    await start(second);
    await frontend('proof.example.com');
    const token = 'a'.repeat(43);
    await redis.client.hset(`acme:http:${token}`, 'authorization', `${token}.thumbprint`);
    for (const address of [first, second]) {
      const client = await connectClient(ports.http, address);
      for (const host of ['proof.example.com', 'nobody.example.com']) {
        client.send(head('GET', `/.well-known/acme-challenge/${token}`, host));
        const { status, text } = await client.response();
        expect([status, text]).toEqual([200, `${token}.thumbprint`]);
      }
      client.send(head('GET', `/.well-known/acme-challenge/${'b'.repeat(43)}`, 'proof.example.com'));
      expect((await client.response()).text).toBe('inside');
      client.close();
    }
  });
});
