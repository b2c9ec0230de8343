// Frontends and dead marks in Redis: one round trip a look-up, changes told by tracking, wrong records kept apart.
import type { RedisConfig } from '../config/config.js';
import type { RedisUrl } from '../config/driver-url.js';
import { membersOf } from '../model/dead-set.js';
import type { FrontendRecord } from '../model/frontend.js';
import { type NodeHeartbeat, parseHeartbeat } from '../model/node.js';
import { type NodeStatsRecord, parseStatsHead, type StatsHead } from '../model/node-stats.js';
import { type RecordKind, recordShapes, type StoredRecord } from '../model/record-kind.js';
import { ClusterLink } from '../redis/cluster-link.js';
import { ClusterTracking } from '../redis/cluster-tracking.js';
import { allOrError, type Command, type Commands, resultsOrError } from '../redis/commands.js';
import { type LinkOptions, RedisLink } from '../redis/connect.js';
import type { RedisSide } from '../redis/kept-link.js';
import { hcheckerPingKey, RedisKeys } from '../redis/keys.js';
import { asError, isForbidden, isTimeout, shortReason } from '../redis/redis-errors.js';
import { serverCommands } from '../redis/server-commands.js';
import type { RedisTls } from '../redis/tls-files.js';
import { KeyTracking } from '../redis/tracking.js';
import type { HistoryEntry, PlanChange, RecordAddress } from './change.js';
import { EmptyWatch } from './empty-watch.js';
import { ExpiryWatch } from './expiry-watch.js';
import type { ManagedStore } from './managed-store.js';
import { OversizeWatch } from './oversize-watch.js';
import { entriesIn, RedisChanges } from './redis-changes.js';
import { createRedisCounters } from './redis-counters.js';
import { heartbeatCommands, removeHeartbeatCommand } from './redis-heartbeats.js';
import { maintenanceCommands, markCommands, markedNames, reviveCommands } from './redis-marks.js';
import { isOversized, maxListEntries, maxScanned, parseRecord, refuseLarge } from './redis-record.js';
import { readRecordCommand, readReply, replaceCommands } from './redis-records.js';
import { readStatsRecords, statsCommands, sweepStatsNodes } from './redis-stats.js';
import type { DeadMarkRequest, MaintenanceRequest, RevivalRequest, StoreCounters, StoreListener, StoreState } from './store.js';

export interface RedisStoreOptions {
  /** Where to read from, and whose `#prefix` counts for both sides, as in Hipache. */
  readonly read: RedisUrl;
  /** Where to write to; the same object where one URL was given. */
  readonly write: RedisUrl;
  /** For URLs that ask for TLS. */
  readonly tls?: RedisTls;
  /** Milliseconds that a connection attempt or a command may take. */
  readonly timeout: number;
  /** What is done when it is suddenly empty; absent: it is trusted. */
  readonly emptyMeans?: RedisConfig['emptyMeans'];
  /** Whether heartbeats are told to the listener. */
  readonly followNodes?: boolean;
  readonly log: (level: 'info' | 'warn' | 'error', text: string) => void;
}

/** How long an answer may be old where nobody tells changes. */
const pollInterval = 1000;
/** Commands sent for each name by `readFrontends`. */
const commandsPerName = 6;
const sizesPerName = 4;
const maxNotes = 1000;
/** So many keys that none of the primaries is likely to own none of them. */
const probesPerPrimary = 32;

export class RedisStore implements ManagedStore {
  readonly counters: StoreCounters;
  readonly #options: RedisStoreOptions;
  readonly #keys: RedisKeys;
  readonly #read: RedisSide;
  /** The read side again where one URL serves both. */
  readonly #write: RedisSide;
  readonly #changes: RedisChanges;
  readonly #tracking: KeyTracking | ClusterTracking;
  readonly #expiries: ExpiryWatch;
  readonly #oversize: OversizeWatch;
  readonly #empty: EmptyWatch;
  /** Complaints made already, so that each is logged once. */
  readonly #notes = new Set<string>();
  #listener: StoreListener | null = null;
  #poll: NodeJS.Timeout | undefined;
  /** Those who wait until everything has been told at the next poll. */
  #untilPolled: (() => void)[] = [];

