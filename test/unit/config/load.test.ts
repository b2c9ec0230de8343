import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.js';
import { loadConfig } from '../../../src/config/load.js';
import { loadingError, loadSettings, temporaryFolder, writeConfigFile } from '../../helpers/config-file.js';

const defaults: Config = {
  source: '',
  warnings: [],
  server: {
    debug: false,
    workers: availableParallelism(),
    maxSockets: 0,
    httpKeepAlive: true,
    backendIdleTimeout: 60_000,
    headTimeout: 30_000,
    bodyTimeout: 30_000,
    idleTimeout: 30_000,
    connectTimeout: 10_000,
    backendTimeout: 30_000,
    totalTimeout: 0,
    tunnelTimeout: 0,
    deadBackendTTL: 30,
    recoveryInterval: 60_000,
    deadOn500: false,
    deadOn503: 'without-retry-after',
    deadOn5xx: true,
    deadBackendOn500: true,
    retryOnError: 3,
    retryBodyLimit: 65_536,
    strategy: 'RANDOM',
    stickySecret: '',
    engine: 'wire',
    accessLog: 'stdout',
    accessLogFormat: 'hipache',
    backendCa: [],
    staticDir: null,
    httpsPort: 0,
    drainTimeout: 30_000,
    drainGrace: 2_000,
    nodeId: '',
    memoryLimit: 0,
    workerExits: 0,
    legacyForwardedHeaders: false,
    debugHeaders: 'trusted',
    halfClosedClients: 'probe',
    maxHeadBytes: 32_768,
    maxHeaderCount: 100,
    maxLineBytes: 16_384,
  },
  http: { bind: [{ address: '127.0.0.1', port: 80 }], http2: false },
  https: {
    bind: [],
    http2: true,
    certificateEntries: 2_000,
    ticketRotation: 43_200_000,
    ticketLifetime: 7_200,
    storeKeys: [],
    storeKeyFile: '',
  },
  acme: {
    directory: '',
    agreeTerms: false,
    contact: [],
    challenges: ['http-01', 'tls-alpn-01'],
    dnsHook: '',
    dnsHookTimeout: 120_000,
    ca: [],
    eabKeyId: '',
    eabKey: '',
    onDemand: false,
    onDemandPerHour: 20,
    retryDelay: 60_000,
  },
  streams: [],
  admin: { address: '127.0.0.1', port: 0 },
  api: {
    port: 0,
    bind: '127.0.0.1',
    tokens: [],
    key: '',
    cert: '',
    clientCa: [],
    maxBody: 1_048_576,
    maxImport: 67_108_864,
    requestTimeout: 30_000,
    failures: 20,
    url: '',
    tokenFile: '',
  },
  driver: { read: 'redis://127.0.0.1:6379', write: 'redis://127.0.0.1:6379' },
  redis: {
    cacheEntries: 100_000,
    timeout: 1_000,
    maxStale: 0,
    lookupWait: 30,
    emptyMeans: 'trust',
    snapshot: '',
    ca: [],
    cert: '',
    key: '',
    servername: '',
  },
  limits: { tier: '', whenAway: 'local', headers: 'standard', clients: 200_000, referer: false },
  frontDoor: {
    connections: 'auto',
    connectionsPerAddress: 0,
    requestsPerConnection: 0,
    http2Streams: 100,
    http2Resets: 200,
    http2ControlFrames: 200,
    minBodyRate: 100,
    bodyGrace: 30_000,
    maxBuffered: 268_435_456,
    blocklistFile: null,
    overloadDelay: 1_000,
    overloadPatience: 10_000,
    refusedPaths: [],
  },
  metrics: { frontends: 200, names: 'standard' },
  tracing: { newTraces: 'sampled' },
  trustedProxies: [],
  user: '',
  group: '',
  logLevel: 'info',
};

