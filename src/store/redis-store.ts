// The store in Redis: what it holds, and what its parts are told of changes.
import type { RedisConfig } from '../config/config.js';
import { membersOf } from '../model/dead-set.js';
import type { FrontendRecord } from '../model/frontend.js';
import type { NodeHeartbeat } from '../model/node.js';
import type { NodeStatsRecord, StatsHead } from '../model/node-stats.js';
import { type RecordKind, recordShapes, type StoredRecord } from '../model/record-kind.js';
import { allOrError, type Command } from '../redis/commands.js';
import type { RedisSide } from '../redis/kept-link.js';
import { hcheckerPingKey, RedisKeys } from '../redis/keys.js';
import type { HistoryEntry, PlanChange, RecordAddress } from './change.js';
import { ChangePoll } from './change-poll.js';
import { EmptyWatch } from './empty-watch.js';
import type { ManagedStore } from './managed-store.js';
import { globLiteral, namedRun } from './named-run.js';
import { Patience } from './patience.js';
import { RedisChanges } from './redis-changes.js';
import { doing as countingFor, createRedisCounters } from './redis-counters.js';
import { RedisFrontends } from './redis-frontends.js';
import { RedisHistory } from './redis-history.js';
import { maintenanceCommands, markCommands, markedNames, reviveCommands } from './redis-marks.js';
import { RedisNames } from './redis-names.js';
import { RedisNodes } from './redis-nodes.js';
import { readRecordCommand, readReply, replaceCommands } from './redis-records.js';
import { openSides, type RedisPlaces, type RedisSides } from './redis-sides.js';
import { ReplicaWatch } from './replica-watch.js';
import type { DeadMarkRequest, MaintenanceRequest, RevivalRequest, StoreCounters, StoreListener, StoreState } from './store.js';

export interface RedisStoreOptions extends RedisPlaces {
  /** What is done when it is suddenly empty; absent: it is trusted. */
  readonly emptyMeans?: RedisConfig['emptyMeans'];
  /** Milliseconds at least that a request waits for a look-up which nothing is known for; absent: for as long as a command may take. */
  readonly lookupWait?: number;
  /** Whether heartbeats are told to the listener. */
  readonly followNodes?: boolean;
}

/** How long an answer may be old where nobody tells changes. */
const pollInterval = 1000;

