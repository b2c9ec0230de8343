// Driver URLs: where the store is, e.g. redis://user:password@10.0.0.1:6379/2#prefix: or memory:state.json.

/** Where something listens. */
export interface HostAndPort {
  /** Host name or address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Sentinels that know which server is the primary. */
export interface SentinelGroup {
  readonly hosts: readonly HostAndPort[];
  /** What they call the primary. */
  readonly name: string;
  /** Of the sentinels themselves, or empty. */
  readonly username: string;
  readonly password: string;
}

/** Redis: one server, the primary that sentinels name, or a cluster. */
export interface RedisUrl {
  readonly kind: 'redis';
  /** Host name or address without brackets; empty for a unix socket, sentinels and a cluster. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Path of a unix socket, or empty. */
  readonly unixPath: string;
  /** Name of an ACL user, or empty. */
  readonly username: string;
  readonly password: string;
  readonly db: number;
  /** Goes before every key, with no separator of its own. */
  readonly prefix: string;
  readonly sentinel?: SentinelGroup;
  /** Some nodes of a cluster: the others are found by asking them. */
  readonly cluster?: readonly HostAndPort[];
}

/** The embedded store; its state is kept in `file`, or only in memory. */
interface MemoryUrl {
  readonly kind: 'memory';
  readonly file: string | null;
}

/** No store: everything that is served stands in the configuration, so that any number of workers may share it. */
interface NoUrl {
  readonly kind: 'none';
}

export type DriverUrl = RedisUrl | MemoryUrl | NoUrl;

const secret = 'CENSORED';
const redisPort = 6379;
/** Where a sentinel listens that is named without a port. */
export const sentinelPort = 26_379;

/**
 * Parses a driver URL.
 * @throws Error with one line that says what is wrong and what to write; it never holds the password
 */
export function parseDriverUrl(text: string): DriverUrl {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase() ?? '';
  const rest = text.slice(scheme.length + 1);
  switch (scheme) {
    case 'redis':
    case 'rediss':
      return parseRedis(rest, scheme === 'rediss');
    case 'redis+unix':
      return parseUnix(rest);
    case 'none':
      if (rest !== '') throw new Error('no store is written as none: with nothing behind it');
      return { kind: 'none' };
    case 'memory':
      return parseMemory(rest);
    case 'redis+sentinel':
    case 'rediss+sentinel':
      return parseSentinel(rest, scheme === 'rediss+sentinel');
    case 'redis+cluster':
    case 'rediss+cluster':
      return parseCluster(rest, scheme === 'rediss+cluster');
    case 'memcached':
    case 'etcd':
    case 'etcds':
    case 'zookeeper':
      throw new Error(
        `${scheme}: is a store of Hipache that this proxy does not have: move its records to Redis, redis://host:port`,
      );
    case '':
      throw new Error(
        'a driver URL begins with redis:, rediss:, redis+unix:, redis+sentinel:, redis+cluster:, memory: or none:, e.g. redis://127.0.0.1:6379',
      );
    default:
      throw new Error(
        `"${scheme}" is not a known store (modules hipache-driver-* cannot be loaded): write redis://host:port or memory:`,
      );
  }
}

function parseRedis(rest: string, tls: boolean): RedisUrl {
  const { authority, path, query, prefix } = splitUrl(rest);
  const at = authority.lastIndexOf('@');
  const { host, port } = parseHostAndPort(authority.slice(at + 1));
  if (path !== '' && !/^\/\d*$/.test(path)) {
    throw new Error('after the host of a Redis URL comes the number of a database, e.g. redis://127.0.0.1:6379/2');
  }
  const db = parseDatabase(onlyDatabase(query), path.slice(1));
  return { kind: 'redis', host, port, tls, unixPath: '', ...parseUserinfo(at === -1 ? '' : authority.slice(0, at)), db, prefix };
}

function parseUnix(rest: string): RedisUrl {
  const { authority, path, query, prefix } = splitUrl(rest);
  const at = authority.lastIndexOf('@');
  if (authority.slice(at + 1) !== '' || path.length < 2) {
    throw new Error('a unix socket is written with three slashes, e.g. redis+unix:///run/redis.sock?db=2');
  }
  const userinfo = parseUserinfo(at === -1 ? '' : authority.slice(0, at));
  return {
    kind: 'redis',
    host: '',
    port: 0,
    tls: false,
    unixPath: decode(path),
    ...userinfo,
    db: parseDatabase(onlyDatabase(query), ''),
    prefix,
  };
}

const away = { host: '', port: 0, unixPath: '' } as const;

/** `//user:password@host:port,host:port/name/db?sentinel_username=…&sentinel_password=…#prefix` */
function parseSentinel(rest: string, tls: boolean): RedisUrl {
  const { authority, path, query, prefix } = splitUrl(rest);
  const at = authority.lastIndexOf('@');
  const parts = /^\/([^/]+)(?:\/(\d*))?$/.exec(path);
  if (parts === null) {
    throw new Error(
      'after the sentinels comes the name of the primary, e.g. redis+sentinel://10.0.0.1:26379,10.0.0.2:26379/mymaster',
    );
  }
  const parameters = parseParameters(query, ['db', 'sentinel_username', 'sentinel_password']);
  return {
    kind: 'redis',
    ...away,
    tls,
    ...parseUserinfo(at === -1 ? '' : authority.slice(0, at)),
    db: parseDatabase(parameters.get('db'), parts[2] ?? ''),
    prefix,
    sentinel: {
      hosts: parseHosts(authority.slice(at + 1), sentinelPort),
      name: decode(parts[1]!),
      username: parameters.get('sentinel_username') ?? '',
      password: parameters.get('sentinel_password') ?? '',
    },
  };
}

/** `//user:password@host:port,host:port#prefix` */
function parseCluster(rest: string, tls: boolean): RedisUrl {
  const { authority, path, query, prefix } = splitUrl(rest);
  const at = authority.lastIndexOf('@');
  if ((path !== '' && path !== '/' && path !== '/0') || query !== '') {
    throw new Error('a cluster has one database and no parameters, e.g. redis+cluster://10.0.0.1:6379,10.0.0.2:6379');
  }
  return {
    kind: 'redis',
    ...away,
    tls,
    ...parseUserinfo(at === -1 ? '' : authority.slice(0, at)),
    db: 0,
    prefix,
    cluster: parseHosts(authority.slice(at + 1), redisPort),
  };
}

/** @throws Error in one line where there is none, or one is no host and port */
export function parseHosts(text: string, standardPort: number): HostAndPort[] {
  if (text === '')
    throw new Error('a driver URL of sentinels or a cluster names their hosts, e.g. redis+cluster://10.0.0.1:6379,10.0.0.2:6379');
  return text.split(',').map((one) => parseHostAndPort(one, standardPort));
}

function parseMemory(rest: string): MemoryUrl {
  if (/^\/\/[^/]/.test(rest)) {
    throw new Error(
      'a file of the memory store is written without slashes before it, e.g. memory:state.json or memory:/var/lib/state.json',
    );
  }
  const file = rest.replace(/^\/\/\//, '/').replace(/^\/\/$/, '');
  return { kind: 'memory', file: file === '' ? null : file };
}

/** Parts as RFC 3986 section 3 cuts them; the fragment is the prefix and is taken as it stands, as in Hipache. */
function splitUrl(rest: string): { authority: string; path: string; query: string; prefix: string } {
  const parts = /^(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#([\s\S]*))?$/.exec(rest);
  const [, authority = '', path = '', query = '', prefix = ''] = parts ?? [];
  if (path !== '' && !path.startsWith('/')) {
    throw new Error('the host of a driver URL comes after two slashes, e.g. redis://127.0.0.1:6379');
  }
  return { authority, path, query, prefix };
}

/** The old form has no user (`:password@`); the password is what follows the last colon, and all of it where there is none. */
function parseUserinfo(userinfo: string): { username: string; password: string } {
  const colon = userinfo.lastIndexOf(':');
  return { username: decode(userinfo.slice(0, Math.max(colon, 0))), password: decode(userinfo.slice(colon + 1)) };
}

function parseHostAndPort(text: string, standardPort = redisPort): HostAndPort {
  const parts = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^:[\]\s]*))(?::(\d*))?$/i.exec(text);
  if (parts === null) {
    throw new Error('host and port of a driver URL are written host:port, an IPv6 address in brackets, e.g. redis://[::1]:6379');
  }
  const port = parts[3] === undefined || parts[3] === '' ? standardPort : Number(parts[3]);
  if (port < 1 || port > 65_535) throw new Error('the port of a driver URL is a number from 1 to 65535');
  return { host: parts[1] ?? (parts[2] || '127.0.0.1'), port };
}

