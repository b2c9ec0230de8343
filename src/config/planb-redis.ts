// PlanB's flags that tell where Redis is, read side and write side.
import { shownValue } from './config-error.js';
import type { Draft } from './draft.js';
import { formatRedisUrl, parseHosts, type SentinelGroup, sentinelPort } from './driver-url.js';

const parts = ['network', 'host', 'port', 'sentinel-addrs', 'sentinel-name', 'password', 'db'] as const;

/** Rewrites `read-redis-*` and `write-redis-*` to `driver`. @returns whether any of them was there */
export function applyPlanbRedis(draft: Draft): boolean {
  const driverIsSet = draft.has('driver');
  const read = takeSide(draft, 'read-redis');
  const write = takeSide(draft, 'write-redis');
  const key = read?.key ?? write?.key;
  if (key === undefined) return false;
  if (driverIsSet) {
    draft.warn(`WARNING! \`${key}\` has no effect: \`driver\` is set too.`);
    return true;
  }
  // One side alone means one server: two by accident would write where nobody reads.
  const readUrl = read?.url ?? write?.url;
  const writeUrl = write?.url ?? read?.url;
  draft.set('driver', readUrl === writeUrl ? [readUrl] : [readUrl, writeUrl], { key, source: draft.source });
  return true;
}

function takeSide(draft: Draft, side: string): { url: string; key: string } | null {
  const found = new Map<string, unknown>();
  let first: string | undefined;
  for (const part of parts) {
    const value = draft.take(`${side}-${part}`);
    if (value === undefined) continue;
    draft.deprecated(`${side}-${part}`, 'driver');
    first ??= part;
    if (value !== '' && value !== null) found.set(part, value);
  }
  if (first === undefined) return null;

  const wrong = (part: string, allowed: string) => {
    const value = part === 'password' ? '(hidden)' : shownValue(found.get(part));
    draft.refuse({ kind: 'wrong', path: `${side}-${part}`, value, allowed, source: draft.source });
  };
  const network = found.get('network') ?? 'tcp';
  if (network !== 'tcp' && network !== 'unix') wrong('network', '"tcp", "unix"');
  const host = found.get('host') ?? '127.0.0.1';
  const sentinel = sentinelGroup();
  // PlanB looks at no address of its own once sentinels are named.
  const unix = network === 'unix' && sentinel === undefined;
  const hostIsRight = typeof host === 'string' && (unix ? host.startsWith('/') : /^[\w.:-]+$/.test(host));
  if (!hostIsRight) wrong('host', unix ? 'the path of a unix socket' : 'a host name or an IP address');
  const password = found.get('password') ?? '';
  if (typeof password === 'object') wrong('password', 'a text');
  const url = formatRedisUrl({
    kind: 'redis',
    host: unix || !hostIsRight ? '' : String(host),
    port: wholeNumber('port', 6379, 65_535),
    tls: false,
    unixPath: unix && hostIsRight ? String(host) : '',
    username: '',
    password: String(password),
    db: wholeNumber('db', 0, 1_000_000),
    prefix: '',
    ...(sentinel === undefined ? {} : { sentinel }),
  });
  return { url, key: `${side}-${first}` };

  function sentinelGroup(): SentinelGroup | undefined {
    const addresses = found.get('sentinel-addrs');
    const name = found.get('sentinel-name');
    if (addresses === undefined) {
      if (name !== undefined) wrong('sentinel-name', `nothing without ${side}-sentinel-addrs, which lists the sentinels`);
      return undefined;
    }
    if (typeof name !== 'string' || name === '') {
      const allowed = `the name that the sentinels of ${side}-sentinel-addrs give the primary`;
      draft.refuse({ kind: 'missing', path: `${side}-sentinel-name`, value: '', allowed, source: draft.source });
    }
    try {
      return {
        hosts: parseHosts(String(addresses).replace(/\s/g, ''), sentinelPort),
        name: String(name),
        username: '',
        password: '',
      };
    } catch {
      wrong('sentinel-addrs', 'host:port of each sentinel, with commas between them');
      return undefined;
    }
  }

  function wholeNumber(part: string, standard: number, most: number): number {
    const value = found.get(part) ?? standard;
    const number = Number(value);
    if (/^\d+$/.test(String(value)) && number <= most) return number;
    wrong(part, `a whole number up to ${most}`);
    return standard;
  }
}
