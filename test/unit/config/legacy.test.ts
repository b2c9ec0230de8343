import { describe, expect, test } from 'vitest';
import { faultAt, loadingError, loadSettings } from '../../helpers/config-file.js';

function deprecated(key: string, replacement: string): string {
  return `WARNING! \`${key}\` is deprecated. Please use \`${replacement}\` instead.`;
}
const everywhere = expect.stringContaining('`server.address` is absent: listening on all interfaces');

describe('listening in the spelling of Hipache 0.3.1', () => {
  test('server.port is the port of HTTP, and without an address all interfaces are taken', () => {
    const { http, https, warnings } = loadSettings({ server: { port: 8080 } });
    expect(http.bind).toEqual([{ address: '::', port: 8080 }]);
    expect(https.bind).toEqual([]);
    expect(warnings).toEqual([deprecated('server.port', 'http.port'), everywhere]);
  });

  test('server.address without server.https is no error and means HTTP alone', () => {
    const { http, https, warnings } = loadSettings({ server: { port: 80, address: ['127.0.0.1', '::1'] } });
    expect(http.bind).toEqual([
      { address: '127.0.0.1', port: 80 },
      { address: '::1', port: 80 },
    ]);
    expect(https.bind).toEqual([]);
    expect(warnings).toEqual([deprecated('server.port', 'http.port'), deprecated('server.address', 'http.bind')]);
  });

  test('server.address may be one text', () => {
    expect(loadSettings({ server: { address: '10.0.0.1' } }).http.bind).toEqual([{ address: '10.0.0.1', port: 80 }]);
  });

  test('server.https without server.address turns HTTPS on, and HTTP stays on all interfaces', () => {
    const { http, https, warnings } = loadSettings({ server: { port: 80, https: { port: 4430, key: '/k', cert: '/c' } } });
    expect(http.bind).toEqual([{ address: '::', port: 80 }]);
    expect(https.bind).toMatchObject([{ address: '::', port: 4430, key: '/k', cert: '/c', minVersion: 'TLSv1.2' }]);
    expect(warnings).toContain(deprecated('server.https', 'https'));
  });

  test('server.address is meant for HTTP and for HTTPS', () => {
    const { http, https } = loadSettings({
      server: { address: ['127.0.0.1', '10.0.0.1'], https: { key: '/k', cert: '/c', passphrase: 'p', ca: '/ca' } },
    });
    expect(http.bind.map(({ address }) => address)).toEqual(['127.0.0.1', '10.0.0.1']);
    expect(https.bind).toMatchObject([
      { address: '127.0.0.1', port: 443, passphrase: 'p', ca: ['/ca'] },
      { address: '10.0.0.1', port: 443, passphrase: 'p', ca: ['/ca'] },
    ]);
  });

  test('server.address6 adds to server.address, or to all IPv4 interfaces', () => {
    expect(
      loadSettings({ server: { address: ['10.0.0.1'], address6: ['::1'] } }).http.bind.map(({ address }) => address),
    ).toEqual(['10.0.0.1', '::1']);
    const { http, warnings } = loadSettings({ server: { port: 80, address6: '::1' } });
    expect(http.bind.map(({ address }) => address)).toEqual(['0.0.0.0', '::1']);
    expect(warnings).toContain(deprecated('server.address6', 'http.bind'));
  });

  test('keys of today win, and the older one is said to have no effect', () => {
    const { http, warnings } = loadSettings({
      server: { port: 1, address: ['10.0.0.1'], https: { port: 2 } },
      http: { port: 8080, bind: '127.0.0.1' },
      https: { port: 3 },
    });
    expect(http.bind).toEqual([{ address: '127.0.0.1', port: 8080 }]);
    expect(warnings).toEqual([
      deprecated('server.port', 'http.port'),
      'WARNING! `server.port` has no effect: `http.port` is set too.',
      deprecated('server.https', 'https'),
      'WARNING! `server.https` has no effect: `https` is set too.',
      deprecated('server.address', 'http.bind'),
      'WARNING! `server.address` has no effect on HTTP: `http.bind` is set too.',
    ]);
  });

  test('the environment wins over older spellings', () => {
    const env = { CJS_PROXY_HTTP_PORT: '9000', CJS_PROXY_HTTP_BIND: '127.0.0.1' };
    expect(loadSettings({ server: { port: 80, address: ['::'] } }, { env }).http.bind).toEqual([
      { address: '127.0.0.1', port: 9000 },
    ]);
  });

  test('faults name the key that was written', () => {
    expect(faultAt('server.port', { server: { port: 'abc' } })).toMatchObject({ value: '"abc"' });
    expect(faultAt('server.address[1].address', { server: { address: ['::', 'nowhere'] } })).toMatchObject({
      value: '"nowhere"',
    });
    expect(faultAt('server.https.key', { server: { https: { cert: '/c' } } })).toMatchObject({ kind: 'missing' });
    expect(faultAt('server.https.pfx', { server: { https: { key: '/k', cert: '/c', pfx: 'x' } } })).toMatchObject({
      kind: 'unknown',
    });
    expect(faultAt('server.https', { server: { https: true } })).toMatchObject({ allowed: 'an object' });
  });

  test('a file of today keeps its own default, 127.0.0.1', () => {
    expect(loadSettings({ http: { port: 8080 } })).toMatchObject({
      http: { bind: [{ address: '127.0.0.1', port: 8080 }] },
      warnings: [],
    });
    expect(loadSettings({ http: {}, redisHost: 'a' }).http.bind).toEqual([{ address: '127.0.0.1', port: 80 }]);
  });
});

