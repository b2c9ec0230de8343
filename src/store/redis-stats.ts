// What nodes have counted, in Redis: a hash each that outlives its node by a day, and one more that names them.
import { type NodeStatsRecord, parseStatsHead, type StatsHead, statsHeadField, statsLast } from '../model/node-stats.js';
import type { Command, Commands } from '../redis/commands.js';
import type { RedisKeys } from '../redis/keys.js';

/** The first reply is the head that was there before. @param fields as `Store.writeStats` is given them */
export function statsCommands(keys: RedisKeys, id: string, head: StatsHead, fields: ReadonlyMap<string, Buffer>): Command[] {
  const key = keys.stats(id);
  const written: (string | Buffer)[] = [];
  const removed: string[] = [];
  for (const [name, value] of fields) {
    if (value.length === 0) removed.push(name);
    else written.push(name, value);
  }
  return [
    ['HGET', key, statsHeadField],
    ['HSET', key, statsHeadField, JSON.stringify(head), ...written],
    ...(removed.length === 0 ? [] : [['HDEL', key, ...removed] as const]),
    ['PEXPIRE', key, statsLast],
    // Without it the hashes would have to be looked for among all keys there are.
    ['HSET', keys.statsNodes, id, head.at],
  ];
}

/** Forgets the names of nodes whose hashes have expired. @param now milliseconds since the epoch */
export async function sweepStatsNodes(keys: RedisKeys, commands: Commands, now: number): Promise<void> {
  const known = valuesOf(textsOf(await commands.one(['HGETALL', keys.statsNodes])));
  const gone = [...known].filter(([, at]) => !(now - Number(at) < statsLast)).map(([id]) => id);
  if (gone.length > 0) await commands.one(['HDEL', keys.statsNodes, ...gone]);
}

/** @param wanted as `Store.readStats` is given it */
export async function readStatsRecords(
  keys: RedisKeys,
  commands: Commands,
  { id, fields: wanted }: { readonly id?: string; readonly fields?: readonly string[] },
): Promise<NodeStatsRecord[]> {
  const ids = id === undefined ? [...valuesOf(textsOf(await commands.one(['HGETALL', keys.statsNodes]))).keys()].sort() : [id];
  if (ids.length === 0) return [];
  const questions = (key: string): Command[] =>
    wanted === undefined
      ? [
          ['PTTL', key],
          ['HGETALL', key],
        ]
      : [
          ['PTTL', key],
          ['HMGET', key, statsHeadField, ...wanted],
        ];
  const size = questions('').length;
  const results = await commands.readBytes(ids.flatMap((node) => questions(keys.stats(node))));
  return ids.flatMap((node, at) => {
    const [left, reply] = results.slice(at * size, (at + 1) * size).map(([error, reply]) => (error === null ? reply : null));
    const fields = wanted === undefined ? fieldsOf(reply) : named([statsHeadField, ...wanted], Array.isArray(reply) ? reply : []);
    const head = parseStatsHead(fields.get(statsHeadField)?.toString());
    if (head === null) return [];
    fields.delete(statsHeadField);
    return [{ id: node, head, age: Math.max(0, statsLast - Number(left)), fields }];
  });
}

function textsOf(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}

function valuesOf(inTurn: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (let at = 0; at + 1 < inTurn.length; at += 2) values.set(inTurn[at] as string, inTurn[at + 1] as string);
  return values;
}

/** Fields of a hash, from names and values in turn. */
function fieldsOf(reply: unknown): Map<string, Buffer> {
  const inTurn: unknown[] = Array.isArray(reply) ? reply : [];
  const names = inTurn.filter((_, at) => at % 2 === 0).map(String);
  return named(
    names,
    inTurn.filter((_, at) => at % 2 === 1),
  );
}

/** Values by name, without those that are not there. */
function named(names: readonly string[], values: readonly unknown[]): Map<string, Buffer> {
  return new Map(names.flatMap((name, at) => (values[at] instanceof Buffer ? [[name, values[at]] as const] : [])));
}
