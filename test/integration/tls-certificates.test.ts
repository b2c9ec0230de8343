// Certificates of the store: which one a name gets, how a change reaches the next handshake, and what a broken one does.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KeyVault } from '../../src/certs/key-vault.js';
import type { HttpsConfig, TlsBind } from '../../src/config/config.js';
import { ok, startBackend } from '../helpers/backend.js';
import { type KeyAndCert, selfSigned } from '../helpers/certs.js';
import { eventually } from '../helpers/eventually.js';
import { opensslPair, sClient } from '../helpers/openssl.js';
import { connectTlsClient } from '../helpers/raw-client.js';
import { type LogLine, recordingLogger } from '../helpers/recording-logger.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { type StartedProxy, startProxy } from '../helpers/start-proxy.js';
import { pairFiles, tlsBind } from '../helpers/tls-bind.js';

let redis: TestRedis;
let proxy: StartedProxy | null = null;
let lines: readonly LogLine[] = [];
const folder = mkdtempSync(join(tmpdir(), 'tls-certificates-'));

beforeAll(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  await proxy?.close();
  proxy = null;
  await redis.client.flushall();
});
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true });
});

function bindWith(pair: KeyAndCert | null, more: Partial<TlsBind> = {}): TlsBind {
  return tlsBind({ ...(pair === null ? {} : pairFiles(folder, pair, 'file')), ...more });
}

async function start(
  file: KeyAndCert | null = null,
  https: Partial<HttpsConfig> = {},
  more: Partial<TlsBind> = {},
): Promise<number> {
  const recording = recordingLogger();
  lines = recording.lines;
  const overrides = { driver: redis.url, https: [bindWith(file, more)], httpsSettings: https };
  proxy = await startProxy(overrides, { logger: recording.logger });
  return proxy.securePort;
}

/** The first name of the certificate that a name is shown; rejects when the handshake fails. */
function nameShown(port: number, servername: string, options: tls.ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false, ...options }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

async function store(name: string, { key, cert }: KeyAndCert): Promise<void> {
  await redis.client.hset(`tls:${name}`, 'certificate', cert, 'key', key);
}

function logged(level: string, name: string): string {
  return lines
    .filter((line) => line.level === level && line.msg.startsWith(`tls:${name}:`))
    .map(({ msg }) => msg)
    .join('\n');
}