  constructor(options: RedisStoreOptions) {
    const { read, write, timeout, log } = options;
    this.#options = options;
    this.#keys = new RedisKeys(read.prefix, options.followNodes === true);
    this.#expiries = new ExpiryWatch((name) => this.#listener?.changed(name));
    this.#oversize = new OversizeWatch((name) => this.#listener?.changed(name));
    const tls = options.tls === undefined ? {} : { tls: options.tls };
    const link = { timeout, log, onDown: () => undefined, ...tls };
    const onDown = (_reason: string, hung: boolean): void => {
      // Nor does it tell changes then, which would show only at the next heartbeat.
      if (hung) this.#tracking.renew('the server does not reply');
    };
    const reading = { ...link, url: read, role: 'read' as const, onUp: () => this.#readIsUp(), onDown };
    // The very commands of a look-up: shows missing rights, a data set still loading, a replica without its primary.
    const tryReading = async (commands: Commands): Promise<void> => {
      for (const [error] of await commands.reads(readCommands(this.#keys, ['']))) {
        if (error !== null) throw error;
      }
    };
    const tracking = {
      ...{ url: read, timeout, keys: this.#keys, log, ...tls },
      onKey: (key: string) => this.#keyChanged(key),
      onEverything: () => {
        this.#empty.look();
        this.#listener?.everythingChanged();
      },
    };
    if (read.cluster !== undefined) {
      const cluster = new ClusterLink({
        ...reading,
        onUp: () => {
          this.#readIsUp();
          void followed.follow();
        },
        nodes: read.cluster,
        prepare: tryReading,
        onTopology: () => void followed.follow(),
      });
      // Keys that begin alike lie on all nodes, as long as they are many.
      const writeProbe = (beginning: string) => this.#writeProbes(beginning, probesPerPrimary * cluster.primaries.length);
      const followed = new ClusterTracking({ ...tracking, cluster, writeProbe });
      this.#read = cluster;
      this.#tracking = followed;
    } else {
      const server = new RedisLink({ ...reading, prepare: (client) => tryReading(serverCommands(client)) });
      this.#read = server;
      this.#tracking = new KeyTracking({
        ...tracking,
        writeProbe: (beginning) => this.#writeProbes(beginning, 1),
        onLost: (hung) => {
          // Both speak to one server: without this, look-ups would wait for a server that is known to hang.
          if (hung) server.renew('the server does not reply');
        },
      });
    }
    this.#empty = new EmptyWatch({
      emptyMeans: options.emptyMeans ?? 'trust',
      place: this.#read.place,
      hasFrontends: () => this.#read.run((commands) => commands.any(`${globLiteral(this.#keys.beginning('frontend'))}*`)),
      log,
      onEnd: () => this.#listener?.everythingChanged(),
    });
    this.#write = write === read ? this.#read : writeSide(write, { ...link, onUp: () => undefined });
    this.#changes = new RedisChanges({
      keys: this.#keys,
      link: writeSide(write, { ...link, onUp: () => undefined, onDown: () => undefined, log: () => undefined }),
      lease: write.cluster === undefined ? null : (holder, milliseconds) => this.takeLease('changes', holder, milliseconds),
    });
    this.counters = createRedisCounters(this.#keys, (work) => this.#run(this.#write, 'counting for a limit', work));
  }

  async start(listener: StoreListener): Promise<void> {
    this.#listener = listener;
    try {
      await Promise.all([this.#read.start(), this.#write === this.#read ? undefined : this.#write.start()]);
    } catch (error) {
      await this.close();
      throw error;
    }
    // After the others: the self-test of tracking writes. A server that is away is not waited for a second time.
    const tracked = this.#tracking.start();
    if (this.#read.up) await tracked;
    this.#poll = setInterval(() => {
      // Where nobody tells of a flush, it is looked for.
      if (this.#empty.kept || (this.#empty.keeps && this.state === 'polling')) this.#empty.look();
      if (this.state === 'polling') listener.everythingChanged();
      for (const polled of this.#untilPolled.splice(0)) polled();
    }, pollInterval).unref();
  }

  get state(): StoreState {
    if (!this.#read.up || this.#empty.kept) return 'away';
    return this.#tracking.armed ? 'live' : 'polling';
  }

  async readFrontends(names: readonly string[]): Promise<FrontendRecord[]> {
    const wait = this.#empty.beforeRead();
    if (wait !== null) await wait;
    if (this.#oversize.careful) await this.#holdLarge(names);
    const held = names.map((name) => this.#oversize.heldOf(name));
    if (held.every((record) => record === undefined)) return this.#readRecords(names);
    const read = await this.#readRecords(names.filter((_, at) => held[at] === undefined));
    return held.map((record) => record ?? (read.shift() as FrontendRecord));
  }

  /** Asks for sizes first: reading what is too large would hold everybody else up. */
  async #holdLarge(names: readonly string[]): Promise<void> {
    const sizes = await this.#run(this.#read, 'asking for sizes', (commands) =>
      commands.reads(sizeCommands(this.#keys, names)),
    ).catch((error: unknown) => {
      if (!isForbidden(asError(asError(error).cause))) throw error;
      this.#noteOnce('this user of Redis may not ask how large records are (+memory|usage): large ones hold others up');
      return null;
    });
    names.forEach((name, at) => {
      const large = sizes === null ? null : refuseLarge(name, sizes.slice(at * sizesPerName, (at + 1) * sizesPerName));
      if (large !== null) this.#oversize.hold(large);
    });
  }

  async #readRecords(names: readonly string[]): Promise<FrontendRecord[]> {
    if (names.length === 0) return [];
    const replies = await this.#run(this.#read, 'reading frontends', (commands) =>
      commands.reads(readCommands(this.#keys, names)),
    ).catch((error: unknown) => {
      if (isTimeout(asError(asError(error).cause))) this.#oversize.beCareful();
      throw error;
    });
    const now = Date.now();
    return names.map((name, at) => {
      const [list, listTtl, dead, deadTtl, health, policy] = replies.slice(at * commandsPerName, (at + 1) * commandsPerName);
      const expiresIn = Number(listTtl![1]);
      if (expiresIn >= 0) this.#expiries.watch(name, expiresIn);
      const replied = { list: list!, dead: dead!, deadTtl: deadTtl!, health: health!, policy: policy! };
      const record = parseRecord(name, replied, now, (text) => this.#noteOnce(text));
      if (isOversized(replied)) this.#oversize.hold(record);
      if (record.list.length > 0) this.#empty.held();
      if (record.marks.some((mark) => mark.manual === true)) this.#persistMarks(name);
      return record;
    });
  }

  async markDead(mark: DeadMarkRequest): Promise<void> {
    await this.#run(this.#write, `marking a backend of ${mark.host} dead`, (commands) =>
      allOrError(commands, markCommands(this.#keys, mark, Date.now())),
    );
    for (const name of markedNames(mark)) this.#wroteMark(name);
  }

  async revive(revivals: readonly RevivalRequest[]): Promise<void> {
    if (revivals.length === 0) return;
    await this.#run(this.#write, `reviving a backend of ${revivals[0]?.name}`, (commands) =>
      allOrError(commands, reviveCommands(this.#keys, revivals)),
    );
    for (const { name } of revivals) this.#wroteMark(name);
  }

  async maintain(request: MaintenanceRequest): Promise<void> {
    const { frontend, backend, on } = request;
    const [record] = on ? [] : await this.readFrontends([frontend]);
    const members = record === undefined ? [] : membersOf(record, backend);
    await this.#run(this.#write, `${on ? 'taking' : 'giving'} a backend of ${frontend} ${on ? 'out' : 'back'}`, (commands) =>
      allOrError(commands, maintenanceCommands(this.#keys, request, members, Date.now())),
    );
    this.#wroteMark(frontend);
  }

  async readHcheckerPing(): Promise<number> {
    const reply = await this.#run(this.#read, 'reading hchecker_ping', (commands) => commands.one(['GET', hcheckerPingKey]));
    const seconds = Number(reply);
    return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
  }

  async readRecord(kind: RecordKind, name: string): Promise<StoredRecord> {
    const wait = this.#empty.beforeRead();
    if (wait !== null) await wait;
    const key = this.#keys.record(kind, name);
    return this.#run(this.#read, `reading ${key}`, (commands) =>
      readReply(commands.one(readRecordCommand(recordShapes[kind], key)), key),
    );
  }

  async writeRecord(kind: RecordKind, name: string, values: readonly string[], milliseconds?: number): Promise<void> {
    const key = this.#keys.record(kind, name);
    await this.#run(this.#write, `writing ${key}`, (commands) =>
      allOrError(commands, replaceCommands(recordShapes[kind], key, values, milliseconds)),
    );
    if (this.state !== 'live') this.#keyChanged(key);
  }

  async scanNames(
    kind: RecordKind | 'frontend' | 'health',
    matching: string,
    onPage: (names: readonly string[]) => void,
  ): Promise<void> {
    const wait = this.#empty.beforeRead();
    if (wait !== null) await wait;
    const beginning = this.#keys.beginning(kind);
    const pattern = `${globLiteral(beginning)}*${matching === '' ? '' : `${globLiteral(matching)}*`}`;
    await this.#run(this.#read, `scanning ${beginning}*`, (commands) =>
      commands.scan(pattern, (keys) => {
        // The beginning of the key may hold the text as well.
        const names = keys.map((key) => key.slice(beginning.length)).filter((name) => name.includes(matching));
        if (names.length > 0) onPage(names);
      }),
    );
  }

  async scanNamesStep(
    kind: RecordKind | 'frontend',
    matching: string,
    cursor: string,
    count: number,
  ): Promise<{ readonly names: readonly string[]; readonly cursor: string }> {
    const beginning = this.#keys.beginning(kind);
    const pattern = `${globLiteral(beginning)}*${matching === '' ? '' : `${globLiteral(matching)}*`}`;
    const step = await this.#run(this.#read, `scanning ${beginning}*`, (commands) => commands.scanStep(pattern, cursor, count));
    const names = step.keys.map((key) => key.slice(beginning.length)).filter((name) => name.includes(matching));
    return { names, cursor: step.cursor };
  }

  async change(addresses: readonly RecordAddress[], plan: PlanChange): Promise<number> {
    const { revision, keys } = await this.#changes.change(addresses, plan);
    if (this.state !== 'live') for (const key of keys) this.#keyChanged(key);
    return revision;
  }

  readHistory(before: string, count: number): Promise<HistoryEntry[]> {
    return this.#run(this.#read, 'reading history', async (commands) => {
      const newest = before === '' ? '+' : `(${before}`;
      return entriesIn(await commands.one(['XREVRANGE', this.#keys.history, newest, '-', 'COUNT', count]));
    });
  }

  async readHistoryEntry(id: string): Promise<HistoryEntry | null> {
    const reply = await this.#run(this.#read, 'reading history', (commands) =>
      commands.one(['XRANGE', this.#keys.history, id, id]),
    );
    return entriesIn(reply)[0] ?? null;
  }

  async takeLease(work: string, holder: string, milliseconds: number): Promise<boolean> {
    const key = this.#keys.lease(work);
    const reply = await this.#run(this.#write, `taking ${key}`, (commands) =>
      commands.one(['EVAL', takeLeaseScript, 1, key, holder, Math.ceil(milliseconds)]),
    );
    return reply === 1;
  }

  async dropLease(work: string, holder: string): Promise<void> {
    const key = this.#keys.lease(work);
    await this.#run(this.#write, `dropping ${key}`, (commands) => commands.one(['EVAL', dropLeaseScript, 1, key, holder]));
  }

  async readAppliedRevision(): Promise<number> {
    const reply = await this.#run(this.#read, 'reading revision', (commands) => commands.one(['GET', this.#keys.revision]));
    if (this.#tracking.armed) await this.#tracking.settle();
    else await new Promise<void>((resolve) => this.#untilPolled.push(resolve));
    const revision = Number(reply);
    return Number.isSafeInteger(revision) && revision > 0 ? revision : 0;
  }

  async writeHeartbeat(beat: NodeHeartbeat, milliseconds: number): Promise<string> {
    const key = this.#keys.node(beat.id);
    const [before] = await this.#run(this.#write, `writing ${key}`, (commands) =>
      resultsOrError(commands, heartbeatCommands(key, beat, milliseconds)),
    );
    return typeof before === 'string' ? before : '';
  }

  async removeHeartbeat(id: string, boot: string): Promise<void> {
    const key = this.#keys.node(id);
    await this.#run(this.#write, `removing ${key}`, (commands) => commands.one(removeHeartbeatCommand(key, boot)));
  }

  async readHeartbeats(): Promise<NodeHeartbeat[]> {
    const beginning = this.#keys.node('');
    const replies = await this.#run(this.#read, `reading ${beginning}*`, async (commands) => {
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

  async writeStats(id: string, head: StatsHead, fields: readonly string[]): Promise<StatsHead | null> {
    return this.#run(this.#write, `writing ${this.#keys.stats(id)}`, async (commands) => {
      const [before] = await resultsOrError(commands, statsCommands(this.#keys, id, head, fields));
      if (typeof before === 'string') return parseStatsHead(before);
      await sweepStatsNodes(this.#keys, commands, head.at);
      return null;
    });
  }

  readStats(wanted: { readonly id?: string; readonly field?: string } = {}): Promise<NodeStatsRecord[]> {
    return this.#run(this.#read, `reading ${this.#keys.stats('')}*`, (commands) =>
      readStatsRecords(this.#keys, commands, wanted),
    );
  }

  async readHeartbeat(id: string): Promise<NodeHeartbeat | null> {
    const key = this.#keys.node(id);
    const reply = await this.#run(this.#read, `reading ${key}`, (commands) => commands.one(['HGETALL', key]));
    return parseHeartbeat(id, Array.isArray(reply) ? reply.map(String) : []);
  }

  async writeFrontend(name: string, identifier: string, backends: readonly string[]): Promise<void> {
    const key = this.#keys.frontend(name);
    await this.#run(this.#write, `writing frontend ${name}`, (commands) =>
      allOrError(commands, [
        ['DEL', key],
        ['RPUSH', key, identifier, ...backends],
      ]),
    );
    this.#wroteOurselves(name);
  }

  async deleteFrontend(name: string): Promise<void> {
    const keys = [this.#keys.frontend(name), this.#keys.dead(name), this.#keys.health(name), this.#keys.record('route', name)];
    await this.#run(this.#write, `deleting frontend ${name}`, (commands) =>
      allOrError(
        commands,
        keys.map((key): Command => ['DEL', key]),
      ),
    );
    this.#wroteOurselves(name);
  }

  async close(): Promise<void> {
    clearInterval(this.#poll);
    for (const polled of this.#untilPolled.splice(0)) polled();
    this.#expiries.close();
    this.#oversize.close();
    await Promise.all([this.#tracking.close(), this.#changes.close(), this.#read.close(), this.#write.close()]);
  }

  /** Runs commands on a link; an error says what was being done and where, with the foreign error as its cause. */
  async #run<T>(link: RedisSide, doing: string, work: (commands: Commands) => Promise<T>): Promise<T> {
    try {
      return await link.run(work);
    } catch (error) {
      const reason = asError(error);
      throw new Error(`${doing} in Redis failed: ${shortReason(reason)}`, { cause: reason });
    }
  }

  async #writeProbes(beginning: string, count: number): Promise<boolean> {
    const probes = Array.from({ length: count }, (_, at): Command => ['SET', `${beginning}${at}`, '1', 'PX', 1000]);
    try {
      await this.#write.run((commands) => allOrError(commands, probes));
      return true;
    } catch {
      return false;
    }
  }

  #keyChanged(key: string): void {
    if (key === this.#keys.revision) this.#listener?.revisionChanged?.();
    const node = this.#keys.nodeIn(key);
    if (node !== null) this.#listener?.nodeChanged?.(node);
    const name = this.#keys.nameIn(key);
    if (name !== null) {
      if (key === this.#keys.frontend(name)) {
        this.#expiries.forget(name);
        if (this.#empty.kept) this.#empty.look();
      }
      this.#listener?.changed(name);
      if (key === this.#keys.health(name)) this.#listener?.marksChanged?.(name);
    }
    const record = this.#keys.recordIn(key);
    if (record !== null) this.#listener?.recordChanged?.(record.kind, record.name);
  }

  /** Tracking tells our own writes too; without it nobody does. */
  #wroteOurselves(name: string): void {
    if (this.state !== 'live') this.#listener?.changed(name);
  }

  #wroteMark(name: string): void {
    this.#wroteOurselves(name);
    if (this.state !== 'live') this.#listener?.marksChanged?.(name);
  }

  /** A mark of maintenance that was written by hand went into a hash that may expire with older marks. */
  #persistMarks(name: string): void {
    this.#write
      .run((commands) => commands.one(['PERSIST', this.#keys.health(name)]))
      .catch(() => this.#noteOnce(`health:${name} cannot be kept from expiring`));
  }

  /** After a failover behind one address, tracking might still listen to the server that was replaced. */
  #readIsUp(): void {
    this.#empty.look();
    const { downSince } = this.#read;
    if (downSince !== 0 && this.#tracking.armed && this.#tracking.armedAt < downSince)
      this.#tracking.renew('the read side is new');
  }

  #noteOnce(text: string): void {
    if (this.#notes.has(text) || this.#notes.size >= maxNotes) return;
    this.#notes.add(text);
    this.#options.log('warn', text);
  }
}

/** Who holds it already keeps it; free or expired, it is taken. */
const takeLeaseScript = `local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;
const dropLeaseScript = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/** Text that a MATCH pattern takes as it stands. */
function globLiteral(text: string): string {
  return text.replace(/[*?[\]\\^-]/g, '\\$&');
}

/** The side that is written to, where it is another one than the side that is read from. */
function writeSide(url: RedisUrl, link: Pick<LinkOptions, 'timeout' | 'log' | 'tls' | 'onUp' | 'onDown'>): RedisSide {
  const role = 'write' as const;
  if (url.cluster === undefined) {
    return new RedisLink({ ...link, url, role, prepare: async (client) => void (await client.ping()) });
  }
  return new ClusterLink({ ...link, url, role, nodes: url.cluster, prepare: async () => undefined, onTopology: () => undefined });
}

/** Asks for all that is known about some names. */
/** A sample of so many elements finds what fills a key, and takes no time. */
function sizeCommands(keys: RedisKeys, names: readonly string[]): Command[] {
  return names.flatMap((name) =>
    [keys.frontend(name), keys.dead(name), keys.health(name), keys.record('route', name)].map(
      (key): Command => ['MEMORY', 'USAGE', key, 'SAMPLES', 1024],
    ),
  );
}

function readCommands(keys: RedisKeys, names: readonly string[]): Command[] {
  return names.flatMap((name): Command[] => [
    ['LRANGE', keys.frontend(name), 0, maxListEntries - 1],
    ['PTTL', keys.frontend(name)],
    ['SSCAN', keys.dead(name), 0, 'COUNT', maxScanned],
    ['PTTL', keys.dead(name)],
    ['HSCAN', keys.health(name), 0, 'COUNT', maxScanned],
    ['HSCAN', keys.record('route', name), 0, 'COUNT', maxScanned],
  ]);
}
