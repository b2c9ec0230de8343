// From settings that passed one by one to the effective configuration: defaults that hang on others, and rules between settings.
import { availableParallelism } from 'node:os';
import type { AcmeConfig, Bind, Config, HttpsConfig, RedisConfig, ServerConfig } from './config.js';
import type { Draft } from './draft.js';
import { formatRedisUrl, parseDriverUrl } from './driver-url.js';
import { resolveApi } from './resolve-api.js';
import { resolveStreams } from './resolve-streams.js';
import type { Settings } from './schema.js';
import { resolveTlsBinds } from './tls-binds.js';

/**
 * Makes the configuration. Faults between settings and warnings go to the draft.
 * @param root whether the process was started as root
 */
export function resolveConfig(settings: Settings, draft: Draft, root: boolean): Config {
  const http = settings.http.bind.map(
    ({ address, port, proxyProtocol }): Bind => ({
      address,
      port: port ?? settings.http.port,
      ...(proxyProtocol === true && { proxyProtocol }),
    }),
  );
  const https = resolveTlsBinds(settings.https, draft);
  checkBinds(http, https, settings.streams.length, draft);
  checkAdmin(settings.admin, [...http, ...https], draft);
  const driver = resolveDriver(settings.driver, draft);
  const user = resolveUser(settings, root, draft);
  const server = resolveServer(settings, driver.read.startsWith('memory:'), draft);
  const streams = resolveStreams(settings.streams, server, [...http, ...https], draft);
  return {
    source: draft.source,
    warnings: draft.warnings,
    server,
    http: { bind: http, http2: settings.http.http2 },
    https: { ...resolveHttps(settings), bind: https },
    acme: resolveAcme(settings, draft),
    streams,
    admin: settings.admin,
    api: resolveApi(settings.api, draft),
    driver,
    redis: resolveRedis(settings, driver, draft),
    limits: settings.limits,
    frontDoor: settings.frontDoor,
    metrics: settings.metrics,
    tracing: settings.tracing,
    trustedProxies: settings.trustedProxies,
    ...user,
    logLevel: settings.logLevel ?? (settings.server.debug ? 'debug' : 'info'),
  };
}

function resolveHttps({ https }: Settings): Omit<HttpsConfig, 'bind'> {
  const { http2, certificateEntries, ticketRotation, ticketLifetime, storeKeys, storeKeyFile = '' } = https;
  return { http2, certificateEntries, ticketRotation, ticketLifetime, storeKeys, storeKeyFile };
}

/** Without the consent of a person, or a way to prove names, nothing could be ordered. */
function resolveAcme({ acme }: Settings, draft: Draft): AcmeConfig {
  const { dnsHook = '', ...rest } = acme;
  const refuse = (name: keyof AcmeConfig, value: string, allowed: string): void => {
    const { key, source } = draft.origin(['acme', name]);
    draft.refuse({ kind: value === '' ? 'missing' : 'wrong', path: key, value, allowed, source });
  };
  if (acme.directory !== '' && !acme.agreeTerms)
    refuse('agreeTerms', 'false', 'true, once you have read the terms of the authority');
  if (acme.challenges.includes('dns-01') && dnsHook === '') refuse('dnsHook', '', 'the path of a program, for dns-01');
  if (acme.eabKeyId !== '' && acme.eabKey === '') refuse('eabKey', '', 'the key that belongs to acme.eabKeyId');
  if (acme.eabKey !== '' && acme.eabKeyId === '') refuse('eabKeyId', '', 'the identifier that belongs to acme.eabKey');
  return { ...rest, dnsHook };
}

function resolveServer({ server }: Settings, memory: boolean, draft: Draft): ServerConfig {
  const { tcpTimeout, headTimeout, bodyTimeout, idleTimeout, backendTimeout, workers, accessLog, ...rest } = server;
  if (rest.maxLineBytes > rest.maxHeadBytes) {
    const { key, source } = draft.origin(['server', 'maxLineBytes']);
    const allowed = `at most server.maxHeadBytes, ${rest.maxHeadBytes}`;
    draft.refuse({ kind: 'wrong', path: key, value: String(rest.maxLineBytes), allowed, source });
  }
  if (memory && workers !== 'auto' && workers > 0) {
    draft.warn('WARNING! `server.workers` has no effect: the memory: store lives in one process. Please use Redis for several.');
  }
  return {
    ...rest,
    workers: memory ? 0 : workers === 'auto' ? availableParallelism() : workers,
    headTimeout: headTimeout ?? tcpTimeout,
    bodyTimeout: bodyTimeout ?? tcpTimeout,
    idleTimeout: idleTimeout ?? tcpTimeout,
    backendTimeout: backendTimeout ?? tcpTimeout,
    accessLog: accessLog === '-' ? 'stdout' : accessLog,
  };
}