describe('a name', () => {
  it('gets its own certificate, else that of its wildcard, else that of *, else that of the file', async () => {
    const port = await start(selfSigned('file'));
    expect(await nameShown(port, 'a.example.com')).toBe('file');
    await store('a.example.com', selfSigned('exact'));
    await store('*.example.com', selfSigned('wildcard'));
    await eventually('the exact one', async () => (await nameShown(port, 'a.example.com')) === 'exact');
    expect(await nameShown(port, 'A.Example.COM')).toBe('exact');
    expect(await nameShown(port, 'b.example.com')).toBe('wildcard');
    // A wildcard stands for one label.
    expect(await nameShown(port, 'c.b.example.com')).toBe('file');
    await store('*', selfSigned('default'));
    await eventually('the default', async () => (await nameShown(port, 'c.b.example.com')) === 'default');
    expect(await nameShown(port, '')).toBe('default');
  });

  it('without any is refused by the alert for unknown names', async () => {
    const port = await start();
    expect(await sClient(port, ['-servername', 'nobody.example.com'])).toContain('unrecognized name');
  });

  it('is shown a certificate that openssl and curl verify by its chain', async () => {
    const pair = opensslPair(['chain.example.com']);
    const port = await start();
    await store('chain.example.com', pair);
    const ca = join(folder, 'chain.pem');
    writeFileSync(ca, pair.cert);
    const seen = await sClient(port, [
      '-servername',
      'chain.example.com',
      '-CAfile',
      ca,
      '-verify_hostname',
      'chain.example.com',
    ]);
    expect(seen).toContain('Verify return code: 0 (ok)');
  });

  it('has an ECDSA and an RSA pair side by side', async () => {
    const port = await start();
    const ec = opensslPair(['both.example.com']);
    const rsa = opensslPair(['both.example.com'], { type: 'rsa' });
    const fields = { certificate: ec.cert, key: ec.key, certificate2: rsa.cert, key2: rsa.key };
    await redis.client.hset('tls:both.example.com', fields);
    const args = ['-servername', 'both.example.com'];
    expect(await sClient(port, args)).toContain('Peer signature type: ECDSA');
    expect(await sClient(port, [...args, '-sigalgs', 'rsa_pss_rsae_sha256'])).toContain('Peer signature type: RSA-PSS');
    expect(await sClient(port, [...args, '-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'])).toContain(
      'Peer signature type: RSA',
    );
  });

  it('is served with keys that are encrypted in the store, by any of several secrets', async () => {
    const [old, current] = [randomBytes(32).toString('base64'), randomBytes(32).toString('hex')];
    const file = join(folder, 'secrets');
    writeFileSync(file, `# the one before\n${old}\n`);
    const port = await start(null, { storeKeys: [current], storeKeyFile: file });
    for (const [name, secret] of [
      ['old.example.com', old],
      ['new.example.com', current],
    ] as const) {
      const { key, cert } = selfSigned(name);
      const sealed = new KeyVault([secret]).seal(`tls:${name}`, key);
      expect(sealed).not.toContain('PRIVATE');
      await store(name, { key: sealed, cert });
      expect(await nameShown(port, name)).toBe(name);
    }
    const { key, cert } = selfSigned('moved');
    await store('moved.example.com', { key: new KeyVault([current]).seal('tls:other.example.com', key), cert });
    await expect(nameShown(port, 'moved.example.com')).rejects.toThrow();
    expect(logged('error', 'moved.example.com')).toContain('key cannot be decrypted');
  });
});

describe('a change', () => {
  it('reaches the handshake that begins 20 ms later, and leaves running connections alone', async () => {
    const port = await start();
    const backend = await startBackend(ok('still here'));
    await redis.client.rpush('frontend:live.example.com', 'id', backend.url);
    await store('live.example.com', selfSigned('one'));
    const client = await connectTlsClient(port, 'live.example.com');
    for (let turn = 0; turn < 5; turn++) {
      await store('live.example.com', selfSigned(`turn ${turn}`));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await nameShown(port, 'live.example.com')).toBe(`turn ${turn}`);
    }
    client.send('GET / HTTP/1.1\r\nHost: live.example.com\r\n\r\n');
    expect((await client.response()).text).toBe('still here');
    client.close();
    await redis.client.del('tls:live.example.com');
    await eventually('the certificate to be gone', () =>
      nameShown(port, 'live.example.com').then(
        () => false,
        () => true,
      ),
    );
    await backend.close();
  });

  it('waits for nobody: what is known is served while Redis is away', async () => {
    const own = await startRedis();
    proxy = await startProxy({ driver: own.url, https: [bindWith(selfSigned('file'))] });
    const { key, cert } = selfSigned('kept');
    await own.client.hset('tls:kept.example.com', 'certificate', cert, 'key', key);
    expect(await nameShown(proxy.securePort, 'kept.example.com')).toBe('kept');
    await own.stop();
    await eventually('the loss', () => proxy?.proxy.store.state === 'away');
    expect(await nameShown(proxy.securePort, 'kept.example.com')).toBe('kept');
    expect(await nameShown(proxy.securePort, 'never-seen.example.com')).toBe('file');
  });
});

