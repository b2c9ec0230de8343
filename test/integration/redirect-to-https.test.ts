// Requirements D.2 10 and B.6 with a real TLS listener: the port in the redirect is the one that it listens on.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TlsBind } from '../../src/config/config.js';
import { ok, type RawBackend, startBackend } from '../helpers/backend.js';
import { selfSigned } from '../helpers/certs.js';
import { connectClient, connectTlsClient, type RawResponse } from '../helpers/raw-client.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';

const host = 'secure.example.com';
let dir: string;
let backend: RawBackend;
let proxy: StartedProxy;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cjs-proxy-https-'));
  const { key, cert } = selfSigned(host);
  await writeFile(join(dir, 'key.pem'), key);
  await writeFile(join(dir, 'cert.pem'), cert);
  backend = await startBackend(ok('inside'));
  const bind: TlsBind = {
    address: '127.0.0.1',
    port: 0,
    key: join(dir, 'key.pem'),
    cert: join(dir, 'cert.pem'),
    ca: [],
    passphrase: '',
    ciphers: '',
    honorCipherOrder: false,
    minVersion: 'TLSv1.2',
    preset: 'intermediate',
  };
  proxy = await startProxy({ https: [bind] });
  await proxy.proxy.store.writeFrontend(host, 'id', [backend.url]);
});

afterAll(async () => {
  await proxy.close();
  await backend.close();
  await rm(dir, { recursive: true });
});

async function ask(secure: boolean): Promise<RawResponse> {
  const client = secure ? await connectTlsClient(proxy.securePort, host) : await connectClient(proxy.port);
  client.send(`GET /x?y HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const answer = await client.response();
  client.close();
  return answer;
}

it.each(['autoHttps', 'requireHttps'])(
  '%s sends plain requests to the port of the TLS listener, and serves them there (D.2 10, B.6)',
  async (field) => {
    await proxy.proxy.store.writeRecord('route', host, [field, 'true']);
    const plain = await ask(false);
    expect([plain.status, plain.fields.get('location')]).toEqual([308, `https://${host}:${proxy.securePort}/x?y`]);
    expect((await ask(true)).text).toBe('inside');
  },
);