/** Two listeners of one address would end the start with a message about a busy port. */
function checkBinds(http: readonly Bind[], https: readonly Bind[], streams: number, draft: Draft): void {
  const seen = new Set<string>();
  const sections: [string, readonly Bind[]][] = [
    ['http', http],
    ['https', https],
  ];
  for (const [section, binds] of sections) {
    binds.forEach(({ address, port }, index) => {
      const place = `${address}:${port}`;
      if (port !== 0 && seen.has(place)) {
        const { key, source } = draft.origin([section, 'bind', index]);
        const shown = `${address.includes(':') ? `[${address}]` : address}:${port}`;
        draft.refuse({
          kind: 'wrong',
          path: key,
          value: shown,
          allowed: 'an address and port that is not listed before',
          source,
        });
      }
      seen.add(place);
    });
  }
  if (http.length + https.length + streams === 0) {
    const { key, source } = draft.origin(['http', 'bind']);
    draft.refuse({
      kind: 'wrong',
      path: key,
      value: 'an empty list',
      allowed: 'at least one address, here or in https.bind, or a stream',
      source,
    });
  }
}

function checkAdmin(admin: Bind, binds: readonly Bind[], draft: Draft): void {
  if (admin.port === 0 || !binds.some(({ address, port }) => address === admin.address && port === admin.port)) return;
  const { key, source } = draft.origin(['admin', 'port']);
  const allowed = 'a port that clients are not served on';
  draft.refuse({ kind: 'wrong', path: key, value: String(admin.port), allowed, source });
}

/**
 * First and last URL, written out in one form: whatever shows or masks a URL later meets no odd spelling of a password.
 * The write side takes the prefix of the read side, since keys have to be the same on both.
 */
function resolveDriver(urls: readonly string[], draft: Draft): Config['driver'] {
  const first = urls[0]!;
  const last = urls[urls.length - 1]!;
  if (urls.length > 2) {
    draft.warn(
      'WARNING! `driver` has more than two URLs: the first is read from, the last is written to, the others have no effect.',
    );
  }
  const reading = parseDriverUrl(first);
  const writing = parseDriverUrl(last);
  if (reading.kind === 'redis' && writing.kind === 'redis') {
    return { read: formatRedisUrl(reading), write: formatRedisUrl({ ...writing, prefix: reading.prefix }) };
  }
  if (first !== last) {
    const { key, source } = draft.origin(['driver']);
    draft.refuse({ kind: 'wrong', path: key, value: 'a list', allowed: 'one memory: URL, or Redis on both sides', source });
  }
  return { read: first, write: first };
}

function resolveRedis({ redis }: Settings, driver: Config['driver'], draft: Draft): RedisConfig {
  const { cert = '', key = '', servername = '', snapshot = '', ...rest } = redis;
  const refuse = (name: 'cert' | 'key', other: string): void => {
    const { key: path, source } = draft.origin(['redis', name]);
    draft.refuse({ kind: 'missing', path, value: '', allowed: `the file that belongs to redis.${other}`, source });
  };
  if (cert !== '' && key === '') refuse('key', 'cert');
  if (key !== '' && cert === '') refuse('cert', 'key');
  const asked = rest.ca.length > 0 || cert !== '' || servername !== '';
  if (asked && ![driver.read, driver.write].some((url) => url.startsWith('rediss'))) {
    draft.warn('WARNING! `redis.ca`, `redis.cert` and `redis.servername` have no effect: `driver` does not begin with rediss:.');
  }
  return { ...rest, snapshot, cert, key, servername };
}

/** Only root can become somebody else. The group is the user's unless it is set, as in Hipache. */
function resolveUser({ user, group }: Settings, root: boolean, draft: Draft): Pick<Config, 'user' | 'group'> {
  const wanted = user ?? (root ? 'www-data' : '');
  const stays = wanted === '' || wanted === 'root' || wanted === '0';
  if (!root && !stays) draft.warn('WARNING! `user` has no effect: only a process started as root can become somebody else.');
  return root && !stays ? { user: wanted, group: group === undefined || group === '' ? wanted : group } : { user: '', group: '' };
}
