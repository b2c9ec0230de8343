// Redis in the older spellings: redisHost … of Hipache, redisMasterHost … for its write side, redis: {host, port} of cjs-proxy.
import { shownValue } from './config-error.js';
import type { Draft } from './draft.js';
import { formatRedisUrl } from './driver-url.js';

/** Which keys tell the parts of one server; the first that is there counts. */
interface ServerKeys {
  readonly host: readonly string[];
  readonly port: readonly string[];
  readonly db: readonly string[];
  readonly password: readonly string[];
}

const readKeys: ServerKeys = {
  host: ['redisHost', 'redis.host'],
  port: ['redisPort', 'redis.port'],
  db: ['redisDatabase', 'redis.database', 'redis.db'],
  password: ['redisPassword', 'redis.password'],
};
const writeKeys: ServerKeys = {
  host: ['redisMasterHost'],
  port: ['redisMasterPort'],
  db: ['redisMasterDatabase'],
  password: ['redisMasterPassword'],
};

/** Rewrites the keys to `driver`. @returns whether any of them was there */
export function applyLegacyRedis(draft: Draft): boolean {
  const driverIsSet = draft.has('driver');
  const read = takeServer(draft, readKeys);
  const write = takeServer(draft, writeKeys);
  const key = read?.key ?? write?.key;
  if (key === undefined) return false;
  if (driverIsSet) {
    draft.warn(`WARNING! \`${key}\` has no effect: \`driver\` is set too.`);
    return true;
  }
  const urls = [read?.url ?? 'redis:', ...(write === null ? [] : [write.url])];
  draft.set('driver', urls, { key, source: draft.source });
  return true;
}

/** Takes the keys of one server out and makes its URL of them; null where there is none. */
function takeServer(draft: Draft, keys: ServerKeys): { url: string; key: string } | null {
  const host = takePart(draft, keys.host, 'a host name or an IP address', (value) => (isHost(value) ? value : null));
  const port = takePart(draft, keys.port, 'a port from 1 to 65535', (value) => numberWithin(value, 1, 65_535));
  const db = takePart(draft, keys.db, 'the number of a database', (value) => numberWithin(value, 0, 1_000_000));
  const password = takePart(draft, keys.password, 'a text', (value) => (typeof value === 'object' ? null : String(value)));
  const key = [host, port, db, password].find((part) => part.key !== '')?.key;
  if (key === undefined) return null;
  const url = formatRedisUrl({
    kind: 'redis',
    host: host.value ?? '127.0.0.1',
    port: port.value ?? 6379,
    tls: false,
    unixPath: '',
    username: '',
    password: password.value ?? '',
    db: db.value ?? 0,
    prefix: '',
  });
  return { url, key };
}

/** Takes one part out; a wrong one becomes a fault of its own key. Null and empty texts were defaults and count as absent. */
function takePart<T>(
  draft: Draft,
  keys: readonly string[],
  allowed: string,
  parse: (value: unknown) => T | null,
): { value: T | null; key: string } {
  let taken: { value: T | null; key: string } = { value: null, key: '' };
  for (const key of keys) {
    const written = draft.take(key);
    if (written === undefined) continue;
    draft.deprecated(key, 'driver');
    if (taken.key !== '') continue;
    const value = written === null || written === '' ? null : parse(written);
    taken = { value, key };
    if (value === null && written !== null && written !== '') {
      const shown = /password/i.test(key) ? '(hidden)' : shownValue(written);
      draft.refuse({ kind: 'wrong', path: key, value: shown, allowed, source: draft.source });
    }
  }
  return taken;
}

function isHost(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.:-]+$/.test(value);
}

function numberWithin(value: unknown, least: number, most: number): number | null {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most ? number : null;
}