/** A folder with some files in its `config`. */
function folderWith(files: Record<string, unknown>): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'config'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, 'config', name), JSON.stringify(content));
  return folder;
}

describe('defaults', () => {
  test('fill in everything that a file leaves out, so that no limit is missing', () => {
    const config = loadSettings({});
    expect({ ...config, source: '' }).toEqual(defaults);
  });

  test('are frozen with all their parts', () => {
    const config = loadSettings({ http: { bind: ['::1'] } });
    for (const part of [
      config,
      config.server,
      config.http,
      config.http.bind,
      config.http.bind[0],
      config.driver,
      config.warnings,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  test('of the head, body, idle and backend timeouts are tcpTimeout', () => {
    const { server } = loadSettings({ server: { tcpTimeout: 5, idleTimeout: '90s', bodyTimeout: 0 } });
    expect(server).toMatchObject({ headTimeout: 5_000, backendTimeout: 5_000, idleTimeout: 90_000, bodyTimeout: 0 });
    expect(loadSettings({ server: { tcpTimeout: 0 } }).server).toMatchObject({
      headTimeout: 0,
      idleTimeout: 0,
      backendTimeout: 0,
    });
  });
});

describe('which file is loaded', () => {
  test('is the one that was asked for, whatever SETTINGS_FLAVOR says', () => {
    const file = writeConfigFile({ http: { port: 1234 } });
    expect(loadConfig({ file, env: { SETTINGS_FLAVOR: 'test' } })).toMatchObject({
      source: file,
      http: { bind: [{ port: 1234 }] },
    });
  });

  test('is config/config.json of the current folder, without a word', () => {
    const cwd = folderWith({ 'config.json': { http: { port: 1111 } }, 'config_test.json': { http: { port: 2222 } } });
    expect(loadConfig({ env: {}, cwd })).toMatchObject({
      source: join(cwd, 'config', 'config.json'),
      http: { bind: [{ port: 1111 }] },
    });
    expect(loadConfig({ env: { SETTINGS_FLAVOR: '' }, cwd }).http.bind[0]?.port).toBe(1111);
  });

  test('is config/config_<flavor>.json with SETTINGS_FLAVOR', () => {
    const cwd = folderWith({ 'config.json': { http: { port: 1111 } }, 'config_blue.json': { http: { port: 2222 } } });
    expect(loadConfig({ env: { SETTINGS_FLAVOR: 'blue' }, cwd }).http.bind[0]?.port).toBe(2222);
  });

  test("is the package's own one where the current folder has none", () => {
    const cwd = temporaryFolder();
    expect(loadConfig({ env: {}, cwd }).source).toMatch(/config\/config\.json$/);
    expect(loadConfig({ env: { SETTINGS_FLAVOR: 'test' }, cwd })).toMatchObject({
      driver: { read: 'memory:' },
      server: { workers: 0 },
    });
  });

  test('must exist when it was asked for', () => {
    expect(() => loadConfig({ file: '/nowhere/config.json', env: {} })).toThrow(
      "/nowhere/config.json: couldn't locate requested config file",
    );
  });

  test('must exist for a flavor: the default one is never loaded in its place', () => {
    expect(() => loadConfig({ env: { SETTINGS_FLAVOR: 'green' }, cwd: folderWith({ 'config.json': {} }) })).toThrow(
      "couldn't locate the config file of SETTINGS_FLAVOR=green",
    );
  });

  test('cannot be led out of its folder by a flavor', () => {
    expect(() => loadConfig({ env: { SETTINGS_FLAVOR: '/../../etc/x' } })).toThrow(
      'environment: SETTINGS_FLAVOR is "/../../etc/x"',
    );
  });

  test('may begin with a byte order mark', () => {
    expect(loadSettings('\uFEFF{"http": {"port": 81}}').http.bind[0]?.port).toBe(81);
  });

  test.each([
    ['{\n  "http": {\n    "port": 80,\n  }\n}', ':4:3: the JSON is broken: "}" where a key in double quotes is expected'],
    ['[]', ': the file has to hold one JSON object'],
    ['', ':1:1: the JSON is broken: the end of the file where a value is expected'],
  ])('%j is refused with its place', (text, message) => {
    const file = writeConfigFile(text);
    expect(() => loadConfig({ file, env: {} })).toThrow(`${file}${message}`);
  });

  test('a folder in place of a file is refused', () => {
    expect(() => loadConfig({ file: tmpdir(), env: {} })).toThrow('the file cannot be read');
  });
});

describe('the command line', () => {
  test('wins over the environment, which wins over the file', () => {
    const file = { server: { workers: 1 }, user: 'a', logLevel: 'warn' };
    const env = { CJS_PROXY_SERVER_WORKERS: '2', CJS_PROXY_USER: 'b' };
    expect(loadSettings(file, { root: true })).toMatchObject({ server: { workers: 1 }, user: 'a', logLevel: 'warn' });
    expect(loadSettings(file, { env, root: true })).toMatchObject({ server: { workers: 2 }, user: 'b' });
    const flags = { workers: '3', uid: 'c', gid: 'd', verbose: true };
    expect(loadSettings(file, { env, flags, root: true })).toMatchObject({
      server: { workers: 3 },
      user: 'c',
      group: 'd',
      logLevel: 'debug',
    });
    expect(loadSettings(file, { flags: { quiet: true } }).logLevel).toBe('error');
  });

  test('is named in the fault of a wrong option', () => {
    expect(loadingError({}, { flags: { workers: 'many' } }).message).toBe(
      'command line: --workers is "many"; allowed is a whole number from 0 to 1024, or "auto"',
    );
  });
});

describe('the store', () => {
  test('is read by the first URL and written by the last, with the prefix of the first', () => {
    expect(loadSettings({ driver: 'redis://a#p:' }).driver).toEqual({ read: 'redis://a:6379#p:', write: 'redis://a:6379#p:' });
    expect(loadSettings({ driver: ['redis://a', 'redis://b:1/2'] }).driver).toEqual({
      read: 'redis://a:6379',
      write: 'redis://b:1/2',
    });
    expect(loadSettings({ driver: ['redis://a#p:', 'redis://:pw@b/2#q:'] }).driver).toEqual({
      read: 'redis://a:6379#p:',
      write: 'redis://:pw@b:6379/2#p:',
    });
  });

  test('is named in one form, with the password where it is always looked for', () => {
    expect(loadSettings({ driver: 'redis://secret@h' }).driver.read).toBe('redis://:secret@h:6379');
    expect(loadSettings({ driver: 'redis://u:a@b@[::1]/' }).driver.read).toBe('redis://u:a%40b@[::1]:6379');
  });

  test('ignores URLs in the middle and says so', () => {
    const { driver, warnings } = loadSettings({ driver: ['redis://a', 'redis://b', 'redis://c'] });
    expect(driver).toEqual({ read: 'redis://a:6379', write: 'redis://c:6379' });
    expect(warnings).toEqual([expect.stringContaining('`driver` has more than two URLs')]);
  });

  test('in memory has one process', () => {
    expect(loadSettings({ driver: 'memory:' })).toMatchObject({ server: { workers: 0 }, warnings: [] });
    const { server, warnings } = loadSettings({ driver: 'memory:', server: { workers: 4 } });
    expect(server.workers).toBe(0);
    expect(warnings).toEqual([expect.stringContaining('`server.workers` has no effect')]);
  });

  test('is not half in memory', () => {
    expect(loadingError({ driver: ['redis:', 'memory:'] }).message).toContain('one memory: URL, or Redis on both sides');
    expect(loadingError({ driver: ['memory:a', 'memory:b'] }).message).toContain('one memory: URL');
  });
});

describe('redis', () => {
  test('takes files for TLS, which say so where the driver has none', () => {
    const redis = { ca: 'ca.pem', cert: 'c.pem', key: 'k.pem', servername: 'redis.internal' };
    const { warnings, ...config } = loadSettings({ driver: 'rediss://a', redis });
    expect([config.redis, warnings]).toEqual([{ ...defaults.redis, ...redis, ca: ['ca.pem'] }, []]);
    expect(loadSettings({ driver: 'redis://a', redis }).warnings).toEqual([
      expect.stringContaining('`driver` does not begin with rediss:'),
    ]);
  });

  test('takes a client certificate and its key together only', () => {
    expect(loadingError({ driver: 'rediss://a', redis: { cert: 'c.pem' } }).message).toContain('belongs to redis.cert');
    expect(loadingError({ driver: 'rediss://a', redis: { key: 'k.pem' } }).message).toContain('belongs to redis.key');
  });
});

describe('the account', () => {
  test("is Hipache's www-data for root, and nobody else for others", () => {
    expect(loadSettings({}, { root: true })).toMatchObject({ user: 'www-data', group: 'www-data' });
    expect(loadSettings({}, { root: false })).toMatchObject({ user: '', group: '', warnings: [] });
  });

  test('takes the group of the user unless one is set', () => {
    expect(loadSettings({ user: 'nobody' }, { root: true })).toMatchObject({ user: 'nobody', group: 'nobody' });
    expect(loadSettings({ user: 33, group: 'adm' }, { root: true })).toMatchObject({ user: '33', group: 'adm' });
  });

  test.each(['', 'root', 0, '0'])('%j stays root', (user) => {
    expect(loadSettings({ user, group: 'adm' }, { root: true })).toMatchObject({ user: '', group: '' });
  });

  test('cannot be changed by others than root, which is said', () => {
    const { user, warnings } = loadSettings({ user: 'www-data' }, { root: false });
    expect(user).toBe('');
    expect(warnings).toEqual([expect.stringContaining('`user` has no effect')]);
  });
});

describe('small readings', () => {
  test('"-" is stdout', () => {
    expect(loadSettings({ server: { accessLog: '-' } }).server.accessLog).toBe('stdout');
  });

  test('debug lowers the log level unless one is set', () => {
    expect(loadSettings({ server: { debug: true } }).logLevel).toBe('debug');
    expect(loadSettings({ server: { debug: true }, logLevel: 'warn' }).logLevel).toBe('warn');
  });

  test('an explicit cap and an explicit httpKeepAlive are honoured, which Hipache ignored', () => {
    expect(loadSettings({ server: { maxSockets: 100, httpKeepAlive: false } }).server).toMatchObject({
      maxSockets: 100,
      httpKeepAlive: false,
    });
  });
});

describe('addresses of http', () => {
  test.each<[unknown, unknown]>([
    ['0.0.0.0', [{ address: '0.0.0.0', port: 80 }]],
    [
      ['127.0.0.1', '::1'],
      [
        { address: '127.0.0.1', port: 80 },
        { address: '::1', port: 80 },
      ],
    ],
    [
      [{ address: '10.0.0.1', port: 8080 }, { address: '10.0.0.1' }],
      [
        { address: '10.0.0.1', port: 8080 },
        { address: '10.0.0.1', port: 80 },
      ],
    ],
    [{ address: '10.0.0.1', port: '0' }, [{ address: '10.0.0.1', port: 0 }]],
    ['localhost:8080', [{ address: '127.0.0.1', port: 8080 }]],
    ['[::1]:8080', [{ address: '::1', port: 8080 }]],
  ])('%j are understood', (bind, expected) => {
    expect(loadSettings({ http: { bind } }).http.bind).toEqual(expected);
  });

  test('any free port may be asked for, also twice', () => {
    expect(loadSettings({ http: { port: 0, bind: ['127.0.0.1', '127.0.0.1'] } }).http.bind).toHaveLength(2);
  });
});
