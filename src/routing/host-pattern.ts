// One entry of the record `patterns`: which hosts it is meant for, and what serves them.
import { isIP } from 'node:net';
import { isExponentiallyAmbiguous } from '../base/pattern-ambiguity.js';
import { readPattern } from '../base/pattern-program.js';
import { parseSafePattern, type SafePattern } from '../base/safe-pattern.js';
import type { FrontendRecord, Route } from '../model/frontend.js';
import { parseBackend } from '../model/parse-backend.js';
import { compileRoute } from './compile-route.js';

/** What serves the hosts of a pattern: a frontend, with its prefixes where it has any, or one backend. */
type PatternTarget = { readonly kind: 'frontend'; readonly name: string } | { readonly kind: 'backend'; readonly route: Route };

/** A pattern of an entry. */
export interface HostPattern {
  /** As it was written. */
  readonly text: string;
  /** Only for connections that are, or are not, secure; null: for both. */
  readonly secure: boolean | null;
  readonly target: PatternTarget;
  /** The one host that is meant, in lower case; null where it is not one alone. */
  readonly literal: string | null;
  /** @param host in lower case, without port, brackets and trailing dot; empty where none was asked for */
  matches(host: string): boolean;
}

/** The patterns of an entry, one for each name, or why it is none. */
export type ParsedPatterns =
  | { readonly kind: 'patterns'; readonly patterns: readonly HostPattern[] }
  | { readonly kind: 'fault'; readonly text: string };

/** Said of an entry by whatever finds it; caught by `parseHostPatterns`. */
class Fault extends Error {}

const known = ['hostname', 'pattern', 'secure', 'to'];
const longest = 1_000;

/**
 * Reads `{"hostname": "a.?.com", "to": 8090}`: Proxima's routes. `hostname` (or `pattern`) is a glob, an expression between
 * slashes, or a list of them. `to` is `frontend:NAME`, a port of this machine, the URL of a backend, the path of a unix socket, or
 * Proxima's object with `port` or `path`.
 */
export function parseHostPatterns(json: string): ParsedPatterns {
  try {
    const entry = parseEntry(json);
    const unknown = Object.keys(entry).find((key) => !known.includes(key));
    if (unknown !== undefined)
      throw new Fault(`has the unknown member ${JSON.stringify(unknown.slice(0, 40))}; allowed: ${known.join(', ')}`);
    const names = entry.hostname ?? entry.pattern;
    const texts = Array.isArray(names) ? names : [names];
    if (texts.length === 0 || (entry.hostname !== undefined && entry.pattern !== undefined))
      throw new Fault('has to have one of "hostname" and "pattern"');
    const secure = readSecure(entry);
    const target = readTarget(entry.to, String(texts[0]));
    return { kind: 'patterns', patterns: texts.map((text) => readPatternOf(text, secure, target)) };
  } catch (error) {
    if (error instanceof Fault) return { kind: 'fault', text: error.message };
    throw error;
  }
}

function parseEntry(json: string): Record<string, unknown> {
  let entry: unknown;
  try {
    entry = JSON.parse(json);
  } catch {
    throw new Fault('is not JSON');
  }
  if (!isObject(entry)) throw new Fault('is not an object such as {"hostname": "*.example.com", "to": "frontend:example.com"}');
  return entry;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Beside `to` or in it, as in Proxima. */
function readSecure({ secure, to }: Record<string, unknown>): boolean | null {
  const written = secure ?? (isObject(to) ? to.secure : undefined);
  if (written === undefined) return null;
  if (typeof written !== 'boolean') throw new Fault('has a "secure" that is neither true nor false');
  return written;
}

function readTarget(to: unknown, text: string): PatternTarget {
  if (typeof to === 'string' && to.startsWith('frontend:')) {
    const name = to.slice('frontend:'.length);
    if (name === '') throw new Fault('has a "to" without the name of a frontend');
    return { kind: 'frontend', name };
  }
  const entry = readEndpoint(to);
  const backend = parseBackend(entry, 0);
  if (backend.kind === 'fault') throw new Fault(`has a "to" that ${backend.text}`);
  const record: FrontendRecord = {
    name: `pattern:${text}`,
    list: [text, entry],
    dead: [],
    marks: [],
    deadUntil: Number.POSITIVE_INFINITY,
    policy: [],
    policyFault: '',
    fault: '',
  };
  return { kind: 'backend', route: compileRoute(record.name, [record]).route };
}

/** An endpoint of Proxima's as the entry of a list. */
function readEndpoint(to: unknown): string {
  if (typeof to === 'number') return `http://localhost:${readPort(to)}`;
  if (typeof to === 'string' && to !== '') return to.startsWith('/') ? `unix:${to}` : to;
  if (!isObject(to))
    throw new Fault('has no "to": a port, a URL, the path of a socket, {"port", "host"}, {"path"} or "frontend:NAME"');
  const { port, host, path } = to;
  const unknown = Object.keys(to).find((key) => !['port', 'host', 'path', 'secure'].includes(key));
  if (unknown !== undefined) throw new Fault(`has a "to" with the unknown member ${JSON.stringify(unknown.slice(0, 40))}`);
  if ((port === undefined) === (path === undefined)) throw new Fault('has to have one of "port" and "path" in its "to"');
  if (path !== undefined) {
    if (typeof path !== 'string' || !path.startsWith('/')) throw new Fault('has a "path" that is not the path of a socket');
    return `unix:${path}`;
  }
  if (host === undefined) return `http://localhost:${readPort(port)}`;
  const version = typeof host === 'string' ? isIP(host) : 0;
  if (version === 0) throw new Fault('has a "host" that is no IPv4 or IPv6 address');
  return `http://${version === 6 ? `[${String(host)}]` : String(host)}:${readPort(port)}`;
}

function readPort(port: unknown): number {
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535)
    throw new Fault('has a port that is no whole number from 1 to 65535');
  return port as number;
}