describe('Redis in older spellings', () => {
  test('redisHost, redisPort, redisDatabase and redisPassword are the driver', () => {
    const { driver, warnings } = loadSettings({
      redisHost: '10.0.0.5',
      redisPort: 6380,
      redisDatabase: 2,
      redisPassword: 'p@s:s',
      http: {},
    });
    expect(driver.read).toBe('redis://:p%40s%3As@10.0.0.5:6380/2');
    expect(driver.write).toBe(driver.read);
    expect(warnings).toEqual(
      ['redisHost', 'redisPort', 'redisDatabase', 'redisPassword'].map((key) => deprecated(key, 'driver')),
    );
  });

  test('each of them alone has the defaults for the rest', () => {
    expect(loadSettings({ redisPort: 6380 }).driver.read).toBe('redis://127.0.0.1:6380');
    expect(loadSettings({ redisDatabase: '3' }).driver.read).toBe('redis://127.0.0.1:6379/3');
    expect(loadSettings({ redisHost: '::1', redisPassword: '' }).driver.read).toBe('redis://[::1]:6379');
  });

  test('redisMasterHost and its siblings are the write side', () => {
    const { driver, warnings } = loadSettings({
      redisHost: 'replica',
      redisMasterHost: 'main',
      redisMasterPort: 6380,
      redisMasterDatabase: 1,
      redisMasterPassword: 'pw',
    });
    expect(driver).toEqual({ read: 'redis://replica:6379', write: 'redis://:pw@main:6380/1' });
    expect(warnings).toContain(deprecated('redisMasterHost', 'driver'));
    expect(loadSettings({ redisMasterPort: 6380 }).driver).toEqual({
      read: 'redis://127.0.0.1:6379',
      write: 'redis://127.0.0.1:6380',
    });
  });

  test("cjs-proxy's redis section is honoured", () => {
    const { driver, redis, warnings } = loadSettings({
      redis: { host: '10.0.0.5', port: '6380', password: 'pw', db: 4, cacheEntries: 10 },
      http: {},
    });
    expect(driver.read).toBe('redis://:pw@10.0.0.5:6380/4');
    expect(redis.cacheEntries).toBe(10);
    expect(warnings).toEqual(['redis.host', 'redis.port', 'redis.db', 'redis.password'].map((key) => deprecated(key, 'driver')));
  });

  test('a driver wins over them, and they are said to have no effect', () => {
    const { driver, warnings } = loadSettings({ driver: 'redis://today', redisHost: 'old', http: {} });
    expect(driver.read).toBe('redis://today:6379');
    expect(warnings).toEqual([deprecated('redisHost', 'driver'), 'WARNING! `redisHost` has no effect: `driver` is set too.']);
  });

  test('a file with them alone listens on all interfaces', () => {
    const { http, warnings } = loadSettings({ redisHost: 'a' });
    expect(http.bind).toEqual([{ address: '::', port: 80 }]);
    expect(warnings).toContainEqual(everywhere);
  });

  test.each<[string, unknown]>([
    ['redisHost', { redisHost: 5 }],
    ['redisHost', { redisHost: 'a b' }],
    ['redisPort', { redisPort: 'abc' }],
    ['redisPort', { redisPort: 0 }],
    ['redisDatabase', { redisDatabase: -1 }],
    ['redisMasterPort', { redisMasterPort: 70_000 }],
    ['redis.port', { redis: { host: 'a', port: {} } }],
    ['redis.hosst', { redis: { hosst: 'a' } }],
  ])('a wrong %s is refused by its own name', (path, content) => {
    expect(faultAt(path, content).path).toBe(path);
  });
});

describe('other older keys', () => {
  test('server.errorMaxRetries is retryOnError', () => {
    const { server, warnings } = loadSettings({ server: { errorMaxRetries: 7 } });
    expect(server.retryOnError).toBe(7);
    expect(warnings).toEqual([deprecated('server.errorMaxRetries', 'server.retryOnError')]);
  });

  test.each(['size', 'Size'])('server.lruCache.%s bounds the cache, and its ttl has no effect', (size) => {
    const { redis, warnings } = loadSettings({ server: { lruCache: { [size]: 500, ttl: 5 } } });
    expect(redis.cacheEntries).toBe(500);
    expect(warnings).toEqual([
      deprecated(`server.lruCache.${size}`, 'redis.cacheEntries'),
      expect.stringContaining('`server.lruCache.ttl` has no effect'),
    ]);
  });

  test('a server.lruCache that was off leaves the default', () => {
    for (const lruCache of [{ size: 0 }, {}, null, false]) {
      expect(loadSettings({ server: { lruCache } })).toMatchObject({ redis: { cacheEntries: 100_000 }, warnings: [] });
    }
  });

  test('a wrong server.lruCache is refused', () => {
    expect(faultAt('server.lruCache.sizes', { server: { lruCache: { sizes: 1 } } })).toMatchObject({
      nearest: 'server.lruCache.size',
    });
    expect(faultAt('server.lruCache', { server: { lruCache: 5 } })).toMatchObject({ kind: 'wrong', value: '5' });
    expect(faultAt('server.lruCache.size', { server: { lruCache: { size: 'big' } } })).toMatchObject({ value: '"big"' });
  });

  test('their faults are told together with all others', () => {
    const { faults } = loadingError({ redisPort: 'x', server: { port: 'y', lruCache: 5, wrokers: 1 } });
    expect(faults.map(({ path }) => path).sort()).toEqual(['redisPort', 'server.lruCache', 'server.port', 'server.wrokers']);
  });
});
