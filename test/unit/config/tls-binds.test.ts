import { describe, expect, test } from 'vitest';
import { describeConfig } from '../../../src/config/explain.js';
import { faultAt, loadSettings } from '../../helpers/config-file.js';

const pair = { key: '/k', cert: '/c' };
const hipacheCiphers =
  'EECDH+ ECDSA+AESGCM:EECDH+a RSA+AESGCM:EECDH+ECDSA+SHA384:EECDH+aRSA+RC4:EECDH:EDH+aRSA:RC4:!aNULL:!eNULL';

describe('an address of https', () => {
  test('inherits everything from the section', () => {
    const https = {
      ...pair,
      port: 8443,
      bind: '10.0.0.1',
      ca: '/ca',
      passphrase: 'p',
      ciphers: 'HIGH',
      honorCipherOrder: false,
      minVersion: 'TLSv1.3',
    };
    expect(loadSettings({ https }).https.bind).toEqual([
      {
        address: '10.0.0.1',
        port: 8443,
        key: '/k',
        cert: '/c',
        ca: ['/ca'],
        passphrase: 'p',
        ciphers: 'HIGH',
        honorCipherOrder: false,
        minVersion: 'TLSv1.3',
        preset: 'intermediate',
      },
    ]);
  });

  test('overrides it, also with values that count as false', () => {
    const own = {
      address: '::',
      port: 1,
      cert: '/c2',
      ca: ['/ca2'],
      honorCipherOrder: false,
      ciphers: '',
      passphrase: '',
      minVersion: 'TLSv1.2',
      preset: 'modern',
    };
    const https = { ...pair, ca: '/ca', passphrase: 'p', ciphers: 'HIGH', minVersion: 'TLSv1.3', bind: [own] };
    expect(loadSettings({ https }).https.bind).toEqual([{ ...own, key: '/k' }]);
  });

  test('inherits the passphrase only together with the key', () => {
    const https = {
      ...pair,
      passphrase: 'p',
      bind: ['10.0.0.1', { address: '10.0.0.2', key: '/k2', cert: '/c2' }, { address: '10.0.0.3', key: '/k' }],
    };
    expect(loadSettings({ https }).https.bind.map(({ passphrase }) => passphrase)).toEqual(['p', '', 'p']);
  });

  test('needs neither a key nor a certificate, since the store may have them', () => {
    expect(loadSettings({ https: { bind: '::' } }).https.bind).toMatchObject([{ key: '', cert: '' }]);
  });

  test('needs a certificate where it has a key, and the other way round', () => {
    expect(faultAt('https.key', { https: { cert: '/c', bind: '::' } })).toMatchObject({ kind: 'missing' });
    expect(faultAt('https.cert', { https: { key: '/k', bind: ['::', '::1'] } })).toMatchObject({ kind: 'missing' });
    expect(
      faultAt('https.bind[1].cert', {
        https: {
          bind: [
            { address: '::', ...pair },
            { address: '::1', key: '/k' },
          ],
        },
      }),
    ).toMatchObject({
      kind: 'missing',
    });
  });
});

test('key and certificate without an address are said to have no effect', () => {
  expect(loadSettings({ https: pair })).toMatchObject({
    https: { bind: [] },
    warnings: [expect.stringContaining('`https.bind` names no address')],
  });
});

describe('TLS settings of older times', () => {
  test("Hipache's default ciphers, which OpenSSL refuses, become Node's", () => {
    const { https, warnings } = loadSettings({ https: { ...pair, bind: ['::', '10.0.0.1'], ciphers: hipacheCiphers } });
    expect(https.bind.map(({ ciphers }) => ciphers)).toEqual(['', '']);
    expect(warnings).toEqual([expect.stringContaining("`https.ciphers` is Hipache's default list")]);
  });

  test('any other list that OpenSSL refuses is a fault rather than a crash of each worker', () => {
    expect(faultAt('https.ciphers', { https: { ...pair, bind: ['::', '10.0.0.1'], ciphers: 'no such cipher' } })).toMatchObject({
      value: '"no such cipher"',
    });
    expect(faultAt('https.bind[0].ciphers', { https: { ...pair, bind: [{ address: '::', ciphers: 'nothing' }] } }).kind).toBe(
      'wrong',
    );
  });

  test.each([
    ['SSLv23_method', 'TLSv1.2'],
    ['SSLv3_method', 'TLSv1.2'],
    ['TLSv1_method', 'TLSv1.2'],
    ['TLSv1_2_method', 'TLSv1.2'],
    ['TLSv1_3_method', 'TLSv1.3'],
  ])('secureProtocol %s means %s and later, with a warning', (secureProtocol, minVersion) => {
    const { https, warnings } = loadSettings({ https: { ...pair, bind: '::', secureProtocol } });
    expect(https.bind[0]?.minVersion).toBe(minVersion);
    expect(warnings).toEqual([expect.stringContaining('`https.secureProtocol` is deprecated')]);
  });

  test('secureOptions has no effect, with a warning', () => {
    const { warnings } = loadSettings({ https: { ...pair, bind: [{ address: '::', secureOptions: 50331648 }] } });
    expect(warnings).toEqual([expect.stringContaining('`https.secureOptions` has no effect')]);
  });
});

describe('secrets for private keys in the store', () => {
  const secret = Buffer.alloc(32, 1).toString('base64');

  test('are a list, or a text with commas as an environment variable has it', () => {
    expect(loadSettings({ https: { storeKeys: [secret, '0'.repeat(64)] } }).https.storeKeys).toEqual([secret, '0'.repeat(64)]);
    expect(loadSettings({}, { env: { CJS_PROXY_HTTPS_STORE_KEYS: `${secret}, ${secret}` } }).https.storeKeys).toEqual([
      secret,
      secret,
    ]);
  });

  test('are not shown when they cannot be used, nor when they can', () => {
    expect(faultAt('https.storeKeys[0]', { https: { storeKeys: ['too short'] } }).value).toBe('(hidden)');
    const shown = describeConfig(loadSettings({ https: { storeKeys: [secret] } }));
    expect(shown).toContain('CENSORED');
    expect(shown).not.toContain(secret);
  });
});
