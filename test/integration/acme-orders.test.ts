// Orders that go wrong and how they come right again, orders on demand, accounts that the authority has lost; one node without Redis.
import { createPrivateKey } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlattenedSign } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AcmeConfig } from '../../src/config/config.js';
import { fieldsOf } from '../../src/model/record-kind.js';
import { type AcmeNode, orderPatience, startAcmeNode } from '../helpers/acme-node.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free-port.js';
import { type Pebble, startPebble } from '../helpers/pebble.js';

let pebble: Pebble;
let ports: { readonly http: number; readonly https: number };
let node: AcmeNode | null = null;
const folder = mkdtempSync(join(tmpdir(), 'acme-orders-'));

beforeAll(async () => {
  ports = { http: await freePort(), https: await freePort() };
  pebble = await startPebble({ httpPort: ports.http, tlsPort: ports.https });
});
afterAll(async () => {
  await pebble.stop();
  rmSync(folder, { recursive: true });
});
afterEach(async () => {
  await node?.close();
  node = null;
});

async function start(acme: Partial<AcmeConfig> = {}, authority = pebble, at = ports): Promise<AcmeNode> {
  node = await startAcmeNode({ pebble: authority, driver: 'memory:', ports: at, acme });
  return node;
}

const store = () => (node as AcmeNode).proxy.proxy.store;

async function frontend(host: string, autoHttps = true): Promise<void> {
  if (autoHttps) await store().writeRecord('route', host, ['autoHttps', 'true']);
  await store().writeFrontend(host, 'id', ['http://127.0.0.1:9']);
}

async function served(host: string, authority = pebble): Promise<string> {
  const root = await authority.root();
  return eventually(`a certificate of ${host}`, () => (node as AcmeNode).shown(host, root), orderPatience);
}

const errors = () => (node as AcmeNode).lines.filter(({ level }) => level === 'error').map(({ msg }) => msg);
const fieldOf = async (name: string, field: string) => fieldsOf(await store().readRecord('acme', name)).get(field) ?? '';

describe('an order that is refused', () => {
  it('is told once in the words of the authority, tried again later, and comes right when its cause is gone', async () => {
    await start({ challenges: ['http-01'] });
    await pebble.point('127.0.0.9', 'late.example.com');
    await frontend('late.example.com');
    await eventually('two failures', async () => Number(await fieldOf('name:late.example.com', 'failures')) >= 2, orderPatience);
    expect(errors()).toEqual([
      expect.stringMatching(/^No certificate for late\.example\.com: connection: http-01: .*127\.0\.0\.9/),
    ]);
    expect(await fieldOf('name:late.example.com', 'problem')).toContain('connection: http-01');
    await pebble.point('', 'late.example.com');
    await served('late.example.com');
    expect(await fieldOf('name:late.example.com', 'failures')).toBe('0');
  });

  it('is tried in another way next', async () => {
    await start({ challenges: ['dns-01', 'tls-alpn-01'], dnsHook: join(folder, 'not-there') });
    await frontend('other-way.example.com');
    await served('other-way.example.com');
    expect(errors()).toEqual([expect.stringContaining('not-there (present) cannot be started: ENOENT')]);
  });

  it('keeps nobody from stopping while it is under way', async () => {
    const hook = join(folder, 'slow');
    writeFileSync(hook, `#!/bin/sh\necho "$ACME_ACTION" >> ${folder}/slow.log\n[ "$ACME_ACTION" = cleanup ] || exec sleep 600\n`);
    chmodSync(hook, 0o755);
    await start({ challenges: ['dns-01'], dnsHook: hook });
    await frontend('slow.example.com');
    const said = () => readFileSync(join(folder, 'slow.log'), 'utf8');
    await eventually(
      'the hook',
      () => {
        try {
          return said().includes('present');
        } catch {
          return false;
        }
      },
      orderPatience,
    );
    const begun = performance.now();
    await node?.close();
    node = null;
    expect(performance.now() - begun).toBeLessThan(60_000);
    expect(said()).toBe('present\ncleanup\n');
  });
});

describe('names without a public authority to vouch for them', () => {
  it('get none: private ones, addresses, wildcards without dns-01, and those that no frontend serves', async () => {
    await start();
    for (const host of ['printer.local', '10.0.0.1', 'localhost', '*.example.com']) await frontend(host);
    await store().writeRecord('route', 'nowhere.example.com', ['autoHttps', 'true']);
    await frontend('last.example.com');
    await served('last.example.com');
    const names: string[] = [];
    await store().scanNames('acme', 'name:', (found) => names.push(...found));
    expect(names).toEqual(['name:last.example.com']);
    const warned = (node as AcmeNode).lines.filter(({ msg }) => msg.includes('can be proved by dns-01 only'));
    expect(warned.length).toBe(1);
    // It wanted one all the time, and nothing but a frontend was missing.
    await frontend('nowhere.example.com');
    await served('nowhere.example.com');
  });
});

