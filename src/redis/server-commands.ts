// Commands on one server, over one connection.
import type { Redis } from 'ioredis';
import { type Command, type CommandResult, type Commands, type ScanStep, sent, thrownFirst } from './commands.js';
import { asError, isOutOfMemory, transactionError } from './redis-errors.js';

/** Keys looked at by one SCAN: some milliseconds of the server's time at most, and a million keys in two hundred round trips. */
const scanCount = 5000;

/** @param client connected; its replies are RESP2 @param name of the server */
export function serverCommands(client: Redis, name: string): Commands {
  return {
    // `call` leaves names and values of a hash in turn; `hgetall` would make an object whose keys are somebody else's choice.
    one: (command) => client.call(...sent(command)),
    all: (commands) => transaction(client, commands),
    reads: async (commands, onReply) => {
      const begun = performance.now();
      const results = await transaction(client, commands).catch((error: unknown) => {
        if (isOutOfMemory(asError(error))) return oneByOne(client, commands);
        throw error;
      });
      onReply?.(name, performance.now() - begun);
      return results;
    },
    readBytes: async (commands) => {
      const pipeline = client.pipeline();
      for (const command of commands) pipeline.callBuffer(...sent(command));
      return (await pipeline.exec()) ?? [];
    },
    scan: (pattern, onPage) => scanServer(client, pattern, onPage),
    scanStep: (pattern, cursor, count) => scanStepOnServer(client, pattern, cursor, count),
    guarded: (watched, reads, plan) => guardedTransaction(client, watched, reads, plan),
    any: (pattern) => anyOnServer(client, pattern),
  };
}

/** WATCH, so that the transaction is executed only if it was made from what still stands. */
async function guardedTransaction(
  client: Redis,
  watched: readonly string[],
  reads: readonly Command[],
  plan: Parameters<Commands['guarded']>[2],
): Promise<boolean> {
  if (watched.length > 0) await client.watch(...watched);
  let groups: readonly (readonly Command[])[];
  try {
    groups = plan(await oneByOne(client, reads));
  } catch (error) {
    await client.unwatch();
    throw error;
  }
  if (groups.length === 0) {
    await client.unwatch();
    return true;
  }
  const multi = client.multi();
  for (const command of groups.flat()) multi.call(...sent(command));
  const results = await multi.exec().catch((error: unknown) => {
    throw transactionError(error);
  });
  if (results === null) return false;
  thrownFirst(results);
  return true;
}

/** One step of a walk through the keys of a server. */
export async function scanStepOnServer(client: Redis, pattern: string, cursor: string, count: number): Promise<ScanStep> {
  const [next, keys] = await client.scan(cursor === '' ? '0' : cursor, 'MATCH', pattern, 'COUNT', count);
  return { cursor: next === '0' ? '' : next, keys };
}

async function transaction(client: Redis, commands: readonly Command[]): Promise<readonly CommandResult[]> {
  const multi = client.multi();
  for (const command of commands) multi.call(...sent(command));
  const replies = await multi.exec().catch((error: unknown) => {
    throw transactionError(error);
  });
  if (replies === null) throw new Error('the transaction was not executed');
  return replies;
}

/** A server above its `maxmemory` refuses to queue even what reads. What changes between two of the commands is told by tracking. */
async function oneByOne(client: Redis, commands: readonly Command[]): Promise<readonly CommandResult[]> {
  const pipeline = client.pipeline();
  for (const command of commands) pipeline.call(...sent(command));
  return (await pipeline.exec()) ?? [];
}

/** Walks the keys of one server. */
export async function scanServer(client: Redis, pattern: string, onPage: (keys: readonly string[]) => void): Promise<void> {
  let cursor = '0';
  do {
    const [next, keys] = await client.scan(cursor, 'MATCH', pattern, 'COUNT', scanCount);
    cursor = next;
    if (keys.length > 0) onPage(keys);
  } while (cursor !== '0');
}

/** Walks them until the first that matches: where there are many, that is soon. */
export async function anyOnServer(client: Redis, pattern: string): Promise<boolean> {
  let cursor = '0';
  do {
    const [next, keys] = await client.scan(cursor, 'MATCH', pattern, 'COUNT', scanCount);
    if (keys.length > 0) return true;
    cursor = next;
  } while (cursor !== '0');
  return false;
}
