// Records that are one key each, in Redis: the command that reads a shape, and those that replace it.
import type { RecordShape, StoredRecord } from '../model/record-kind.js';
import type { Command, CommandResult } from '../redis/commands.js';
import { asError, isForbidden, isWrongType } from '../redis/redis-errors.js';

/** What a longer list or a larger hash holds beyond is not read, so that one record cannot fill the memory. */
const maxElements = 65_536;

/** Characters of one value: a longer one is of no use to anybody, and would be held and looked through by every worker. */
export const longestValue = 1 << 20;

/** Reads a key of a shape. */
export function readRecordCommand(shape: RecordShape, key: string): Command {
  switch (shape) {
    case 'hash':
      return ['HSCAN', key, 0, 'COUNT', maxElements];
    case 'list':
      return ['LRANGE', key, 0, maxElements - 1];
    case 'set':
      return ['SMEMBERS', key];
    case 'text':
      return ['GET', key];
  }
}

/** The reply as a record; one of the wrong type, or that may not be read, is a record with a fault, any other error is thrown. */
export async function readReply(reply: Promise<unknown>, key: string): Promise<StoredRecord> {
  return parseReply(
    await reply.then(
      (value): CommandResult => [null, value],
      (error: unknown): CommandResult => [asError(error), null],
    ),
    key,
  );
}

/** The same of a command that was one of several. */
export function parseReply([error, value]: CommandResult, key: string): StoredRecord {
  if (error !== null) {
    if (isWrongType(error)) return { values: [], fault: `${key} has the wrong type` };
    if (isForbidden(error)) return { values: [], fault: `${key} may not be read by this user of Redis` };
    throw error;
  }
  if (value === null) return { values: [], fault: '' };
  if (!Array.isArray(value)) return bounded([value], key);
  if (!Array.isArray(value[1])) return bounded(value, key);
  const [next, found] = value as [unknown, unknown[]];
  return String(next) === '0' ? bounded(found, key) : { values: [], fault: `${key} has too many fields` };
}

function bounded(found: readonly unknown[], key: string): StoredRecord {
  const values = found.map(String);
  if (values.every(({ length }) => length <= longestValue)) return { values, fault: '' };
  return { values: [], fault: `${key} has a value of more than 1 MiB` };
}

/**
 * Replaces a key as a whole; without values it is removed.
 * @param milliseconds that it lasts; absent: for good
 */
export function replaceCommands(shape: RecordShape, key: string, values: readonly string[], milliseconds?: number): Command[] {
  const remove: Command = ['DEL', key];
  if (values.length === 0) return [remove];
  const commands = [remove, writeCommand(shape, key, values)];
  if (milliseconds !== undefined) commands.push(['PEXPIRE', key, Math.ceil(milliseconds)]);
  return commands;
}

function writeCommand(shape: RecordShape, key: string, values: readonly string[]): Command {
  switch (shape) {
    case 'hash':
      return ['HSET', key, ...values];
    case 'list':
      return ['RPUSH', key, ...values];
    case 'set':
      return ['SADD', key, ...values];
    case 'text':
      return ['SET', key, values[0] as string];
  }
}