describe('a handshake for a name without a certificate', () => {
  it('has one ordered where that is allowed and a frontend serves the name, up to a number in an hour', async () => {
    await start({ onDemand: true, onDemandPerHour: 2 });
    await frontend('*.shops.example.com', false);
    await frontend('plain.example.com', false);
    await frontend('*', false);
    const root = await pebble.root();
    const shown = (host: string) => (node as AcmeNode).shown(host, root);
    expect(await shown('nobody.example.org')).toBe(null);
    expect(await shown('one.shops.example.com')).toBe(null);
    await served('one.shops.example.com');
    await served('plain.example.com');
    expect(await shown('two.shops.example.com')).toBe(null);
    const capped = () => (node as AcmeNode).lines.some(({ msg }) => msg.startsWith('More than 2 certificates on demand'));
    await eventually('the cap', capped, orderPatience);
    expect((await store().readRecord('tls', 'two.shops.example.com')).values).toEqual([]);
    expect((await store().readRecord('acme', 'wanted:nobody.example.org')).values).toEqual([]);
  });

  it('has none ordered where that is not allowed', async () => {
    await start();
    await frontend('quiet.example.com', false);
    expect(await node?.shown('quiet.example.com', await pebble.root())).toBe(null);
    await frontend('loud.example.com');
    await served('loud.example.com');
    expect((await store().readRecord('acme', 'wanted:quiet.example.com')).values).toEqual([]);
  });
});

describe('an account', () => {
  it('that the authority has forgotten is registered again, with its key', async () => {
    await start();
    await frontend('before.example.com');
    await served('before.example.com');
    const account = await accountName();
    const key = await fieldOf(account, 'key');
    await pebble.restart();
    await frontend('after.example.com');
    await served('after.example.com');
    expect(await fieldOf(account, 'key')).toBe(key);
    expect(errors()).toEqual([]);
  });

  it('that was closed is replaced by a new one', async () => {
    await start();
    await frontend('open.example.com');
    await served('open.example.com');
    const account = await accountName();
    const [key, url] = [await fieldOf(account, 'key'), await fieldOf(account, 'url')];
    await closeAccount(url, key);
    await frontend('reopened.example.com');
    await served('reopened.example.com');
    expect(await fieldOf(account, 'url')).not.toBe(url);
    expect(await fieldOf(account, 'key')).not.toBe(key);
  });

  it('is bound to one that a person has with the authority, where it asks for that', async () => {
    const key = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W';
    const strict = await startPebble({ httpPort: ports.http, tlsPort: ports.https, externalAccounts: { 'kid-1': key } });
    try {
      await start({}, strict, { http: 0, https: 0 });
      await frontend('bound.example.com');
      const refused = 'externalAccountRequired: the authority wants acme.eabKeyId and acme.eabKey';
      await eventually('the refusal', () => errors().some((line) => line.includes(refused)), orderPatience);
      await node?.close();
      await start({ eabKeyId: 'kid-1', eabKey: key }, strict);
      await frontend('bound.example.com');
      await served('bound.example.com', strict);
    } finally {
      await strict.stop();
    }
  });

  async function accountName(): Promise<string> {
    const names: string[] = [];
    await store().scanNames('acme', 'account:', (found) => names.push(...found));
    expect(names.length).toBe(1);
    return names[0] as string;
  }

  /** RFC 8555 section 7.3.6. */
  async function closeAccount(url: string, key: string): Promise<void> {
    const directory = JSON.parse((await ask('GET', pebble.directory)).text) as { newNonce: string };
    const { nonce } = await ask('HEAD', directory.newNonce);
    const signed = await new FlattenedSign(Buffer.from('{"status":"deactivated"}'))
      .setProtectedHeader({ alg: 'ES256', nonce, url, kid: url })
      .sign(createPrivateKey(key));
    expect((await ask('POST', url, JSON.stringify(signed))).status).toBe(200);
  }

  function ask(method: string, url: string, body?: string): Promise<{ status: number; text: string; nonce: string }> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'Content-Type': 'application/jose+json' };
      const request = https.request(url, { method, ca: pebble.ca, agent: false, headers }, async (response) => {
        let text = '';
        for await (const piece of response.setEncoding('utf8')) text += piece;
        resolve({ status: response.statusCode ?? 0, text, nonce: String(response.headers['replay-nonce']) });
      });
      request.on('error', reject);
      request.end(body);
    });
  }
});
