// What has to be known to answer a request: the names of frontends in the order in which they are tried.
import type { HostName } from './host-name.js';
import { lookupNames } from './host-order.js';
import type { HostPattern } from './host-pattern.js';
import type { PathPrefix, PrefixSet } from './path-prefix.js';
import type { PrefixIndex } from './prefix-index.js';

/** A question and where its answer may be found. The first of `names` that has a list wins. */
export interface Lookup {
  /** Whose dead sets count besides those of the frontend that matches. */
  readonly host: string;
  readonly names: readonly string[];
  /** Those of them that are frontends of whole hosts. */
  readonly plain: readonly string[];
  /** The first prefix that the path is below. */
  readonly prefix: PathPrefix | null;
}

/**
 * For each host name of Hipache's order the prefixes that the path is below, the longest first, then the host name itself.
 * @param pattern a pattern that names a frontend in place of the host that was asked for; null: none
 * @param path in normal form
 */
export function lookupFor(name: HostName, pattern: HostPattern | null, path: string, prefixes: PrefixIndex): Lookup {
  const named = pattern?.target.kind === 'frontend' ? pattern.target.name : null;
  const host = named ?? name.host;
  const plain = named === null ? lookupNames(host, name.port) : [named];
  if (prefixes.size === 0) return { host, names: plain, plain, prefix: null };
  const names: string[] = [];
  let first: PathPrefix | null = null;
  for (const one of plain) {
    for (const prefix of prefixes.of(one)?.all(path) ?? []) {
      first ??= prefix;
      // Marks of a wildcard's backends are kept by the host that was asked for.
      if (one !== host && one.startsWith('*')) names.push(`${host}${prefix.prefix === '' ? '/' : prefix.prefix}`);
      names.push(prefix.name);
    }
    names.push(one);
  }
  return { host, names, plain, prefix: first };
}

/** The prefixes of some host names, in their order. */
export function prefixSets(names: readonly string[], prefixes: PrefixIndex): readonly PrefixSet[] {
  if (prefixes.size === 0) return noSets;
  const sets = names.flatMap((name) => prefixes.of(name) ?? []);
  return sets.length === 0 ? noSets : sets;
}

/** No prefixes at all: the usual case, told apart by identity. */
export const noSets: readonly PrefixSet[] = Object.freeze([]);

/** The prefix that a path is below, or null: of the first host name that has one. @param path in normal form */
export function firstPrefix(sets: readonly PrefixSet[], path: string): PathPrefix | null {
  for (const set of sets) {
    const found = set.longest(path);
    if (found !== null) return found;
  }
  return null;
}
