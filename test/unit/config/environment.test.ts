import { describe, expect, test } from 'vitest';
import { variableName } from '../../../src/config/environment.js';
import { faultAt, loadingError, loadSettings } from '../../helpers/config-file.js';

const load = (env: Record<string, string>, file: unknown = {}) => loadSettings(file, { env });

test.each([
  ['http.port', 'CJS_PROXY_HTTP_PORT'],
  ['server.accessLog', 'CJS_PROXY_SERVER_ACCESS_LOG'],
  ['server.deadBackendTTL', 'CJS_PROXY_SERVER_DEAD_BACKEND_TTL'],
  ['server.deadOn5xx', 'CJS_PROXY_SERVER_DEAD_ON_5XX'],
  ['server.deadBackendOn500', 'CJS_PROXY_SERVER_DEAD_BACKEND_ON_500'],
  ['trustedProxies', 'CJS_PROXY_TRUSTED_PROXIES'],
])('the variable of %s is %s', (path, name) => {
  expect(variableName(path)).toBe(name);
});

describe('a variable', () => {
  test('overrides the file', () => {
    const env = { CJS_PROXY_HTTP_PORT: '9000', CJS_PROXY_SERVER_ACCESS_LOG: 'none', CJS_PROXY_SERVER_TCP_TIMEOUT: '5s' };
    expect(load(env, { http: { port: 80 }, server: { accessLog: 'x.log' } })).toMatchObject({
      http: { bind: [{ port: 9_000 }] },
      server: { accessLog: 'none', headTimeout: 5_000 },
    });
  });

  test.each([
    ['true', true],
    ['1', true],
    ['On', true],
    ['false', false],
    ['0', false],
    ['no', false],
  ])('says yes or no as %s', (text, value) => {
    expect(load({ CJS_PROXY_SERVER_DEAD_ON_500: text }).server.deadOn500).toBe(value);
  });

  test('is a list with commas, or JSON', () => {
    expect(load({ CJS_PROXY_HTTP_BIND: '127.0.0.1, [::1]:8080' }).http.bind).toEqual([
      { address: '127.0.0.1', port: 80 },
      { address: '::1', port: 8080 },
    ]);
    expect(load({ CJS_PROXY_HTTP_BIND: '[::1]:8080,10.0.0.1' }).http.bind).toHaveLength(2);
    expect(load({ CJS_PROXY_HTTP_BIND: '[{"address": "::1", "port": 81}, "10.0.0.1"]' }).http.bind).toEqual([
      { address: '::1', port: 81 },
      { address: '10.0.0.1', port: 80 },
    ]);
    expect(load({ CJS_PROXY_TRUSTED_PROXIES: '10.0.0.0/8,::1' }).trustedProxies).toEqual(['10.0.0.0/8', '::1']);
  });

  test('names one driver or two, also with commas in a password', () => {
    expect(load({ CJS_PROXY_DRIVER: 'redis://:a,b@h' }).driver.read).toBe('redis://:a%2Cb@h:6379');
    expect(load({ CJS_PROXY_DRIVER: 'redis://a, redis://b' }).driver).toEqual({
      read: 'redis://a:6379',
      write: 'redis://b:6379',
    });
    expect(load({ CJS_PROXY_DRIVER: '["redis://a", "redis://b"]' }).driver.write).toBe('redis://b:6379');
  });

  test('that is empty counts as absent', () => {
    expect(load({ CJS_PROXY_HTTP_PORT: '' }, { http: { port: 81 } }).http.bind[0]?.port).toBe(81);
  });

  test('of another program is left alone', () => {
    expect(load({ HTTP_PORT: 'x', PATH: '/bin', CJS_OTHER: '1' }).warnings).toEqual([]);
  });

  test('that no setting has is refused with the nearest one', () => {
    expect(faultAt('CJS_PROXY_HTTP_PROT', {}, { env: { CJS_PROXY_HTTP_PROT: '1' } })).toMatchObject({
      kind: 'unknown',
      nearest: 'CJS_PROXY_HTTP_PORT',
      source: 'environment',
    });
    expect(loadingError({}, { env: { CJS_PROXY_SERVER_WORKER: '1' } }).message).toBe(
      'environment: CJS_PROXY_SERVER_WORKER is not a known setting; the nearest known one is CJS_PROXY_SERVER_WORKERS',
    );
    expect(faultAt('CJS_PROXY_XYZ', {}, { env: { CJS_PROXY_XYZ: '1' } }).nearest).toBeUndefined();
  });

  test('with a wrong value is refused by its name', () => {
    const error = loadingError({}, { env: { CJS_PROXY_HTTP_PORT: 'x', CJS_PROXY_SERVER_DEAD_ON_500: 'perhaps' } });
    expect(error.faults.map(({ path, value, source }) => [path, value, source])).toEqual([
      ['CJS_PROXY_SERVER_DEAD_ON_500', '"perhaps"', 'environment'],
      ['CJS_PROXY_HTTP_PORT', '"x"', 'environment'],
    ]);
  });

  test('with broken JSON is refused without its text, which may hold a secret', () => {
    for (const name of ['CJS_PROXY_HTTPS_BIND', 'CJS_PROXY_DRIVER']) {
      const { message } = loadingError({}, { env: { [name]: '[{"passphrase": "secret"' } });
      expect(message).toContain(`environment: ${name}`);
      expect(message).not.toContain('secret');
    }
    expect(loadingError({}, { env: { CJS_PROXY_DRIVER: 'redis://:secret@h:99999' } }).message).not.toContain('secret');
  });
});