/** @param path digits after the host, or empty */
function parseDatabase(named: string | undefined, path: string): number {
  if (named !== undefined && !/^\d+$/.test(named)) throw new Error('the database of a driver URL is a number, e.g. ?db=2');
  if (named !== undefined && path !== '' && Number(named) !== Number(path)) {
    throw new Error('the driver URL names two databases, in its path and in ?db=');
  }
  return Number(named ?? path);
}

function onlyDatabase(query: string): string | undefined {
  if (query !== '' && !/^db=\d+$/.test(query)) throw new Error('the only parameter of a driver URL is the database, e.g. ?db=2');
  return query === '' ? undefined : query.slice('db='.length);
}

function parseParameters(query: string, known: readonly string[]): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (!known.includes(name)) throw new Error(`a driver URL of sentinels has the parameters ${known.join(', ')} and no others`);
    parameters.set(name, value);
  }
  return parameters;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a password with a bare percent sign
  }
}

/** Writes a Redis URL so that `parseDriverUrl` gives the same back. */
export function formatRedisUrl(url: RedisUrl): string {
  const { host, port, tls, unixPath, username, password, db, prefix, sentinel, cluster } = url;
  const userinfo = password === '' && username === '' ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
  const fragment = prefix === '' ? '' : `#${prefix}`;
  const scheme = tls ? 'rediss' : 'redis';
  const database = db === 0 ? '' : `/${db}`;
  if (unixPath !== '') return `redis+unix://${userinfo}${encodeURI(unixPath)}${db === 0 ? '' : `?db=${db}`}${fragment}`;
  if (cluster !== undefined) return `${scheme}+cluster://${userinfo}${cluster.map(formatHost).join()}${fragment}`;
  if (sentinel === undefined) return `${scheme}://${userinfo}${formatHost({ host, port })}${database}${fragment}`;
  const credentials = new URLSearchParams();
  if (sentinel.username !== '') credentials.set('sentinel_username', sentinel.username);
  if (sentinel.password !== '') credentials.set('sentinel_password', sentinel.password);
  const query = credentials.size === 0 ? '' : `?${credentials}`;
  const hosts = sentinel.hosts.map(formatHost).join();
  return `${scheme}+sentinel://${userinfo}${hosts}/${encodeURIComponent(sentinel.name)}${database}${query}${fragment}`;
}

