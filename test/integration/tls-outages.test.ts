// Handshakes while the store does not reply: known names have their certificates, others are not kept waiting.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { createProxy } from '../../src/proxy/create-proxy.js';
import { selfSigned } from '../helpers/certs.js';
import { recordingLogger } from '../helpers/recording-logger.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { testConfig } from '../helpers/start-proxy.js';
import { pairFiles, tlsBind } from '../helpers/tls-bind.js';

const folder = mkdtempSync(join(tmpdir(), 'tls-outages-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Milliseconds that a command may take. */
const timeout = 4_000;

/** The first name of the certificate that a name is shown, or why it is shown none; and how many milliseconds that took. */
function shown(port: number, servername: string): Promise<{ readonly name: string; readonly took: number }> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false });
    const end = (name: string): void => {
      resolve({ name, took: performance.now() - begun });
      socket.destroy();
    };
    socket.once('secureConnect', () => end(String(socket.getPeerCertificate().subject.CN)));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

async function start(withFile: boolean): Promise<{ readonly redis: TestRedis; readonly port: number }> {
  const redis = await startRedis();
  onTestFinished(async () => {
    redis.resume();
    await redis.stop();
  });
  const { key, cert } = selfSigned('kept');
  await redis.client.hset('tls:kept.example.com', 'certificate', cert, 'key', key);
  const file = withFile ? pairFiles(folder, selfSigned('file'), 'file') : {};
  const config = testConfig({ driver: redis.url, https: [tlsBind(file)] });
  const settings = { ...config, redis: { ...config.redis, timeout, lookupWait: 30 } };
  const proxy = await createProxy(settings, { logger: recordingLogger().logger });
  onTestFinished(() => proxy.close());
  const port = proxy.addresses.find(({ secure }) => secure)!.port;
  expect((await shown(port, 'kept.example.com')).name).toBe('kept');
  // Of a worker that has looked up less nothing is usual.
  for (let at = 0; at < 4; at += 1) await shown(port, `warm-${at}.example.com`);
  return { redis, port };
}

describe('while Redis stands still, and nobody has noticed yet', () => {
  it.each([
    ['the certificate of the file', true, 'file'],
    ['an alert', false, 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME'],
  ])(
    'a name that was never asked for is answered with %s, a known one with its own',
    async (what, withFile, expected) => {
      const { redis, port } = await start(withFile);
      redis.pause();
      const strangers: number[] = [];
      for (let at = 0; at < 10; at += 1) {
        const { name, took } = await shown(port, `stranger-${at}.example.com`);
        expect(name).toBe(expected);
        strangers.push(took);
      }
      const known = await shown(port, 'kept.example.com');
      expect(known.name).toBe('kept');
      const flood = await Promise.all(Array.from({ length: 200 }, (_, at) => shown(port, `flood-${at}.example.com`)));
      expect(new Set(flood.map(({ name }) => name))).toEqual(new Set([expected]));
      const longest = Math.max(...strangers);
      process.stdout.write(
        `Redis stands still: strangers get ${what} within ${longest.toFixed(1)} ms, a known name within ${known.took.toFixed(1)} ms\n`,
      );
      // Nobody waits for as long as a command may take.
      expect(Math.max(longest, known.took)).toBeLessThan(timeout / 4);
      redis.resume();
      const { key, cert } = selfSigned('later');
      await redis.client.hset('tls:later.example.com', 'certificate', cert, 'key', key);
      await expect.poll(async () => (await shown(port, 'later.example.com')).name, { timeout: 10_000 }).toBe('later');
    },
    30_000,
  );
});
