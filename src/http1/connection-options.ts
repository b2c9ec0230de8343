// What the Connection lines of a head ask for (RFC 9110 section 7.6.1).
import { isWord } from './characters.js';
import type { HeadLines } from './head-lines.js';
import { type HeaderList, Kind } from './headers.js';
import { listMembers } from './list-members.js';

/** The members of Connection. */
export interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
  /** Further names in lower case, whose lines are for this connection only; null: none. */
  readonly names: ReadonlySet<string> | null;
}

const none: ConnectionOptions = { close: false, keepAlive: false, upgrade: false, names: null };
const onlyClose: ConnectionOptions = { close: true, keepAlive: false, upgrade: false, names: null };
const onlyKeepAlive: ConnectionOptions = { close: false, keepAlive: true, upgrade: false, names: null };
const onlyUpgrade: ConnectionOptions = { close: false, keepAlive: false, upgrade: true, names: null };

/**
 * Fields that stay whatever Connection names: by taking them away a client could hide itself, its rights or the length
 * of its body from a backend that relies on this proxy for them.
 */
const irremovable: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'x-real-ip',
  'forwarded',
  'authorization',
  'cookie',
  'x-request-id',
]);
const irremovablePrefix = 'x-forwarded-';

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** The options of a head that was scanned, or null where a member is no token. The usual values cost no allocation. */
export function connectionOptions(buffer: Buffer, lines: HeadLines, headers: HeaderList): ConnectionOptions | null {
  if (!lines.has(Kind.connection)) return none;
  if (!lines.isRepeated(Kind.connection)) {
    const from = lines.valueStart(Kind.connection);
    const to = lines.valueEnd(Kind.connection);
    if (isWord(buffer, from, to, 'keep-alive')) return onlyKeepAlive;
    if (isWord(buffer, from, to, 'close')) return onlyClose;
    if (isWord(buffer, from, to, 'upgrade')) return onlyUpgrade;
  }
  return parseOptions(headers.joined(Kind.connection));
}

function parseOptions(value: string): ConnectionOptions | null {
  let close = false;
  let keepAlive = false;
  let upgrade = false;
  let names: Set<string> | null = null;
  for (const name of listMembers(value)) {
    if (name === '') continue; // empty members are ignored, RFC 9110 section 5.6.1.2
    if (!tokenPattern.test(name)) return null;
    if (name === 'close') close = true;
    else if (name === 'keep-alive') keepAlive = true;
    else if (name === 'upgrade') upgrade = true;
    else if (!irremovable.has(name) && !name.startsWith(irremovablePrefix)) {
      if (names === null) names = new Set();
      names.add(name);
    }
  }
  return { close, keepAlive, upgrade, names };
}
