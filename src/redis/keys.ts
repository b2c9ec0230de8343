// Every name in Redis, on one page.
import { type RecordKind, recordKinds } from '../model/record-kind.js';

/** Channels carry no prefix and know no database number. */
export const deadChannel = 'dead';
export const invalidateChannel = '__redis__:invalidate';
/** Written by hchecker, which knows no prefix. */
export const hcheckerPingKey = 'hchecker_ping';

/** The keys of one installation: all begin with the `#prefix` of the driver URL, put before them without a separator. */
export class RedisKeys {
  readonly prefix: string;
  readonly #tracked: readonly string[];

  /** @param followNodes whether heartbeats are told as well, which only those who manage a fleet care for */
  constructor(prefix: string, followNodes = false) {
    this.prefix = prefix;
    // Broadcast tracking refuses prefixes that overlap, so that kinds which share a beginning are listed once.
    const others = ['frontend:', 'dead:', 'health:', 'revision', ...(followNodes ? ['node:'] : [])];
    this.#tracked = [...others, ...recordBeginnings].map((beginning) => prefix + beginning);
  }

  /** List: identifier, then backend URLs. */
  frontend(name: string): string {
    return `${this.prefix}frontend:${name}`;
  }

  /** Set: dead backends. */
  dead(name: string): string {
    return `${this.prefix}dead:${name}`;
  }

  /** Hash: list entry to mark. */
  health(name: string): string {
    return `${this.prefix}health:${name}`;
  }

  /** A record of another kind. */
  record(kind: RecordKind, name: string): string {
    switch (kind) {
      case 'patterns':
      case 'registered':
      case 'premium':
      case 'drained':
        return this.prefix + kind;
      case 'blocklist':
        return `${this.prefix}blocklist${name === '' ? '' : `:${name}`}`;
      case 'targets':
        return `${this.prefix}stream:${name}:targets`;
      default:
        return `${this.prefix}${kind}:${name}`;
    }
  }

  /** The keys that are read for some names of a kind. */
  *readFor(kind: RecordKind | 'frontend', names: readonly string[]): Iterable<string> {
    for (const name of names) {
      if (kind !== 'frontend') yield this.record(kind, name);
      else yield* [this.frontend(name), this.dead(name), this.health(name), this.record('route', name)];
    }
  }

  /** How the keys of a kind begin. */
  beginning(kind: RecordKind | 'frontend' | 'health'): string {
    return kind === 'frontend' ? this.frontend('') : kind === 'health' ? this.health('') : this.record(kind, '');
  }

  /** A counter of a limit. */
  limit(name: string): string {
    return `${this.prefix}limit:${name}`;
  }

  /** String: who does some work for all nodes. */
  lease(work: string): string {
    return `${this.prefix}lease:${work}`;
  }

  /** Integer: grows with each change that is made through the management API. */
  get revision(): string {
    return `${this.prefix}revision`;
  }

  /** Stream: every change that is made through the management API. */
  get history(): string {
    return `${this.prefix}history`;
  }

  /** Hash: heartbeat of a node. */
  node(id: string): string {
    return `${this.prefix}node:${id}`;
  }

  /** Hash: what a node has counted. */
  stats(id: string): string {
    return `${this.prefix}stats:${id}`;
  }

  /** Hash: the nodes that have such a hash, with when they wrote it last. No node has an empty id. */
  get statsNodes(): string {
    return this.stats('');
  }

  /** The node whose heartbeat lives in a key, or null. */
  nodeIn(key: string): string | null {
    const beginning = this.node('');
    return key.startsWith(beginning) ? key.slice(beginning.length) : null;
  }

  /** A key that lives for a second: written to see whether its invalidation arrives. */
  probe(id: string): string {
    return `${this.prefix}probe:${id}`;
  }

  /** The part of a key behind the prefix, where nobody here reads such keys; else null. */
  strayIn(key: string): string | null {
    if (!key.startsWith(this.prefix)) return null;
    const rest = key.slice(this.prefix.length);
    return knownBeginnings.has(beginningOf(rest)) ? null : rest;
  }

  /** What a change of must be told: beginnings of keys. */
  get tracked(): readonly string[] {
    return this.#tracked;
  }

  /** The frontend name in a key of a list, dead set, health hash or policy, or null. (`dead:<host>:<url>`, a lock of PlanB's, names a frontend that does not exist.) */
  nameIn(key: string): string | null {
    for (const kind of ['frontend:', 'dead:', 'health:', 'route:']) {
      const beginning = this.prefix + kind;
      if (key.startsWith(beginning)) return key.slice(beginning.length);
    }
    return null;
  }

  /** The record that lives in a key, or null. */
  recordIn(key: string): { readonly kind: RecordKind; readonly name: string } | null {
    if (!key.startsWith(this.prefix)) return null;
    const rest = key.slice(this.prefix.length);
    const first = beginningOf(rest);
    const name = rest.slice(first.length + 1);
    if (first === 'stream' && name.endsWith(':targets')) return { kind: 'targets', name: name.slice(0, -':targets'.length) };
    const kind = recordKinds.find((one) => one === first);
    return kind === undefined || kind === 'targets' || this.record(kind, name) !== key ? null : { kind, name };
  }
}

/** What a key begins with: what stands before its first colon, or all of it. */
export function beginningOf(key: string): string {
  const colon = key.indexOf(':');
  return colon === -1 ? key : key.slice(0, colon);
}

/** All beginnings of keys that are read or written here. */
export const knownBeginnings: ReadonlySet<string> = new Set([
  ...['frontend', 'dead', 'health', 'limit', 'lease', 'revision', 'history', 'node', 'stats', 'probe', hcheckerPingKey],
  ...recordKinds.filter((kind) => kind !== 'targets'),
]);

/** How the keys of records begin; `stream:` holds a listener's targets too. */
const recordBeginnings = recordKinds
  .filter((kind) => kind !== 'targets')
  .map((kind) => (['patterns', 'registered', 'premium', 'drained', 'blocklist'].includes(kind) ? kind : `${kind}:`));
