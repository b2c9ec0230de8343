// Changes the path of a request target: takes a prefix off, or follows rewriting rules. The query stays; so does what is not changed.
import type { Replacement, RewriteRule } from '../model/policy/rewriting.js';
import { normalSegment } from '../routing/path-normal.js';

/**
 * Takes a prefix off a target. The prefix is found as routes are: in any case, and where the path has dot segments, empty
 * segments or needless percent-encoding in it.
 * @param prefix in the normal form of routing/path-normal, with a leading and without a trailing slash; empty: nothing to take off
 * @param anywhere whether the prefix may end in the middle of a segment
 * @returns null where the path is not below the prefix
 */
export function withoutPrefix(target: string, prefix: string, anywhere: boolean): string | null {
  if (prefix === '') return null;
  // As most clients write it: nothing has to be taken apart.
  if (target.charCodeAt(prefix.length) === slash && target.startsWith(prefix) && !unusual.test(target)) {
    return target.slice(prefix.length);
  }
  const { path, query } = split(target);
  let end = needsReading.test(path) ? endOfPrefix(path, prefix) : endOfPlainPrefix(path, prefix, anywhere);
  if (end === -1 && anywhere && !dotSegment.test(path)) end = endOfPlainPrefix(path, prefix, true);
  return end === -1 ? null : `${oneSlash(path.slice(end))}${query}`;
}

const slash = 0x2f;

/** What a plain comparison could be wrong about. */
const needsReading = /\/\/|\/\.|[%\x7f-\uffff]/;
/** And what may not lead a path. */
const unusual = /\/\/|\/\.|[%\\\x7f-\uffff]/;
const dotSegment = /\/(\.|%2e){1,2}(\/|$)/i;

function endOfPlainPrefix(path: string, prefix: string, anywhere: boolean): number {
  const end = prefix.length;
  if (path.slice(0, end).toLowerCase() !== prefix) return -1;
  return anywhere || end === path.length || path[end] === '/' ? end : -1;
}

/**
 * Reads segment by segment (RFC 3986 section 5.2.4) and ends where the prefix was complete for the last time, so that no
 * dot segments remain that would lead out of it.
 */
function endOfPrefix(path: string, prefix: string): number {
  const wanted = prefix.slice(1).split('/');
  const found: string[] = [];
  let end = -1;
  for (let at = 0; at < path.length; ) {
    const slash = path.indexOf('/', at + 1);
    const next = slash === -1 ? path.length : slash;
    const segment = normalSegment(path.slice(at + 1, next));
    at = next;
    if (segment === '..') {
      if (found.pop() === undefined) return -1;
    } else if (segment !== '' && segment !== '.') found.push(segment);
    if (found.length === wanted.length && isBelow(found, wanted)) end = at;
  }
  return isBelow(found, wanted) ? end : -1;
}

function isBelow(found: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((segment, at) => found[at] === segment);
}

/** Follows the first rule that matches. */
export function rewritten(target: string, rules: readonly RewriteRule[]): string {
  const { path, query } = split(target);
  for (const rule of rules) {
    const found = rule.kind === 'prefix' ? byPrefix(path, rule) : byPattern(path, rule);
    if (found !== null) return `${oneSlash(found.path)}${joined(found.query, query)}`;
  }
  return target;
}

interface Rewritten {
  readonly path: string;
  readonly query: string;
}

function byPrefix(path: string, { from, to, query }: Extract<RewriteRule, { kind: 'prefix' }>): Rewritten | null {
  if (!path.startsWith(from)) return null;
  const rest = path.slice(from.length);
  if (rest === '') return { path: to, query };
  if (!rest.startsWith('/')) return null;
  return { path: to.endsWith('/') ? to + rest.slice(1) : to + rest, query };
}

function byPattern(path: string, { from, to, query }: Extract<RewriteRule, { kind: 'pattern' }>): Rewritten | null {
  const groups = from.match(path);
  return groups === null ? null : { path: replaced(to, groups), query: query === null ? '' : replaced(query, groups) };
}

function replaced({ literals, groups: places }: Replacement, groups: readonly (string | undefined)[]): string {
  let text = literals[0] as string;
  for (let at = 0; at < places.length; at++) text += (groups[places[at] as number] ?? '') + literals[at + 1];
  return text;
}

/** The query of a rule goes before that of the client. */
function joined(own: string, query: string): string {
  if (own === '') return query;
  return query.length > 1 ? `?${own}&${query.slice(1)}` : `?${own}`;
}

/** The query keeps its question mark. */
function split(target: string): { path: string; query: string } {
  const at = target.indexOf('?');
  return at === -1 ? { path: target, query: '' } : { path: target.slice(0, at), query: target.slice(at) };
}

/** Exactly one slash leads: two of them, or one and a backslash, are another host to whoever makes a link of it. */
function oneSlash(path: string): string {
  const rest = path.replace(/^\/+/, '');
  return rest.startsWith('\\') ? `/%5C${rest.slice(1)}` : `/${rest}`;
}
