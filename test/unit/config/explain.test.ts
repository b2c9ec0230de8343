import { describe, expect, test } from 'vitest';
import { describeConfig } from '../../../src/config/explain.js';
import { loadSettings } from '../../helpers/config-file.js';

function described(content: unknown): { text: string; source: string; config: Record<string, unknown> } {
  const text = describeConfig(loadSettings(content));
  const [first, ...rest] = text.split('\n');
  expect(first).toBe('Configuration file looks ok. Here is the result:');
  return { text, ...JSON.parse(rest.join('\n')) };
}

describe('the description of a configuration', () => {
  test('hides passwords and passphrases', () => {
    const { text, config } = described({
      driver: ['redis://user:secret@a/1#p:', 'rediss://:secret@b'],
      https: { bind: ['::'], key: '/k', cert: '/c', passphrase: 'secret' },
      server: { stickySecret: 'a secret of some length' },
    });
    expect(text).not.toContain('secret');
    expect(config).toMatchObject({
      driver: ['redis://user:CENSORED@a:6379/1#p:', 'rediss://:CENSORED@b:6379#p:'],
      https: { bind: [{ key: '/k', cert: '/c', passphrase: 'CENSORED' }] },
    });
  });

  test('hides the passwords of older spellings', () => {
    for (const content of [
      { redisPassword: 'secret' },
      { redis: { password: 'secret' } },
      { 'write-redis-password': 'secret' },
    ]) {
      expect(described(content).text).not.toContain('secret');
    }
  });

  test('is in the units of the file', () => {
    const { config } = described({
      server: { tcpTimeout: '2m', connectTimeout: '500ms', deadBackendTTL: 45, maxHeadBytes: '16KiB', maxLineBytes: '8K' },
    });
    expect(config.server).toMatchObject({ idleTimeout: 120, connectTimeout: 0.5, deadBackendTTL: 45, maxHeadBytes: 16_384 });
    expect(config.redis).toEqual({
      cacheEntries: 100_000,
      timeout: 1,
      maxStale: 0,
      lookupWait: 0.03,
      emptyMeans: 'trust',
      ca: [],
    });
  });

  test('loads to the same configuration again', () => {
    const config = loadSettings({
      server: { port: 8080, workers: 3, tcpTimeout: 7, lruCache: { size: 5 }, https: { key: '/k', cert: '/c', ca: '/ca' } },
      redisHost: 'a',
      redisMasterHost: 'b',
      trustedProxies: ['10.0.0.0/8'],
    });
    const again = loadSettings(JSON.parse(describeConfig(config).replace(/^.*\n/, '')).config);
    expect({ ...again, source: config.source }).toEqual({ ...config, warnings: [] });
  });
});