function readPatternOf(text: unknown, secure: boolean | null, target: PatternTarget): HostPattern {
  if (typeof text !== 'string' || text === '') throw new Fault('has a hostname that is no text');
  if (text.length > longest) throw new Fault(`has a hostname of more than ${longest} characters`);
  const expression = /^\/(.*)\/([a-z]*)$/s.exec(text);
  if (expression !== null) {
    const pattern = readExpression(expression[1] as string, expression[2] as string);
    return { text, secure, target, literal: null, matches: (host) => pattern.test(host) };
  }
  const glob = readGlob(text);
  if (!/[*?]/.test(glob)) return { text, secure, target, literal: glob, matches: (host) => host === glob };
  return { text, secure, target, literal: null, matches: globMatcher(glob) };
}

/**
 * Hosts know no case, so that `i` is always meant; they are one line of ASCII, so that `m`, `s`, `u`, `d` and `g` change nothing.
 * Matching takes no more than linear time whatever the expression is; one that would take exponential time elsewhere is refused
 * all the same: the record may be read by others, and it is a mistake nearly always.
 */
function readExpression(source: string, flags: string): SafePattern {
  const other = /[^dgimsu]/.exec(flags);
  if (other !== null) throw new Fault(`has an expression with the flag ${other[0]}; allowed: d, g, i, m, s, u`);
  const program = readPattern(source, 'i');
  if (typeof program === 'string') throw new Fault(`has an expression that cannot be used; allowed: ${program}`);
  if (isExponentiallyAmbiguous(program)) {
    throw new Fault(
      'has an expression that repeats what matches the same text in more than one way, such as (a+)+ or (a|a)*: it could take exponential time',
    );
  }
  const pattern = parseSafePattern(source, 'i');
  if (typeof pattern === 'string') throw new Fault(`has an expression that cannot be used; allowed: ${pattern}`);
  return pattern;
}

/** As hosts are matched: lower case, without brackets and without the trailing dot of a full name. */
function readGlob(text: string): string {
  const lower = text.toLowerCase();
  const address = /^\[([^\]]*)\]$/.exec(lower);
  if (address !== null) return address[1] as string;
  if (/^[^:]*:\d+$/.test(lower)) throw new Fault('has a hostname with a port; write the name alone');
  if (!/^[\x21-\x7e]+$/.test(lower)) throw new Fault('has a hostname with a blank or a letter outside ASCII; write it as xn--');
  return lower.endsWith('.') && lower.length > 1 ? lower.slice(0, -1) : lower;
}

/** `*` is any text, `?` any text without dots and colons; all else is meant literally, from the beginning of the host to its end. */
function globMatcher(glob: string): (host: string) => boolean {
  const source = glob
    .replace(/[.+^$()[\]{}|\\/]/g, '\\$&')
    .replace(/\*+/g, '[^]*')
    .replace(/\?+/g, '[^.:]*');
  const pattern = parseSafePattern(`^${source}$`);
  if (typeof pattern === 'string') throw new Fault(`has a hostname that cannot be used; allowed: ${pattern}`);
  // Most hosts fail on these already.
  const head = glob.slice(0, glob.search(/[*?]/));
  const tail = glob.slice(Math.max(glob.lastIndexOf('*'), glob.lastIndexOf('?')) + 1);
  return (host) => host.length >= head.length + tail.length && host.startsWith(head) && host.endsWith(tail) && pattern.test(host);
}
