// Automatic certificates for a fleet: nodes on one Redis, and pebble as the authority, which refuses every other nonce.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { type AcmeNode, orderPatience, startAcmeNode } from '../helpers/acme-node.js';
import { ok, type RawBackend, startBackend } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { opensslPair } from '../helpers/openssl.js';
import { type Pebble, startPebble } from '../helpers/pebble.js';
import { connectClient } from '../helpers/raw-client.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { type RenewalAdvice, startRenewalAdvice } from '../helpers/renewal-advice.js';

const [first, second, third] = ['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const;

let redis: TestRedis;
let pebble: Pebble;
let advice: RenewalAdvice;
let backend: RawBackend;
let ports: { readonly http: number; readonly https: number };
let nodes: AcmeNode[] = [];

beforeAll(async () => {
  ports = { http: await freePort(), https: await freePort() };
  redis = await startRedis();
  pebble = await startPebble({ httpPort: ports.http, tlsPort: ports.https, nonceReject: 50 });
  advice = await startRenewalAdvice(pebble);
  backend = await startBackend(ok('inside'));
});
afterAll(async () => {
  await backend.close();
  await advice.close();
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
    const acme = { directory: advice.directory };
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
    advice.advise(Date.now() - 2_000, Date.now() - 1_000);
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
    expect(advice.asked[0]).toMatch(/^[\w-]{20,}\.[\w-]+$/);
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
    const { X509Certificate } = await import('node:crypto');
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
