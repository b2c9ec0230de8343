// Records that are one key each, in Redis: the command that reads a shape, and those that replace it.
import type { RecordShape, StoredRecord } from '../model/record-kind.js';
import type { Command } from '../redis/commands.js';
import { asError, isForbidden, isWrongType } from '../redis/redis-errors.js';

/** What a longer list holds beyond is not read, so that one record cannot fill the memory. */
const maxElements = 65_536;

/** Reads a key of a shape. */
export function readRecordCommand(shape: RecordShape, key: string): Command {
  switch (shape) {
    case 'hash':
      return ['HGETALL', key];
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
  try {
    const value = await reply;
    if (value === null) return { values: [], fault: '' };
    return { values: Array.isArray(value) ? value.map(String) : [String(value)], fault: '' };
  } catch (error) {
    if (isWrongType(asError(error))) return { values: [], fault: `${key} has the wrong type` };
    if (isForbidden(asError(error))) return { values: [], fault: `${key} may not be read by this user of Redis` };
    throw error;
  }
}

/** Replaces a key as a whole; without values it is removed. */
export function replaceCommands(shape: RecordShape, key: string, values: readonly string[]): Command[] {
  const remove: Command = ['DEL', key];
  if (values.length === 0) return [remove];
  switch (shape) {
    case 'hash':
      return [remove, ['HSET', key, ...values]];
    case 'list':
      return [remove, ['RPUSH', key, ...values]];
    case 'set':
      return [remove, ['SADD', key, ...values]];
    case 'text':
      return [remove, ['SET', key, values[0] as string]];
  }
}
