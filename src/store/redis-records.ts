// Records that are one key each, in Redis: the command that reads a shape, and those that replace it.
import type { ChainableCommander, Redis } from 'ioredis';
import type { RecordShape, StoredRecord } from '../model/record-kind.js';
import { asError, isWrongType } from '../redis/redis-errors.js';

/** What a longer list holds beyond is not read, so that one record cannot fill the memory. */
const maxElements = 65_536;

/** Reads a key of a shape. `call` leaves names and values of a hash in turn. */
export function recordCommand(client: Redis, shape: RecordShape, key: string): Promise<unknown> {
  switch (shape) {
    case 'hash':
      return client.call('HGETALL', key);
    case 'list':
      return client.lrange(key, 0, maxElements - 1);
    case 'set':
      return client.smembers(key);
    case 'text':
      return client.get(key);
  }
}

/** The reply as a record; one of the wrong type is a record with a fault, any other error is thrown. */
export async function readReply(reply: Promise<unknown>, key: string): Promise<StoredRecord> {
  try {
    const value = await reply;
    if (value === null) return { values: [], fault: '' };
    return { values: Array.isArray(value) ? value.map(String) : [String(value)], fault: '' };
  } catch (error) {
    if (isWrongType(asError(error))) return { values: [], fault: `${key} has the wrong type` };
    throw error;
  }
}

/** Replaces a key as a whole; without values it is removed. */
export function writeRecordCommands(
  commands: ChainableCommander,
  shape: RecordShape,
  key: string,
  values: readonly string[],
): ChainableCommander {
  commands.del(key);
  if (values.length === 0) return commands;
  switch (shape) {
    case 'hash':
      return commands.hset(key, ...values);
    case 'list':
      return commands.rpush(key, ...values);
    case 'set':
      return commands.sadd(key, ...values);
    case 'text':
      return commands.set(key, values[0] as string);
  }
}
