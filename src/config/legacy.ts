// Older spellings of Hipache up to 0.3.1 and of cjs-proxy: each moves to the key of today with its old meaning and one warning.
import type { Draft, Tree } from './draft.js';
import { isTree } from './draft.js';
import { applyLegacyRedis } from './legacy-redis.js';
import { nearestName } from './nearest.js';

/** Rewrites the older keys of a file. A key of today that is there as well wins. */
export function applyLegacy(draft: Draft): void {
  const oldFile = !draft.has('http');
  const redis = applyLegacyRedis(draft);
  const listen = applyLegacyListen(draft, oldFile);
  if (oldFile && (redis || listen) && !draft.has('http.bind')) {
    const before = 'as Hipache 0.3.1 did. Please set `http.bind` to choose.';
    draft.warn(`WARNING! \`server.address\` is absent: listening on all interfaces, ${before}`);
    draft.set('http.bind', ['::'], { key: 'server.address', source: draft.source });
  }
  move(draft, 'server.errorMaxRetries', 'server.retryOnError');
  applyLruCache(draft);
}

/**
 * `server.port`, `server.address`, `server.address6` and `server.https`. The addresses are those of HTTP and of HTTPS.
 * @returns whether any of them was there
 */
function applyLegacyListen(draft: Draft, oldFile: boolean): boolean {
  const port = move(draft, 'server.port', 'http.port');
  const address = draft.take('server.address');
  const address6 = draft.take('server.address6');
  const https = applyLegacyHttps(draft);
  if (address !== undefined) draft.deprecated('server.address', 'http.bind');
  if (address6 !== undefined) draft.deprecated('server.address6', 'http.bind');

  const written = address !== undefined || address6 !== undefined;
  if (written || https) {
    // 0.2 listened on all IPv4 interfaces beside its IPv6 list; 0.3.1 without any address on all of both families.
    const base = address !== undefined ? list(address) : address6 !== undefined ? ['0.0.0.0'] : ['::'];
    const addresses = [...base, ...list(address6)];
    const origin = {
      key: address !== undefined || address6 === undefined ? 'server.address' : 'server.address6',
      source: draft.source,
    };
    if (written || oldFile) {
      if (!draft.has('http.bind')) draft.set('http.bind', addresses, origin);
      else draft.warn('WARNING! `server.address` has no effect on HTTP: `http.bind` is set too.');
    }
    // A section of today without a key does not ask for HTTPS.
    const wanted = https || draft.has('https.key') || draft.has('https.cert');
    if (wanted && isTree(draft.get('https')) && !draft.has('https.bind')) draft.set('https.bind', addresses, origin);
  }
  return port || written || https;
}

/** `server.https` turns HTTPS on. @returns whether it did */
function applyLegacyHttps(draft: Draft): boolean {
  const https = draft.take('server.https');
  if (https === undefined || https === null || https === false) return false;
  draft.deprecated('server.https', 'https');
  if (draft.has('https')) {
    draft.warn('WARNING! `server.https` has no effect: `https` is set too.');
    return false;
  }
  draft.set('https', https, { key: 'server.https', source: draft.source });
  return true;
}

/** `server.lruCache` sized the cache of a worker. Its entries needed a life time; those of today are dropped when they change. */
function applyLruCache(draft: Draft): void {
  const cache = draft.get('server.lruCache');
  if (isTree(cache)) {
    for (const spelling of ['size', 'Size']) {
      if (draft.get(`server.lruCache.${spelling}`) === 0) draft.take(`server.lruCache.${spelling}`);
      else move(draft, `server.lruCache.${spelling}`, 'redis.cacheEntries');
    }
    if (draft.take('server.lruCache.ttl') !== undefined) {
      draft.warn('WARNING! `server.lruCache.ttl` has no effect: cached records are dropped as soon as they change.');
    }
    refuseRest(draft, draft.get('server.lruCache') as Tree);
    draft.take('server.lruCache');
  } else if (cache === null || cache === false) {
    draft.take('server.lruCache');
  } else if (cache !== undefined) {
    draft.take('server.lruCache');
    const allowed = 'an object such as {"size": 1000}';
    draft.refuse({ kind: 'wrong', path: 'server.lruCache', value: JSON.stringify(cache), allowed, source: draft.source });
  }
}

function refuseRest(draft: Draft, cache: Tree): void {
  for (const key of Object.keys(cache)) {
    const name = nearestName(key, ['size', 'ttl']);
    const nearest = name === undefined ? {} : { nearest: `server.lruCache.${name}` };
    draft.refuse({
      kind: 'unknown',
      path: `server.lruCache.${key}`,
      value: '',
      allowed: 'size, ttl',
      ...nearest,
      source: draft.source,
    });
  }
}

/** Moves a value to the key of today. @returns whether it was there */
function move(draft: Draft, from: string, to: string): boolean {
  const value = draft.take(from);
  if (value === undefined) return false;
  draft.deprecated(from, to);
  if (draft.has(to)) draft.warn(`WARNING! \`${from}\` has no effect: \`${to}\` is set too.`);
  else draft.set(to, value, { key: from, source: draft.source });
  return true;
}

function list(value: unknown): unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
