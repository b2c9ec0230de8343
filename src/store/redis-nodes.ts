// What nodes say of themselves in Redis and to each other: heartbeats, what they have counted, and leases of work that one does for all.
import { type NodeHeartbeat, parseHeartbeat } from '../model/node.js';
import { type NodeStatsRecord, parseStatsHead, type StatsHead } from '../model/node-stats.js';
import { type Command, resultsOrError } from '../redis/commands.js';
import type { RedisSide } from '../redis/kept-link.js';
import type { RedisKeys } from '../redis/keys.js';
import { globLiteral, namedRun } from './named-run.js';
import type { ChangeLease } from './redis-changes.js';
import { heartbeatCommands, removeHeartbeatCommand } from './redis-heartbeats.js';
import { readStatsRecords, statsCommands, sweepStatsNodes } from './redis-stats.js';

export interface RedisNodesParts {
  readonly keys: RedisKeys;
  readonly read: RedisSide;
  readonly write: RedisSide;
}

/** Its methods are those of the store, of the same names. */
export class RedisNodes {
  readonly #keys: RedisKeys;
  readonly #read: RedisSide;
  readonly #write: RedisSide;

  constructor({ keys, read, write }: RedisNodesParts) {
    this.#keys = keys;
    this.#read = read;
    this.#write = write;
  }

  async takeLease(work: string, holder: string, milliseconds: number): Promise<boolean> {
    const key = this.#keys.lease(work);
    const reply = await namedRun(this.#write, `taking ${key}`, (commands) =>
      commands.one(['EVAL', takeLeaseScript, 1, key, holder, Math.ceil(milliseconds)]),
    );
    return reply === 1;
  }

  async dropLease(work: string, holder: string): Promise<void> {
    const key = this.#keys.lease(work);
    await namedRun(this.#write, `dropping ${key}`, (commands) => commands.one(['EVAL', dropLeaseScript, 1, key, holder]));
  }

  /** One of them, for whoever needs no other. */
  leaseOf(work: string): ChangeLease {
    return {
      take: (holder, milliseconds) => this.takeLease(work, holder, milliseconds),
      drop: (holder) => this.dropLease(work, holder),
    };
  }

  async writeHeartbeat(beat: NodeHeartbeat, milliseconds: number): Promise<string> {
    const key = this.#keys.node(beat.id);
    const [before] = await namedRun(this.#write, `writing ${key}`, (commands) =>
      resultsOrError(commands, heartbeatCommands(key, beat, milliseconds)),
    );
    return typeof before === 'string' ? before : '';
  }

  async removeHeartbeat(id: string, boot: string): Promise<void> {
    const key = this.#keys.node(id);
    await namedRun(this.#write, `removing ${key}`, (commands) => commands.one(removeHeartbeatCommand(key, boot)));
  }

  async readHeartbeats(): Promise<NodeHeartbeat[]> {
    const beginning = this.#keys.node('');
    const replies = await namedRun(this.#read, `reading ${beginning}*`, async (commands) => {
      const found = new Set<string>();
      await commands.scan(`${globLiteral(beginning)}*`, (keys) => {
        for (const key of keys) found.add(key);
      });
      const keys = [...found].sort();
      const results = await commands.reads(keys.map((key): Command => ['HGETALL', key]));
      return keys.map((key, at) => ({ id: key.slice(beginning.length), reply: results[at]?.[1] }));
    });
    return replies.flatMap(({ id, reply }) => {
      const beat = parseHeartbeat(id, Array.isArray(reply) ? reply.map(String) : []);
      return beat === null ? [] : [beat];
    });
  }

  async writeStats(id: string, head: StatsHead, fields: ReadonlyMap<string, Buffer>): Promise<StatsHead | null> {
    return namedRun(this.#write, `writing ${this.#keys.stats(id)}`, async (commands) => {
      // One by one: a transaction would be put together in memory once more, and of megabytes a second each copy counts.
      const [before] = await Promise.all(statsCommands(this.#keys, id, head, fields).map((command) => commands.one(command)));
      if (typeof before === 'string') return parseStatsHead(before);
      await sweepStatsNodes(this.#keys, commands, head.at);
      return null;
    });
  }

  readStats(wanted: { readonly id?: string; readonly fields?: readonly string[] } = {}): Promise<NodeStatsRecord[]> {
    return namedRun(this.#read, `reading ${this.#keys.stats('')}*`, (commands) => readStatsRecords(this.#keys, commands, wanted));
  }

  async readHeartbeat(id: string): Promise<NodeHeartbeat | null> {
    const key = this.#keys.node(id);
    const reply = await namedRun(this.#read, `reading ${key}`, (commands) => commands.one(['HGETALL', key]));
    return parseHeartbeat(id, Array.isArray(reply) ? reply.map(String) : []);
  }
}

/** Who holds it already keeps it; free or expired, it is taken. */
const takeLeaseScript = `local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;
const dropLeaseScript = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;