/** `host:port`, an IPv6 address in brackets. */
export function formatHost({ host, port }: HostAndPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A driver URL that may be shown: the password is replaced, also in a text that is no valid URL. */
export function maskDriverUrl(text: string): string {
  const parts = /^([a-z][a-z0-9+.-]*:\/*)([\s\S]*)$/i.exec(text);
  if (parts === null) return text.includes('@') ? secret : text;
  const [, start = '', written = ''] = parts;
  const rest = written.replace(/(\bsentinel_password=)[^&#]*/, `$1${secret}`);
  const at = rest.lastIndexOf('@');
  if (at !== -1) {
    const userinfo = rest.slice(0, at);
    const colon = userinfo.indexOf(':');
    return `${start}${colon > 0 ? userinfo.slice(0, colon) : ''}:${secret}${rest.slice(at)}`;
  }
  // No @, yet what stands behind the colon is no port: a password whose host was forgotten.
  const colon = /^[^:[\]/?#]*:(?!\d*(?:[/?#]|$))/.exec(rest);
  // Hosts of sentinels and clusters are parted by commas, and their ports with them.
  if (colon === null || /^(?:[^:,]+(?::\d+)?,)+[^:,/?#]+(?::\d+)?(?:[/?#]|$)/.test(rest)) return start + rest;
  return `${start}${colon[0]}${secret}`;
}
