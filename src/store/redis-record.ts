// What Redis replied about one frontend name, as a record: every reply is checked, since anybody may have written anything.
import type { DeadMark, FrontendRecord } from '../model/frontend.js';
import type { CommandResult } from '../redis/commands.js';
import { asError, isWrongType } from '../redis/redis-errors.js';

/** The replies to the commands of one name, in the order in which `redis-store` sends them; those of sets and hashes are scans. */
export interface RecordReplies {
  readonly list: CommandResult;
  readonly dead: CommandResult;
  readonly deadTtl: CommandResult;
  readonly health: CommandResult;
  readonly policy: CommandResult;
}

/** Identifier and this many backends: what a longer list holds beyond is not read, so that it costs nobody else anything. */
export const maxListEntries = 4097;

/**
 * Places of a set or hash that one look at it goes through, which gives all of those that are meant for us. Of one with a million
 * members no more is read, so that it costs nobody else anything.
 */
export const maxScanned = 8192;

/**
 * A list of the wrong type is a fault of the record. A dead set or health hash of the wrong type is read as empty, since a site
 * without marks is better than no site; `note` is told. Any other error is no matter of one record and is thrown.
 * @param now milliseconds since the epoch
 */
export function parseRecord(name: string, replies: RecordReplies, now: number, note: (text: string) => void): FrontendRecord {
  const fault = wrongType(replies.list) ? `frontend:${name} is not a list` : '';
  if (wrongType(replies.dead)) note(`dead:${name} is not a set; its marks are ignored`);
  if (wrongType(replies.health)) note(`health:${name} is not a hash; its marks are ignored`);
  // What is left out of a policy might have kept somebody out; marks are as good as none.
  const policyFault = wrongType(replies.policy)
    ? `route:${name} is not a hash`
    : isCut(replies.policy)
      ? `route:${name} has thousands of fields`
      : '';
  const dead = scanned(replies.dead);
  const ttl = Number(replies.deadTtl[1]);
  return {
    name,
    list: strings(replies.list),
    dead,
    // A mark that no member stands for says nothing any more, except one of maintenance.
    marks: parseMarks(scanned(replies.health)).filter((mark) => dead.length > 0 || mark.manual === true),
    // PTTL gives -1 for a key without expiry.
    deadUntil: ttl >= 0 ? now + ttl : Number.POSITIVE_INFINITY,
    policy: policyFault === '' ? scanned(replies.policy) : [],
    policyFault,
    fault,
  };
}

function wrongType([error]: CommandResult): boolean {
  if (error === null) return false;
  if (isWrongType(error)) return true;
  throw asError(error);
}

/** What a scan gives: where the next one would have to begin, and what it found. */
function scanned([error, reply]: CommandResult): string[] {
  return error === null && Array.isArray(reply) ? strings([null, reply[1]]) : [];
}

function isCut([error, reply]: CommandResult): boolean {
  return error === null && Array.isArray(reply) && String(reply[0]) !== '0';
}

function strings([error, reply]: CommandResult): string[] {
  return error === null && Array.isArray(reply) ? reply.map(String) : [];
}

/** @param fields names and values in turn, as HSCAN replies */
function parseMarks(fields: readonly string[]): DeadMark[] {
  const marks: DeadMark[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const mark = parseMark(fields[at]!, fields[at + 1]!);
    if (mark !== null) marks.push(mark);
  }
  return marks;
}

/** Junk is no mark: the member of the dead set then counts as an index. */
function parseMark(entry: string, json: string): DeadMark | null {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null) return null;
    const written = value as Readonly<Record<string, unknown>>;
    // A person may write no more than {"manual":true}.
    if (written.manual === true) {
      const { index } = written;
      const since = finite(written, 'since') ?? 0;
      return { entry, index: isIndex(index) ? index : -1, until: Number.POSITIVE_INFINITY, since, manual: true };
    }
    const until = finite(written, 'until');
    if (!isIndex(written.index) || until === null) return null;
    const mark: { -readonly [K in keyof DeadMark]: DeadMark[K] } = { entry, index: written.index, until };
    for (const name of ['since', 'retryAt', 'opens'] as const) {
      const number = finite(written, name);
      if (number !== null) mark[name] = number;
    }
    if (written.probed === true) mark.probed = true;
    if (typeof written.frontend === 'string') mark.frontend = written.frontend;
    return mark;
  } catch {
    return null;
  }
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function finite(value: Readonly<Record<string, unknown>>, name: string): number | null {
  const number = value[name];
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}
