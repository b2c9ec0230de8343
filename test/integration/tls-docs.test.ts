// docs/tls.md: its commands, run as a reader would run them, and what a node then shows its clients.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ok, type RawBackend, startBackend } from '../helpers/backend.js';
import { createAuthority, selfSigned } from '../helpers/certs.js';
import { ourCommand } from '../helpers/compiled.js';
import { eventually } from '../helpers/eventually.js';
import { connectTlsClient } from '../helpers/raw-client.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';
import { tlsBind } from '../helpers/tls-bind.js';

const folder = mkdtempSync(join(tmpdir(), 'tls-docs-'));
const [put, encrypt, encryptAll, clientAuth] = [...readFileSync('docs/tls.md', 'utf8').matchAll(/^```\n([\s\S]*?)^```$/gm)].map(
  (found) => found[1] ?? '',
) as [string, string, string, string];
const secretFile = join(folder, 'etc', 'secret');
const pair = selfSigned('www.example.com');

let redis: TestRedis;
let backend: RawBackend;
let proxy: StartedProxy;

beforeAll(async () => {
  redis = await startRedis();
  backend = await startBackend(ok('inside'));
  mkdirSync(join(folder, 'etc'));
  for (const [name, text] of Object.entries({ 'chain.pem': pair.cert, 'ca.pem': createAuthority().cert, 'key.pem': pair.key }))
    writeFileSync(join(folder, name), text);
});
afterAll(async () => {
  await proxy?.close();
  await backend.close();
  await redis.stop();
  rmSync(folder, { recursive: true });
});

/** Runs a block in a folder that has the files which it names. */
function run(block: string): string {
  const program = ourCommand().join(' ');
  const command = block
    .replaceAll('/etc/cjs-proxy/secret', secretFile)
    .replaceAll('redis-cli ', `redis-cli -p ${redis.port} `)
    .replaceAll('cjs-proxy encrypt-key', `${program} encrypt-key`);
  const env = { PATH: process.env.PATH, CJS_PROXY_HTTPS_STORE_KEY_FILE: secretFile, CJS_PROXY_DRIVER: redis.url };
  return execFileSync('bash', ['-euo', 'pipefail', '-c', command], {
    cwd: folder,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function nameShown(servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port: proxy.securePort, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

it('its commands put a certificate, encrypt its key, encrypt all anew with another secret, and ask for client certificates', async () => {
  expect(run(put)).toBe('2\n');
  expect(run(encrypt)).toBe('0\n');
  const sealed = await redis.client.hget('tls:www.example.com', 'key');
  expect(sealed).toMatch(/^enc:v1:/);
  proxy = await startProxy({ driver: redis.url, https: [tlsBind()], httpsSettings: { storeKeyFile: secretFile } });
  expect(await nameShown('www.example.com')).toBe('www.example.com');
  await eventually('shared keys of tickets', () => redis.client.get('tickets:current'));

  // A newer secret before the one that was; what is in clear text, and what no secret fits.
  const old = readFileSync(secretFile, 'utf8');
  const newer = execFileSync('openssl', ['rand', '-base64', '32'], { encoding: 'utf8' });
  writeFileSync(secretFile, `${newer}${old}`);
  await redis.client.hset('tls:clear.example.com', { certificate: pair.cert, key: pair.key, note: 'kept' });
  expect(run(encryptAll)).toBe('3 encrypted\n');
  expect(run(encryptAll)).toBe('0 encrypted\n');
  expect(await redis.client.hget('tls:clear.example.com', 'note')).toBe('kept');
  const ids = [
    await redis.client.hget('tls:www.example.com', 'key'),
    await redis.client.hget('tls:clear.example.com', 'key'),
    await redis.client.get('tickets:current'),
  ].map((text) => text?.split(':')[2]);
  expect(new Set(ids).size).toBe(1);
  expect(ids[0]).not.toBe(sealed?.split(':')[2]);
  writeFileSync(secretFile, newer);
  await proxy.close();
  proxy = await startProxy({ driver: redis.url, https: [tlsBind()], httpsSettings: { storeKeyFile: secretFile } });
  expect(await nameShown('www.example.com')).toBe('www.example.com');

  await redis.client.rpush('frontend:api.example.com', 'id', backend.url);
  await redis.client.hset('tls:api.example.com', { certificate: pair.cert, key: pair.key });
  expect(run(clientAuth)).toBe('2\n');
  const client = await connectTlsClient(proxy.securePort, 'api.example.com');
  client.send('GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n');
  const answer = await client.response();
  expect([answer.status, answer.fields.get('x-cjs-proxy-error')]).toEqual([403, 'client-certificate-required']);
  client.close();
});

it('encrypt-key --all names what no secret fits, and leaves it as it is', async () => {
  const foreign = `enc:v1:00000000:${Buffer.alloc(64).toString('base64')}`;
  await redis.client.hset('tls:foreign.example.com', { certificate: pair.cert, key: foreign });
  expect(() => run(encryptAll)).toThrow('tls:foreign.example.com: key is encrypted with the secret 00000000');
  expect(await redis.client.hget('tls:foreign.example.com', 'key')).toBe(foreign);
});