export class RedisStore implements ManagedStore {
  readonly counters: StoreCounters;
  readonly patience: Patience;
  readonly #keys: RedisKeys;
  readonly #read: RedisSide;
  readonly #write: RedisSide;
  readonly #changes: RedisChanges;
  readonly #nodes: RedisNodes;
  readonly #names: RedisNames;
  readonly #history: RedisHistory;
  readonly #tracking: RedisSides['tracking'];
  readonly #frontends: RedisFrontends;
  readonly #empty: EmptyWatch;
  /** Null where nobody speaks of a replica. */
  readonly #replica: ReplicaWatch | null;
  #listener: StoreListener | null = null;
  readonly #poll: ChangePoll;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RedisStoreOptions) {
    this.patience = new Patience(options.lookupWait ?? options.timeout);
    this.#keys = new RedisKeys(options.read.prefix, options.followNodes === true);
    const sides = openSides({
      ...options,
      keys: this.#keys,
      onUp: () => this.#readIsUp(),
      onKey: (key) => this.#keyChanged(key),
      onEverything: () => {
        void this.#empty.look();
        this.#listener?.everythingChanged();
      },
    });
    this.#read = sides.read;
    this.#write = sides.write;
    this.#tracking = sides.tracking;
    this.#empty = new EmptyWatch({
      emptyMeans: options.emptyMeans ?? 'trust',
      place: this.#read.place,
      hasFrontends: () => this.#read.run((commands) => commands.any(`${globLiteral(this.#keys.beginning('frontend'))}*`)),
      log: options.log,
      onChange: () => this.#listener?.everythingChanged(),
    });
    this.#frontends = new RedisFrontends({
      ...{ keys: this.#keys, read: this.#read, write: this.#write, log: options.log },
      changed: (name) => this.#listener?.changed(name),
      onReply: (server, took) => this.patience.replied(server, took),
      found: () => this.#empty.held(),
    });
    this.#replica =
      this.#write === this.#read || options.read.cluster !== undefined
        ? null
        : new ReplicaWatch({
            place: this.#read.place,
            askRole: () => namedRun(this.#read, 'asking for its role', (commands) => commands.one(['ROLE'])),
            log: options.log,
            onFound: () => this.#listener?.everythingChanged(),
          });
    this.#poll = new ChangePoll({
      isNeeded: () => this.state === 'polling',
      // A refusal is a reply as well; of a loss the link is told by itself.
      ping: () => this.#read.run((commands) => commands.one(['PING'])).catch(() => undefined),
      tell: () => this.#listener?.everythingChanged(),
    });
    this.#nodes = new RedisNodes({ keys: this.#keys, read: this.#read, write: this.#write });
    this.#names = new RedisNames(this.#keys, this.#read);
    this.#history = new RedisHistory(this.#keys, this.#read);
    this.#changes = new RedisChanges({
      keys: this.#keys,
      link: sides.changes,
      lease: options.write.cluster === undefined ? null : this.#nodes.leaseOf('changes'),
    });
    this.counters = createRedisCounters(
      this.#keys,
      (work) => namedRun(this.#write, countingFor, work),
      options.write.cluster === undefined,
    );
  }

  async start(listener: StoreListener): Promise<void> {
    this.#listener = listener;
    try {
      await Promise.all([this.#read.start(), this.#write === this.#read ? undefined : this.#write.start()]);
    } catch (error) {
      await this.close();
      throw error;
    }
    if (this.#read.up) await this.lookWhatIsThere();
    // After the others: the self-test of tracking writes. A server that is away is not waited for a second time.
    const tracked = this.#tracking.start();
    if (this.#read.up) await tracked;
    if (this.#read.up) await this.#replica?.look();
    this.#timer = setInterval(() => {
      if (this.#read.up) void this.#replica?.look();
      // Where nobody tells of a flush, it is looked for.
      if (this.#empty.kept || (this.#empty.keeps && this.state === 'polling')) void this.#empty.look();
      void this.#poll.poll();
    }, pollInterval).unref();
  }

  get state(): StoreState {
    if (!this.#read.up || this.#empty.kept) return 'away';
    return this.#tracking.armed ? 'live' : 'polling';
  }

  get cutOff(): boolean {
    return this.#replica?.cutOff === true;
  }

  serversOf(kind: RecordKind | 'frontend', names: readonly string[]): readonly string[] {
    return this.#read.serversOf(this.#keys.readFor(kind, names));
  }

  /** At a start, before anything is read for the listener. */
  protected async lookWhatIsThere(): Promise<void> {
    await this.#empty.begin();
  }

  /** It is not known to hold any frontend. */
  protected get seemsEmpty(): boolean {
    return !this.#empty.holds;
  }

  /** Others have read frontends of it. Resolves when it is known whether it has any, and what its being empty means. */
  protected async hasHeldFrontends(): Promise<void> {
    this.#empty.held();
    await this.#empty.look();
  }

  async readFrontends(names: readonly string[]): Promise<FrontendRecord[]> {
    const wait = this.#empty.beforeRead();
    if (wait !== null) await wait;
    const records = await this.#frontends.read(names);
    if (records.every(({ list, fault }) => list.length === 0 && fault === '')) await this.#unlessFlushed();
    return records;
  }

  /**
   * Nothing was found, which may be because of a flush: that is told by another connection than the one that reads, and may come later.
   * Rejects if it was one, and an empty Redis is not trusted.
   */
  async #unlessFlushed(): Promise<void> {
    if (!this.#empty.keeps) return;
    if (this.#tracking.armed) await this.#tracking.settle();
    else await this.#empty.look();
    const wait = this.#empty.beforeRead();
    if (wait !== null) await wait;
  }

  async markDead(mark: DeadMarkRequest): Promise<void> {
    await namedRun(this.#write, `marking a backend of ${mark.host} dead`, (commands) =>
      allOrError(commands, markCommands(this.#keys, mark, Date.now())),
    );
    for (const name of markedNames(mark)) this.#wroteMark(name);
  }

  async revive(revivals: readonly RevivalRequest[]): Promise<void> {
    if (revivals.length === 0) return;
    await namedRun(this.#write, `reviving a backend of ${revivals[0]?.name}`, (commands) =>
      allOrError(commands, reviveCommands(this.#keys, revivals)),
    );
    for (const { name } of revivals) this.#wroteMark(name);
  }

  async maintain(request: MaintenanceRequest): Promise<void> {
    const { frontend, backend, on } = request;
    const [record] = on ? [] : await this.readFrontends([frontend]);
    const members = record === undefined ? [] : membersOf(record, backend);
    await namedRun(this.#write, `${on ? 'taking' : 'giving'} a backend of ${frontend} ${on ? 'out' : 'back'}`, (commands) =>
      allOrError(commands, maintenanceCommands(this.#keys, request, members, Date.now())),
    );
    this.#wroteMark(frontend);
  }

  async readHcheckerPing(): Promise<number> {
    const reply = await namedRun(this.#read, 'reading hchecker_ping', (commands) => commands.one(['GET', hcheckerPingKey]));
    const seconds = Number(reply);
    return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
  }

  async readRecord(kind: RecordKind, name: string): Promise<StoredRecord> {
    const wait = this.#empty.beforeRead();
    if (wait !== null) await wait;
    const key = this.#keys.record(kind, name);
    const record = await namedRun(this.#read, `reading ${key}`, (commands) =>
      readReply(commands.one(readRecordCommand(recordShapes[kind], key)), key),
    );
    for (const server of this.serversOf(kind, [name])) this.patience.replied(server);
    if (record.values.length === 0 && record.fault === '') await this.#unlessFlushed();
    return record;
  }

  async writeRecord(kind: RecordKind, name: string, values: readonly string[], milliseconds?: number): Promise<void> {
    const key = this.#keys.record(kind, name);
    await namedRun(this.#write, `writing ${key}`, (commands) =>
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
    if (!(await this.#names.scan(kind, matching, onPage))) await this.#unlessFlushed();
  }

  scanNamesStep(
    kind: RecordKind | 'frontend',
    matching: string,
    cursor: string,
    count: number,
  ): Promise<{ readonly names: readonly string[]; readonly cursor: string }> {
    return this.#names.step(kind, matching, cursor, count);
  }

  scanStraysStep(cursor: string, count: number): Promise<{ readonly keys: readonly string[]; readonly cursor: string }> {
    return this.#names.straysStep(cursor, count);
  }

  async change(addresses: readonly RecordAddress[], plan: PlanChange): Promise<number> {
    const { revision, keys } = await this.#changes.change(addresses, plan);
    if (this.state !== 'live') for (const key of keys) this.#keyChanged(key);
    return revision;
  }

  readHistory(before: string, count: number): Promise<HistoryEntry[]> {
    return this.#history.entries(before, count);
  }

  readHistoryEntry(id: string): Promise<HistoryEntry | null> {
    return this.#history.entry(id);
  }

  takeLease(work: string, holder: string, milliseconds: number): Promise<boolean> {
    return this.#nodes.takeLease(work, holder, milliseconds);
  }

  dropLease(work: string, holder: string): Promise<void> {
    return this.#nodes.dropLease(work, holder);
  }

  async readAppliedRevision(): Promise<number> {
    const reply = await namedRun(this.#read, 'reading revision', (commands) => commands.one(['GET', this.#keys.revision]));
    await (this.#tracking.armed ? this.#tracking : this.#poll).settle();
    const revision = Number(reply);
    return Number.isSafeInteger(revision) && revision > 0 ? revision : 0;
  }

  writeHeartbeat(beat: NodeHeartbeat, milliseconds: number): Promise<string> {
    return this.#nodes.writeHeartbeat(beat, milliseconds);
  }

  removeHeartbeat(id: string, boot: string): Promise<void> {
    return this.#nodes.removeHeartbeat(id, boot);
  }

  readHeartbeats(): Promise<NodeHeartbeat[]> {
    return this.#nodes.readHeartbeats();
  }

  readHeartbeat(id: string): Promise<NodeHeartbeat | null> {
    return this.#nodes.readHeartbeat(id);
  }

  writeStats(id: string, head: StatsHead, fields: ReadonlyMap<string, Buffer>): Promise<StatsHead | null> {
    return this.#nodes.writeStats(id, head, fields);
  }

  readStats(wanted: { readonly id?: string; readonly fields?: readonly string[] } = {}): Promise<NodeStatsRecord[]> {
    return this.#nodes.readStats(wanted);
  }

  async writeFrontend(name: string, identifier: string, backends: readonly string[]): Promise<void> {
    const key = this.#keys.frontend(name);
    await namedRun(this.#write, `writing frontend ${name}`, (commands) =>
      allOrError(commands, [
        ['DEL', key],
        ['RPUSH', key, identifier, ...backends],
      ]),
    );
    this.#wroteOurselves(name);
  }

  async deleteFrontend(name: string): Promise<void> {
    const keys = [this.#keys.frontend(name), this.#keys.dead(name), this.#keys.health(name), this.#keys.record('route', name)];
    await namedRun(this.#write, `deleting frontend ${name}`, (commands) =>
      allOrError(
        commands,
        keys.map((key): Command => ['DEL', key]),
      ),
    );
    this.#wroteOurselves(name);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#poll.release();
    this.#frontends.close();
    await Promise.all([this.#tracking.close(), this.#changes.close(), this.#read.close(), this.#write.close()]);
  }

  #keyChanged(key: string): void {
    if (key === this.#keys.revision) this.#listener?.revisionChanged?.();
    const node = this.#keys.nodeIn(key);
    if (node !== null) this.#listener?.nodeChanged?.(node);
    const name = this.#keys.nameIn(key);
    if (name !== null) {
      if (key === this.#keys.frontend(name)) {
        this.#frontends.written(name);
        if (this.#empty.kept) void this.#empty.look();
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

  /** After a failover behind one address, tracking might still listen to the server that was replaced. */
  #readIsUp(): void {
    void this.#empty.look();
    const { downSince } = this.#read;
    if (downSince !== 0 && this.#tracking.armed && this.#tracking.armedAt < downSince)
      this.#tracking.renew('the read side is new');
  }
}
