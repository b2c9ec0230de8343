// Driver URLs: where the store is, e.g. redis://user:password@10.0.0.1:6379/2#prefix: or memory:state.json.

/** A Redis server. */
export interface RedisUrl {
  readonly kind: 'redis';
  /** Host name or address without brackets; empty for a unix socket. */
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
}

/** The embedded store; its state is kept in `file`, or only in memory. */
interface MemoryUrl {
  readonly kind: 'memory';
  readonly file: string | null;
}

export type DriverUrl = RedisUrl | MemoryUrl;

const secret = 'CENSORED';

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
    case 'memory':
      return parseMemory(rest);
    case 'redis+sentinel':
    case 'redis+cluster':
      throw new Error(`${scheme}: is not supported by this version: name one server, redis://host:port`);
    case 'memcached':
    case 'etcd':
    case 'etcds':
    case 'zookeeper':
      throw new Error(
        `${scheme}: is a store of Hipache that this proxy does not have: move its records to Redis, redis://host:port`,
      );
    case '':
      throw new Error('a driver URL begins with redis:, rediss:, redis+unix: or memory:, e.g. redis://127.0.0.1:6379');
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
  const db = parseDatabase(query, path.slice(1));
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
    db: parseDatabase(query, ''),
    prefix,
  };
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

function parseHostAndPort(text: string): { host: string; port: number } {
  const parts = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^:[\]\s]*))(?::(\d*))?$/i.exec(text);
  if (parts === null) {
    throw new Error('host and port of a driver URL are written host:port, an IPv6 address in brackets, e.g. redis://[::1]:6379');
  }
  const port = parts[3] === undefined || parts[3] === '' ? 6379 : Number(parts[3]);
  if (port < 1 || port > 65_535) throw new Error('the port of a driver URL is a number from 1 to 65535');
  return { host: parts[1] ?? (parts[2] || '127.0.0.1'), port };
}

function parseDatabase(query: string, path: string): number {
  const named = /^db=(\d+)$/.exec(query)?.[1];
  if (query !== '' && named === undefined) throw new Error('the only parameter of a driver URL is the database, e.g. ?db=2');
  if (named !== undefined && path !== '' && Number(named) !== Number(path)) {
    throw new Error('the driver URL names two databases, in its path and in ?db=');
  }
  return Number(named ?? path);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a password with a bare percent sign
  }
}

/** Writes a Redis URL so that `parseDriverUrl` gives the same back. */
export function formatRedisUrl({ host, port, tls, unixPath, username, password, db, prefix }: RedisUrl): string {
  const userinfo = password === '' && username === '' ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
  const fragment = prefix === '' ? '' : `#${prefix}`;
  if (unixPath !== '') return `redis+unix://${userinfo}${encodeURI(unixPath)}${db === 0 ? '' : `?db=${db}`}${fragment}`;
  const scheme = tls ? 'rediss' : 'redis';
  return `${scheme}://${userinfo}${host.includes(':') ? `[${host}]` : host}:${port}${db === 0 ? '' : `/${db}`}${fragment}`;
}

/** A driver URL that may be shown: the password is replaced, also in a text that is no valid URL. */
export function maskDriverUrl(text: string): string {
  const parts = /^([a-z][a-z0-9+.-]*:\/*)([\s\S]*)$/i.exec(text);
  if (parts === null) return text.includes('@') ? secret : text;
  const [, start = '', rest = ''] = parts;
  const at = rest.lastIndexOf('@');
  if (at !== -1) {
    const userinfo = rest.slice(0, at);
    const colon = userinfo.indexOf(':');
    return `${start}${colon > 0 ? userinfo.slice(0, colon) : ''}:${secret}${rest.slice(at)}`;
  }
  // No @, yet what stands behind the colon is no port: a password whose host was forgotten.
  const colon = /^[^:[\]/?#]*:(?!\d*(?:[/?#]|$))/.exec(rest);
  return colon === null ? text : `${start}${colon[0]}${secret}`;
}
