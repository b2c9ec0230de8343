import { describe, expect, test } from 'vitest';
import { faultAt, loadSettings } from '../../helpers/config-file.js';

function deprecated(key: string, replacement: string): string {
  return `WARNING! \`${key}\` is deprecated. Please use \`${replacement}\` instead.`;
}

describe("PlanB's flags as keys", () => {
  test('listen is where HTTP is served', () => {
    const { http, warnings } = loadSettings({ listen: '127.0.0.1:8989' });
    expect(http.bind).toEqual([{ address: '127.0.0.1', port: 8989 }]);
    expect(warnings).toContain(deprecated('listen', 'http.bind'));
    expect(loadSettings({ listen: ':8080' }).http.bind).toEqual([{ address: '::', port: 8080 }]);
    expect(loadSettings({ listen: '[::1]:8080' }).http.bind).toEqual([{ address: '::1', port: 8080 }]);
  });

  test('listen may be overridden by the environment', () => {
    expect(loadSettings({ listen: '0.0.0.0:8989' }, { env: { CJS_PROXY_HTTP_PORT: '9000' } }).http.bind).toEqual([
      { address: '0.0.0.0', port: 9_000 },
    ]);
  });

  test("without listen PlanB's address is taken, unless there is an http section", () => {
    expect(loadSettings({ 'dial-timeout': 5 }).http.bind).toEqual([{ address: '0.0.0.0', port: 8989 }]);
    expect(loadSettings({ 'dial-timeout': 5, http: { port: 80 } }).http.bind).toEqual([{ address: '127.0.0.1', port: 80 }]);
  });

  test('listen may be disabled beside tls-listen', () => {
    const { http, https } = loadSettings({
      listen: 'disabled',
      'tls-listen': '0.0.0.0:8443',
      'tls-preset': 'modern',
      https: { key: '/k', cert: '/c' },
    });
    expect(http.bind).toEqual([]);
    expect(https.bind).toMatchObject([{ address: '0.0.0.0', port: 8443, key: '/k', minVersion: 'TLSv1.2' }]);
  });

  test('tls-listen needs no key and no certificate, as certificates are taken from Redis', () => {
    const { https } = loadSettings({ 'tls-listen': ':443', 'load-certificates-from': 'redis' });
    expect(https.bind).toMatchObject([{ address: '::', port: 443, key: '', cert: '' }]);
  });

  test('presets that let old protocols in are taken as the modern one', () => {
    const { warnings } = loadSettings({ 'tls-preset': 'old', http: {} });
    expect(warnings).toContainEqual(expect.stringContaining('`tls-preset` is taken as "modern"'));
  });

  test('read-redis and write-redis are the two sides of the driver', () => {
    const { driver, warnings } = loadSettings({
      'read-redis-network': 'tcp',
      'read-redis-host': 'replica',
      'read-redis-port': 6380,
      'read-redis-password': 'pw',
      'read-redis-db': 2,
      'write-redis-host': 'main',
      'write-redis-db': 2,
    });
    expect(driver).toEqual({ read: 'redis://:pw@replica:6380/2', write: 'redis://main:6379/2' });
    expect(warnings).toContain(deprecated('read-redis-password', 'driver'));
    expect(warnings).toContain(deprecated('write-redis-host', 'driver'));
  });

  test('one side alone is meant for both', () => {
    const url = 'redis://a:6379';
    expect(loadSettings({ 'read-redis-host': 'a' }).driver).toEqual({ read: url, write: url });
    expect(loadSettings({ 'write-redis-host': 'a', 'read-redis-password': '' }).driver).toEqual({
      read: 'redis://127.0.0.1:6379',
      write: url,
    });
    expect(loadSettings({ 'write-redis-host': 'a' }).driver).toEqual({ read: url, write: url });
  });

  test('Redis may be reached by a unix socket', () => {
    expect(
      loadSettings({ 'read-redis-network': 'unix', 'read-redis-host': '/run/redis.sock', 'read-redis-db': '1' }).driver.read,
    ).toBe('redis+unix:///run/redis.sock?db=1');
  });

  test('time limits move, in seconds or with a unit', () => {
    const { server, warnings } = loadSettings({
      'request-timeout': 30,
      'dial-timeout': 5,
      'client-read-timeout': '1m',
      'client-read-header-timeout': '0s',
      'client-idle-timeout': '1m30s',
      'dead-backend-time': 60,
    });
    expect(server).toMatchObject({
      totalTimeout: 30_000,
      connectTimeout: 5_000,
      bodyTimeout: 60_000,
      headTimeout: 0,
      idleTimeout: 90_000,
      deadBackendTTL: 60,
    });
    expect(warnings).toContain(deprecated('request-timeout', 'server.totalTimeout'));
  });

  test.each([
    ['stdout', 'stdout'],
    ['none', 'none'],
    ['./access.log', './access.log'],
    ['syslog', 'stdout'],
  ])('access-log %s becomes %s', (log, expected) => {
    const { server, warnings } = loadSettings({ 'access-log': log });
    expect(server.accessLog).toBe(expected);
    expect(warnings.some((text) => text.includes('syslog'))).toBe(log === 'syslog');
  });

  test.each(['client-write-timeout', 'flush-interval', 'backend-cache', 'active-healthcheck', 'load-certificates-from'])(
    '%s has no effect, which is said',
    (key) => {
      expect(loadSettings({ [key]: 'x' }).warnings).toContainEqual(expect.stringContaining(`\`${key}\` has no effect`));
    },
  );

  test("metrics-address becomes the admin listener, which tells PlanB's metrics besides its own", () => {
    const { admin, metrics } = loadSettings({ 'metrics-address': '127.0.0.1:9100' });
    expect(admin).toEqual({ address: '127.0.0.1', port: 9100 });
    expect(metrics.names).toBe('both');
    expect(loadSettings({ 'metrics-address': ':9100' }).admin).toEqual({ address: '::', port: 9100 });
    expect(loadSettings({ 'metrics-address': ':9100', metrics: { names: 'planb' } }).metrics.names).toBe('planb');
    expect(() => loadSettings({ 'metrics-address': 'nowhere' })).toThrow('metrics-address');
  });

  test('request-id-header is understood where it is the usual one', () => {
    expect(loadSettings({ 'request-id-header': 'X-Request-ID' }).warnings.join()).not.toContain('request-id-header');
    expect(loadSettings({ 'request-id-header': 'X-Trace' }).warnings.join()).toContain('`request-id-header` has no effect');
  });

  test('backends are taken in turn unless a strategy is set', () => {
    expect(loadSettings({ listen: ':80' }).server.strategy).toBe('ROUND_ROBIN');
    expect(loadSettings({ listen: ':80', server: { strategy: 'RANDOM' } }).server.strategy).toBe('RANDOM');
  });

  test('sentinels are asked for the primary, whatever host is named besides', () => {
    const side = (name: string) => ({
      [`${name}-redis-sentinel-addrs`]: '10.0.0.1:26379, 10.0.0.2',
      [`${name}-redis-sentinel-name`]: 'mymaster',
      [`${name}-redis-host`]: '10.9.9.9',
      [`${name}-redis-network`]: 'unix',
    });
    const { 'read-redis-network': _network, ...read } = side('read');
    const url = 'redis+sentinel://:pw@10.0.0.1:26379,10.0.0.2:26379/mymaster/2';
    const settings = { ...read, 'read-redis-password': 'pw', 'read-redis-db': 2 };
    expect(loadSettings(settings).driver).toEqual({ read: url, write: url });
    expect(loadSettings({ ...settings, 'write-redis-host': '10.0.0.3' }).driver).toEqual({
      read: url,
      write: 'redis://10.0.0.3:6379',
    });
  });

  test('keys of today win', () => {
    const { server, driver, warnings } = loadSettings({
      'dial-timeout': 5,
      'read-redis-host': 'a',
      server: { connectTimeout: 1 },
      driver: 'redis://b',
    });
    expect(server.connectTimeout).toBe(1_000);
    expect(driver.read).toBe('redis://b:6379');
    expect(warnings).toContain('WARNING! `dial-timeout` has no effect: `server.connectTimeout` is set too.');
    expect(warnings).toContain('WARNING! `read-redis-host` has no effect: `driver` is set too.');
  });

  test.each<[string, unknown, string]>([
    ['listen', { listen: 'nowhere:80' }, 'an address with a port'],
    ['listen', { listen: '0.0.0.0' }, 'an address with a port'],
    ['listen', { listen: 8989 }, 'an address with a port'],
    ['dial-timeout', { 'dial-timeout': 'soon' }, 'seconds from 0'],
    ['read-redis-port', { 'read-redis-port': 'x' }, 'a whole number'],
    ['read-redis-network', { 'read-redis-network': 'udp' }, '"tcp", "unix"'],
    ['read-redis-host', { 'read-redis-network': 'unix', 'read-redis-host': 'h' }, 'a unix socket'],
    ['write-redis-sentinel-name', { 'write-redis-sentinel-addrs': 'a:1,b:2' }, 'the sentinels of write-redis-sentinel-addrs'],
    ['read-redis-sentinel-name', { 'read-redis-sentinel-name': 'm' }, 'nothing without read-redis-sentinel-addrs'],
    [
      'read-redis-sentinel-addrs',
      { 'read-redis-sentinel-addrs': 'a:x', 'read-redis-sentinel-name': 'm' },
      'host:port of each sentinel',
    ],
    ['read-redis-hots', { 'read-redis-hots': 'a' }, 'a known setting'],
  ])('a wrong %s is refused by its own name', (path, content, allowed) => {
    expect(faultAt(path, content).allowed).toContain(allowed);
  });
});
