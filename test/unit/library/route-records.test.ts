import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { strategies } from '../../../src/config/strategy.js';
import { parseRouteConfig, parseVHost } from '../../../src/library/route-records.js';
import { BalancingStrategy, type RouteConfig } from '../../../src/library/types.js';
import { parsePolicy } from '../../../src/model/policy/policy.js';
import { selfSigned } from '../../helpers/certs.js';

const backends = [{ hostname: '10.0.0.1', port: 8080 }];

/** What the proxy makes of the policy that is written. */
function policyOf(config: Omit<RouteConfig, 'vHost' | 'backends'>) {
  const { policy, faults } = parsePolicy(parseRouteConfig({ vHost: 'a.test', backends, ...config }).policy);
  expect(faults).toEqual([]);
  return policy;
}

/** The message for a description, which need not have the right type. */
function complaint(config: object): string {
  try {
    parseRouteConfig({ vHost: 'a.test', backends, ...config });
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

describe('D.1 1: the strategies', () => {
  it('have values that equal their names, and are all that the proxy knows', () => {
    expect(BalancingStrategy).toEqual(Object.fromEntries(strategies.map((name) => [name, name])));
  });
});

describe('a route', () => {
  it('becomes a list of an identifier and backends with their ids and weights', () => {
    const { name, identifier, entries } = parseRouteConfig({
      id: 'site',
      vHost: 'A.Test.',
      backends: [
        { id: 'node-1', hostname: '10.0.0.1', port: 8080, weight: 3 },
        { hostname: '::1', protocol: 'https' },
        { hostname: 'backup.internal', port: 81, backup: true, group: 'blue' },
      ],
    });
    expect([name, identifier]).toEqual(['a.test', 'site']);
    expect(entries).toEqual([
      'http://10.0.0.1:8080#id=node-1&weight=3',
      'https://[::1]:443#id=%5B%3A%3A1%5D%3A443',
      'http://backup.internal:81#id=backup.internal%3A81&backup=true&group=blue',
    ]);
  });

  it('tells backends of one id apart', () => {
    const { backends: told } = parseRouteConfig({ vHost: 'a.test', backends: [...backends, ...backends] });
    expect(told.map(({ id }) => id)).toEqual(['10.0.0.1:8080', '10.0.0.1:8080~2']);
  });

  it('takes backends as `getRoute` gives them', () => {
    const told = { id: 'one', hostname: '10.0.0.1', port: 8080, isDead: true, deadSince: 1, failureCount: 4 };
    expect(parseRouteConfig({ vHost: 'a.test', backends: [told] }).entries).toEqual(['http://10.0.0.1:8080#id=one']);
  });

  it('lets 50 requests run and 100 wait unless it says otherwise', () => {
    expect(policyOf({})).toMatchObject({ reqActiveLength: 50, reqQueueLength: 100 });
    expect(policyOf({ reqActiveLength: 1, reqQueueLength: 0 })).toMatchObject({ reqActiveLength: 1, reqQueueLength: 0 });
  });

  it('may have every field of a policy, durations as milliseconds', () => {
    expect(
      policyOf({
        strategy: BalancingStrategy.IP_HASH,
        autoHttps: true,
        timeout: 3_000,
        proxyTimeout: 1_500,
        queueTimeout: '2s',
        sticky: true,
        retries: 2,
        allow: ['10.0.0.0/8'],
      }),
    ).toMatchObject({
      strategy: 'IP_HASH',
      autoHttps: true,
      timeout: 3_000,
      proxyTimeout: 1_500,
      queueTimeout: 2_000,
      sticky: { path: '/' },
      retries: 2,
      allow: { entries: ['10.0.0.0/8'] },
    });
  });

  it('has a function as its provider under a name of its own', () => {
    const run = () => true;
    const { callback, policy } = parseRouteConfig({ vHost: '*.a.test', backends, authProvider: run });
    expect(callback).toEqual({ name: 'function:@2a.a.test', run });
    expect(parsePolicy(policy).policy.authProvider).toBe('function:@2a.a.test');
  });

  it('takes key and certificate as PEM texts or as paths', () => {
    const { key, cert } = selfSigned('a.test');
    const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-ssl-'));
    try {
      writeFileSync(join(folder, 'key'), key);
      writeFileSync(join(folder, 'cert'), cert);
      const files = { key: join(folder, 'key'), cert: join(folder, 'cert') };
      expect(parseRouteConfig({ vHost: 'a.test', backends, ssl: { key, cert } }).ssl).toMatchObject({ key, cert });
      expect(parseRouteConfig({ vHost: 'a.test', backends, ssl: files }).ssl).toMatchObject({ key, cert });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['api.example.com', 'api.example.com'],
    ['*.Example.com', '*.example.com'],
    ['*', '*'],
    ['example.com:8080', 'example.com:8080'],
    ['[::1]', '[::1]'],
    ['example.com/API/', 'example.com/api'],
    ['*/test', '*/test'],
    ['example.com/', 'example.com'],
  ])('of the virtual host %s is the frontend %s', (vHost, name) => {
    expect(parseVHost(vHost)).toBe(name);
  });

  it.each([[''], ['a b'], ['*.'], ['a.*.test'], ['http://a.test'], ['/test'], [undefined], [7]])(
    'is refused for the virtual host %j',
    (vHost) => {
      expect(() => parseVHost(vHost)).toThrow(/^route \?: vHost is .*; allowed: a host such as/);
    },
  );

  it.each([
    [{ strategy: 'FASTEST' }, 'route a.test: strategy is "FASTEST"; allowed: "RANDOM", "ROUND_ROBIN", '],
    [{ reqActiveLength: 0 }, 'route a.test: reqActiveLength is 0; allowed: a whole number from 1 to 1000000'],
    [{ statergy: 'RANDOM' }, 'route a.test: statergy is not a known field; the nearest known one is strategy'],
    [{ timeout: 'soon' }, 'route a.test: timeout is "soon"; allowed: '],
    [{ backends: 'http://10.0.0.1' }, 'route a.test: backends is "http://10.0.0.1"; allowed: a list'],
    [{ backends: [null] }, 'route a.test: backends[0] is null; allowed: an object with hostname and port'],
    [
      { backends: [...backends, { hostname: 'a b' }] },
      'route a.test: backends[1].hostname is "a b"; allowed: a host name or an address',
    ],
    [{ backends: [{ hostname: 'a', port: 0 }] }, 'route a.test: backends[0].port is 0; allowed: a whole number from 1 to 65535'],
    [
      { backends: [{ hostname: 'a', weight: 1.5 }] },
      'route a.test: backends[0].weight is 1.5; allowed: a whole number from 0 to 1000000',
    ],
    [{ backends: [{ hostname: 'a', wieght: 1 }] }, 'route a.test: backends[0].wieght is not a known member'],
    [
      { backends: [{ hostname: '1.2.3' }] },
      'route a.test: backend 0 has no valid host; write a name, an IPv4 or a [IPv6] address',
    ],
    [{ id: '' }, 'route a.test: id is ""; allowed: a text of up to 200 characters'],
    [{ headers: { 'bad name': 'x' } }, 'route a.test: headers is '],
    [{ ssl: { key: 'nowhere.pem', cert: 'nowhere.pem' } }, 'route a.test: ssl.key: cannot read nowhere.pem (ENOENT)'],
    [{ ssl: 'a.pem' }, 'route a.test: ssl must be an object with key and cert'],
  ])('is refused in words that help: %j', (config, message) => {
    expect(complaint(config)).toContain(message);
  });

  it('never shows a key in a message', () => {
    const { key } = selfSigned('a.test');
    const other = selfSigned('b.test');
    const mismatched = complaint({ ssl: { key, cert: other.cert } });
    const broken = complaint({ ssl: { key: key.replaceAll('-----', ''), cert: other.cert } });
    expect([mismatched, broken].every((text) => text !== '' && !text.includes(key.slice(40, 60)))).toBe(true);
  });
});
