// What Redis replied about one frontend name, as a record: every reply is checked, since anybody may have written anything.
import type { DeadMark, FrontendRecord } from '../model/frontend.js';
import type { Command, CommandResult } from '../redis/commands.js';
import type { RedisKeys } from '../redis/keys.js';
import { asError, isWrongType } from '../redis/redis-errors.js';
import { longestValue } from './redis-records.js';

/** The replies to the commands of one name, in the order of `readCommands`; those of sets and hashes are scans. */
export interface RecordReplies {
  readonly list: CommandResult;
  readonly dead: CommandResult;
  readonly deadTtl: CommandResult;
  readonly health: CommandResult;
  readonly policy: CommandResult;
}

/** Identifier and this many backends: what a longer list holds beyond is not read, so that it costs nobody else anything. */
const maxListEntries = 4097;

/**
 * Places of a set or hash that one look at it goes through, which gives all of those that are meant for us. Of one with a million
 * members no more is read, so that it costs nobody else anything.
 */
const maxScanned = 8192;

/** Characters of all that one key gives: more is of no use to anybody. */
const mostText = 8 << 20;

/**
 * A list of the wrong type is a fault of the record. A dead set or health hash of the wrong type is read as empty, since a site
 * without marks is better than no site; `note` is told. Any other error is no matter of one record and is thrown.
 * @param now milliseconds since the epoch
 */
export function parseRecord(name: string, replies: RecordReplies, now: number, note: (text: string) => void): FrontendRecord {
  const fault = wrongType(replies.list)
    ? `frontend:${name} is not a list`
    : isTooLarge(replies.list)
      ? `frontend:${name} ${tooLarge}`
      : '';
  if (wrongType(replies.dead)) note(`dead:${name} is not a set; its marks are ignored`);
  if (wrongType(replies.health)) note(`health:${name} is not a hash; its marks are ignored`);
  if (isTooLarge(replies.dead)) note(`dead:${name} ${tooLarge}; its marks are ignored`);
  if (isTooLarge(replies.health)) note(`health:${name} ${tooLarge}; its marks are ignored`);
  // What is left out of a policy might have kept somebody out; marks are as good as none.
  const policyFault = wrongType(replies.policy)
    ? `route:${name} is not a hash`
    : isCut(replies.policy)
      ? `route:${name} has thousands of fields`
      : isTooLarge(replies.policy)
        ? `route:${name} ${tooLarge}`
        : '';
  const dead = scanned(replies.dead);
  const ttl = Number(replies.deadTtl[1]);
  // A mark that no member stands for says nothing any more, except one of maintenance.
  const marks = parseMarks(scanned(replies.health)).filter((mark) => dead.length > 0 || mark.manual === true);
  return {
    name,
    list: fault === '' ? sharing(name, strings(replies.list)) : noStrings,
    dead,
    marks: marks.length === 0 ? noMarks : marks,
    // PTTL gives -1 for a key without expiry.
    deadUntil: ttl >= 0 ? now + ttl : Number.POSITIVE_INFINITY,
    policy: policyFault === '' ? scanned(replies.policy) : noStrings,
    policyFault,
    fault,
  };
}

function wrongType([error]: CommandResult): boolean {
  if (error === null) return false;
  if (isWrongType(error)) return true;
  throw asError(error);
}

/** Most records have no marks and no policy, and there may be a hundred thousand of them. */
const noMarks: readonly DeadMark[] = Object.freeze([]);
const noStrings: readonly string[] = Object.freeze([]);

/** Bytes of Redis's memory beyond which a key is not read at all, once it is known that there are such keys. */
const mostMemory = 16 << 20;

/**
 * What there is of a frontend that is too large to be read; null: it is not.
 * @param sizes replies of MEMORY USAGE about its keys
 */
export function refuseLarge(name: string, sizes: readonly CommandResult[]): FrontendRecord | null {
  const largest = Math.max(...sizes.map(([error, size]) => (error === null ? Number(size) : 0)));
  if (!(largest > mostMemory)) return null;
  const fault = `frontend:${name}, its policy or its marks take ${Math.round(largest / (1 << 20))} MiB and are not read`;
  return { ...{ name, list: [], dead: [], marks: [], policy: [], policyFault: '' }, deadUntil: Number.POSITIVE_INFINITY, fault };
}

const tooLarge = 'has a value of more than 1 MiB, or more than 8 MiB in all';

/** Whether any of the replies is larger than is of use: the record should not be read as often as somebody asks for it. */
export function isOversized({ list, dead, health, policy }: RecordReplies): boolean {
  return isTooLarge(list) || isTooLarge(dead) || isTooLarge(health) || isTooLarge(policy);
}

function isTooLarge([, reply]: CommandResult): boolean {
  if (!Array.isArray(reply)) return false;
  let total = 0;
  for (const value of Array.isArray(reply[1]) ? reply[1] : reply) {
    const { length } = String(value);
    total += length;
    if (length > longestValue || total > mostText) return true;
  }
  return false;
}

/** What a scan gives: where the next one would have to begin, and what it found. */
function scanned(result: CommandResult): readonly string[] {
  const [error, reply] = result;
  return error === null && Array.isArray(reply) && !isTooLarge(result) ? strings([null, reply[1]]) : noStrings;
}

function isCut([error, reply]: CommandResult): boolean {
  return error === null && Array.isArray(reply) && String(reply[0]) !== '0';
}

function strings([error, reply]: CommandResult): readonly string[] {
  return error === null && Array.isArray(reply) && reply.length > 0 ? reply.map(String) : noStrings;
}

/** The identifier is often the name once more: one text where there may be a hundred thousand. */
function sharing(name: string, list: readonly string[]): readonly string[] {
  return list[0] === name ? list.with(0, name) : list;
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

/** Commands for each name of `readCommands`. */
export const commandsPerName = 6;

/** Asks for all that is known about some names. */
export function readCommands(keys: RedisKeys, names: readonly string[]): Command[] {
  return names.flatMap((name): Command[] => [
    ['LRANGE', keys.frontend(name), 0, maxListEntries - 1],
    ['PTTL', keys.frontend(name)],
    ['SSCAN', keys.dead(name), 0, 'COUNT', maxScanned],
    ['PTTL', keys.dead(name)],
    ['HSCAN', keys.health(name), 0, 'COUNT', maxScanned],
    ['HSCAN', keys.record('route', name), 0, 'COUNT', maxScanned],
  ]);
}

/** Commands for each name of `sizeCommands`. */
export const sizesPerName = 4;

/** A sample of so many elements finds what fills a key, and takes no time. */
export function sizeCommands(keys: RedisKeys, names: readonly string[]): Command[] {
  return names.flatMap((name) =>
    [keys.frontend(name), keys.dead(name), keys.health(name), keys.record('route', name)].map(
      (key): Command => ['MEMORY', 'USAGE', key, 'SAMPLES', 1024],
    ),
  );
}
