import { describe, expect, test } from 'vitest';
import { faultAt, loadingError, loadSettings, writeConfigFile } from '../../helpers/config-file.js';

describe('an unknown key', () => {
  test.each<[string, unknown, string]>([
    ['server.worker', { server: { worker: 1 } }, 'server.workers'],
    ['server.tcptimeout', { server: { tcptimeout: 1 } }, 'server.tcpTimeout'],
    ['server.bind', { server: { bind: '::' } }, 'http.bind'],
    ['drivers', { drivers: 'redis:' }, 'driver'],
    ['htpp', { htpp: {} }, 'http'],
    ['port', { port: 80 }, 'http.port'],
    ['engine', { engine: 'http-proxy' }, 'server.engine'],
    ['redis.cacheEntry', { redis: { cacheEntry: 1 } }, 'redis.cacheEntries'],
    ['http.bind[1].prot', { http: { bind: ['::1', { address: '::', prot: 1 }] } }, 'http.bind.port'],
    ['https.bind[0].certt', { https: { bind: [{ address: '::', certt: 'x' }] } }, 'https.bind.cert'],
    ['https.kye', { https: { kye: 'x' } }, 'https.key'],
  ])('%s is refused with the nearest known one', (path, content, nearest) => {
    expect(faultAt(path, content)).toMatchObject({ kind: 'unknown', nearest });
  });

  test('that resembles nothing is refused without a guess', () => {
    const fault = faultAt('colour', { colour: 'blue' });
    expect(fault).toMatchObject({ kind: 'unknown' });
    expect(fault.nearest).toBeUndefined();
  });

  test('called __proto__ is one as well', () => {
    expect(faultAt('__proto__', '{"__proto__": {"server": {}}}')).toMatchObject({ kind: 'unknown' });
  });
});