describe('what is wrong with a certificate is logged with the name and the reason, and harms no other name:', () => {
  const good = selfSigned('good.example.com');
  const other = selfSigned('other.example.com');
  const refused: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ['no PEM at all', { certificate: 'hello', key: good.key }, 'certificate holds no certificate in PEM form'],
    [
      'a damaged certificate',
      { certificate: good.cert.replace(/\n(.{20})/, '\nAAAA$1'), key: good.key },
      'certificate cannot be read: certificate 1 of 1',
    ],
    ['a key that is none', { certificate: good.cert, key: 'secret text' }, 'key holds no private key in PEM form'],
    ['a key that does not fit', { certificate: good.cert, key: other.key }, 'key does not fit certificate'],
    [
      'a chain in the wrong order',
      { certificate: other.cert + good.cert, key: good.key },
      'certificate must begin with the certificate of key',
    ],
    ['a missing key', { certificate: good.cert }, 'key is missing, certificate is there'],
    [
      'a key with a passphrase',
      { certificate: good.cert, key: good.key.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE') },
      'key is locked by a passphrase',
    ],
  ];

  it.each(refused)('%s', async (_what, fields, reason) => {
    const port = await start();
    await store('fine.example.com', selfSigned('fine'));
    await redis.client.hset('tls:bad.example.com', fields);
    await expect(nameShown(port, 'bad.example.com')).rejects.toThrow();
    expect(logged('error', 'bad.example.com')).toContain(reason);
    expect(lines.map(({ msg }) => msg).join('\n')).not.toMatch(/secret text|PRIVATE/);
    expect(await nameShown(port, 'fine.example.com')).toBe('fine');
    await store('*.example.com', selfSigned('wildcard'));
    await eventually('the wildcard to step in', () =>
      nameShown(port, 'bad.example.com').then(
        (name) => name === 'wildcard',
        () => false,
      ),
    );
  });

  it('a key of the wrong type', async () => {
    const port = await start();
    await redis.client.set('tls:text.example.com', 'no hash');
    await expect(nameShown(port, 'text.example.com')).rejects.toThrow();
    expect(logged('error', 'text.example.com')).toContain('has the wrong type');
  });

  it('one that expired, is not valid yet, or is made for another name is served all the same, with a warning', async () => {
    const port = await start();
    await store('old.example.com', opensslPair(['old.example.com'], { from: -9, until: -2 }));
    await store('young.example.com', opensslPair(['young.example.com'], { from: 2, until: 9 }));
    await store('wrong.example.com', opensslPair(['right.example.com']));
    expect(await nameShown(port, 'old.example.com')).toBe('old.example.com');
    expect(await nameShown(port, 'young.example.com')).toBe('young.example.com');
    expect(await nameShown(port, 'wrong.example.com')).toBe('right.example.com');
    expect(logged('warn', 'old.example.com')).toMatch(/certificate expired on \d{4}-/);
    expect(logged('warn', 'young.example.com')).toMatch(/certificate is not valid before \d{4}-/);
    expect(logged('warn', 'wrong.example.com')).toContain('not made for wrong.example.com, only for DNS:right.example.com');
  });

  it('one that expired gives way to a wildcard that has not', async () => {
    const port = await start();
    await store('old.example.com', opensslPair(['old.example.com'], { from: -9, until: -2 }));
    await store('*.example.com', opensslPair(['*.example.com']));
    const shown = () => nameShown(port, 'old.example.com').catch(() => '');
    await eventually('the wildcard', async () => (await shown()) === '*.example.com');
  });
});

describe('the presets', () => {
  it('modern speaks TLS 1.3 alone, intermediate 1.2 too', async () => {
    const modern = await start(selfSigned('file'), {}, { preset: 'modern' });
    expect(await sClient(modern, ['-servername', 'a.example.com'])).toContain('TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256');
    expect(await sClient(modern, ['-servername', 'a.example.com', '-tls1_2'])).toContain('alert protocol version');
    await proxy?.close();
    const intermediate = await start(selfSigned('file'));
    expect(await sClient(intermediate, ['-servername', 'a', '-tls1_2'])).toContain('Cipher is ECDHE-ECDSA-AES128-GCM-SHA256');
    expect(await sClient(intermediate, ['-servername', 'a', '-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA'])).toContain(
      'handshake failure',
    );
    expect(await sClient(intermediate, ['-servername', 'a', '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'])).toContain(
      'alert protocol version',
    );
  });
});
