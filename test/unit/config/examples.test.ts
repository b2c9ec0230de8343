import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.js';
import { allSettings } from '../../../src/config/schema.js';
import { loadSettings } from '../../helpers/config-file.js';

const load = (name: string) => loadConfig({ file: `config/${name}`, env: {}, root: true });

describe('a shipped configuration', () => {
  test.each(readdirSync('config/examples').filter((name) => name.endsWith('.json')))('examples/%s can be used', (name) => {
    expect(load(`examples/${name}`).source).toContain(name);
  });

  test.each(['config.json', 'config_test.json', 'examples/full.json', 'examples/https.json', 'examples/hipache-0.4.json'])(
    '%s has no older or ineffective key',
    (name) => {
      expect(load(name).warnings).toEqual([]);
    },
  );

  test('config.json serves from a local Redis on a port that needs no root', () => {
    expect(load('config.json')).toMatchObject({
      http: { bind: [{ address: '0.0.0.0', port: 8080 }] },
      driver: { read: 'redis://127.0.0.1:6379', write: 'redis://127.0.0.1:6379' },
      server: { accessLog: 'stdout' },
    });
  });

  test('config_test.json serves in one process without Redis', () => {
    expect(load('config_test.json')).toMatchObject({
      http: { bind: [{ address: '127.0.0.1', port: 8080 }] },
      driver: { read: 'memory:' },
      server: { workers: 0 },
    });
  });

  test('full.json is what holds without any file', () => {
    const defaults = loadSettings({}, { root: true });
    expect({ ...load('examples/full.json'), source: '' }).toEqual({ ...defaults, source: '' });
  });

  test('full.json names every setting that has a default', () => {
    const file: unknown = JSON.parse(readFileSync('config/examples/full.json', 'utf8'));
    const absent = allSettings
      .filter(({ path, note }) => note.standard !== '' && valueAt(file, path.split('.')) === undefined)
      .map(({ path }) => path);
    expect(absent).toEqual([]);
  });

  test('hipache-0.4.json means what it meant there', () => {
    expect(load('examples/hipache-0.4.json')).toMatchObject({
      server: { workers: 10, maxSockets: 100, accessLog: '/var/log/hipache/access.log' },
      http: {
        bind: [
          { address: '127.0.0.1', port: 80 },
          { address: '::1', port: 80 },
          { address: '10.0.0.1', port: 8080 },
        ],
      },
      driver: { read: 'redis://:change-me@10.0.0.5:6379/2#site:', write: 'redis://:change-me@10.0.0.6:6379/2#site:' },
      user: 'www-data',
    });
  });

  test('hipache-0.3.1.json means what it meant there', () => {
    expect(load('examples/hipache-0.3.1.json')).toMatchObject({
      server: { workers: 5, accessLog: '/var/log/hipache_access.log' },
      http: {
        bind: [
          { address: '127.0.0.1', port: 80 },
          { address: '::1', port: 80 },
        ],
      },
      driver: { read: 'redis://:change-me@127.0.0.1:6379', write: 'redis://10.0.0.6:6380' },
      redis: { cacheEntries: 10_000 },
    });
  });

  test('cjs-proxy.json reaches the Redis that it names', () => {
    expect(load('examples/cjs-proxy.json')).toMatchObject({
      http: { bind: [{ address: '::', port: 80 }] },
      driver: { read: 'redis://127.0.0.1:6379' },
      server: { retryOnError: 3 },
    });
  });

  test('planb.json means what the flags meant there', () => {
    expect(load('examples/planb.json')).toMatchObject({
      http: { bind: [{ address: '0.0.0.0', port: 8989 }] },
      driver: { read: 'redis://:change-me@127.0.0.1:6379', write: 'redis://:change-me@10.0.0.6:6379' },
      server: { strategy: 'ROUND_ROBIN', totalTimeout: 30_000, idleTimeout: 90_000, bodyTimeout: 0 },
    });
  });
});

function valueAt(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce((part, key) => (typeof part === 'object' && part !== null ? Reflect.get(part, key) : undefined), value);
}