describe('a wrong value', () => {
  test.each<[string, unknown, string, string]>([
    ['server.workers', { server: { workers: 'ten' } }, '"ten"', 'a whole number from 0 to 1024, or "auto"'],
    ['server.workers', { server: { workers: -1 } }, '-1', 'a whole number from 0 to 1024, or "auto"'],
    ['server.retryOnError', { server: { retryOnError: 1.5 } }, '1.5', 'a whole number from 0 to 100'],
    ['server.tcpTimeout', { server: { tcpTimeout: 'soon' } }, '"soon"', 'seconds from 0'],
    ['server.tcpTimeout', { server: { tcpTimeout: -5 } }, '-5', 'seconds from 0'],
    ['server.tcpTimeout', { server: { tcpTimeout: null } }, 'null', 'seconds from 0'],
    ['server.deadBackendTTL', { server: { deadBackendTTL: '500ms' } }, '"500ms"', 'whole seconds from 1'],
    ['server.maxHeadBytes', { server: { maxHeadBytes: '1 furlong' } }, '"1 furlong"', 'bytes from 1024'],
    ['server.debug', { server: { debug: 'yes' } }, '"yes"', 'true or false'],
    [
      'server.strategy',
      { server: { strategy: 'random' } },
      '"random"',
      '"RANDOM", "ROUND_ROBIN", "IP_HASH", "LEAST_LATENCY", "LEAST_CONNECTIONS", "HASH"',
    ],
    ['server.accessLog', { server: { accessLog: '' } }, '""', 'the path of a file, "stdout"'],
    ['server.staticDir', { server: { staticDir: 5 } }, '5', 'the path of a folder, or null'],
    ['server', { server: [] }, 'a list', 'an object'],
    ['http', { http: null }, 'null', 'an object'],
    ['http.port', { http: { port: 70_000 } }, '70000', 'from 0 to 65535'],
    ['http.bind[0].address', { http: { bind: 'example.com' } }, '"example.com"', 'an IP address'],
    ['http.bind[1].address', { http: { bind: ['::', '1.2.3'] } }, '"1.2.3"', 'an IP address'],
    ['http.bind[0].address', { http: { bind: ['1.2.3.4:99999'] } }, '"1.2.3.4:99999"', 'an IP address'],
    ['http.bind[0]', { http: { bind: [8080] } }, '8080', 'an IP address'],
    ['http.bind[0].port', { http: { bind: [{ address: '::', port: -1 }] } }, '-1', 'a port from 0 to 65535'],
    ['https.minVersion', { https: { minVersion: 'TLSv1' } }, '"TLSv1"', '"TLSv1.2", "TLSv1.3"'],
    ['driver', { driver: [] }, 'a list', 'a driver URL'],
    ['driver', { driver: 5 }, '5', 'a driver URL'],
    ['driver[0]', { driver: 'memcached://h' }, '"memcached://h"', 'move its records to Redis'],
    ['driver[1]', { driver: ['redis:', 'memcached://h'] }, '"memcached://h"', 'does not have'],
    ['redis.timeout', { redis: { timeout: 1_000 } }, '1000', 'seconds from 0.01 to 300'],
    ['trustedProxies[0]', { trustedProxies: 'private' }, '"private"', 'addresses and ranges'],
    ['trustedProxies[1]', { trustedProxies: ['::1', '10.0.0.0/33'] }, '"10.0.0.0/33"', 'addresses and ranges'],
    ['user', { user: 'a b' }, '"a b"', 'a name or a number'],
    ['logLevel', { logLevel: 'trace' }, '"trace"', '"debug", "info"'],
  ])('at %s is refused with what is allowed (%j)', (path, content, value, allowed) => {
    const fault = faultAt(path, content);
    expect(fault).toMatchObject({ kind: 'wrong', value });
    expect(fault.allowed).toContain(allowed);
  });

  test('breaks a rule between settings', () => {
    expect(faultAt('server.maxLineBytes', { server: { maxHeadBytes: 8_192 } })).toMatchObject({
      value: '16384',
      allowed: 'at most server.maxHeadBytes, 8192',
    });
    expect(faultAt('http.bind', { http: { bind: [] } })).toMatchObject({
      allowed: 'at least one address, here or in https.bind, or a stream',
    });
    expect(faultAt('http.bind[1]', { http: { bind: ['::', { address: '::', port: 80 }] } })).toMatchObject({ value: '[::]:80' });
    const tls = { bind: '127.0.0.1', port: 80, key: 'k', cert: 'c' };
    expect(faultAt('https.bind[0]', { https: tls })).toMatchObject({ value: '127.0.0.1:80' });
  });

  test('that is long is cut, and its control characters are escaped', () => {
    expect(faultAt('user', { user: `\n${'x'.repeat(500)}` }).value).toMatch(/^"\\nx{70,}…$/);
  });
});

describe('the error', () => {
  test('has one line for each fault, with the file in front', () => {
    const file = writeConfigFile({ server: { worker: 1, tcpTimeout: 'soon' }, http: { bind: [{ port: 1 }] } });
    const { message, faults } = loadingError({}, { file });
    expect(faults).toHaveLength(3);
    expect(message.split('\n').sort()).toEqual([
      `${file}: http.bind[0].address is missing; needed is an IP address such as 127.0.0.1, 0.0.0.0 or ::`,
      `${file}: server.tcpTimeout is "soon"; allowed is seconds from 0 to 2147483, or text such as "30s", "500ms", "2m"`,
      `${file}: server.worker is not a known setting; the nearest known one is server.workers`,
    ]);
  });

  test('never shows a secret', () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nsecret';
    const contents: unknown[] = [
      { driver: 'redis://:secret@h:99999' },
      { driver: ['redis://user:secret'] },
      { driver: { password: 'secret' } },
      { https: { passphrase: ['secret'], bind: [{ address: '::', passphrase: 5, key: pem }] } },
      { https: [{ passphrase: 'secret' }] },
      { https: { key: pem, cert: pem, ca: pem } },
      { redisPasword: 'secret' },
      { redisPassword: { text: 'secret' } },
      { 'read-redis-password': ['secret'] },
      { redis: { host: '', password: ['secret'] } },
      { server: { stickySecret: 'secret' } },
    ];
    for (const content of contents) expect(loadingError(content).message).not.toContain('secret');
    expect(loadingError({}, { env: { CJS_PROXY_SERVER_STICKY_SECRET: 'secret' } }).message).not.toContain('secret');
  });
});

test('numbers may be written as text of digits, as templates leave them', () => {
  expect(loadSettings({ server: { workers: '2', tcpTimeout: '5' }, http: { port: '8080' } })).toMatchObject({
    server: { workers: 2, headTimeout: 5_000 },
    http: { bind: [{ port: 8080 }] },
  });
});
