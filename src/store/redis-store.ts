// Frontends and dead marks in Redis: one round trip a look-up, changes told by tracking, wrong records kept apart.
import type { ChainableCommander, Redis } from 'ioredis';
import type { RedisUrl } from '../config/driver-url.js';
import type { FrontendRecord } from '../model/frontend.js';
import { type RecordKind, recordShapes, type StoredRecord } from '../model/record-kind.js';
import { RedisLink } from '../redis/connect.js';
import { deadChannel, hcheckerPingKey, RedisKeys } from '../redis/keys.js';
import { asError, shortReason, transactionError } from '../redis/redis-errors.js';
import { KeyTracking } from '../redis/tracking.js';
import { ExpiryWatch } from './expiry-watch.js';
import { type CommandResult, maxListEntries, parseRecord } from './redis-record.js';
import { readReply, recordCommand, writeRecordCommands } from './redis-records.js';
import type { DeadMarkRequest, Store, StoreListener, StoreState } from './store.js';

export interface RedisStoreOptions {
  /** Where to read from, and whose `#prefix` counts for both sides, as in Hipache. */
  readonly read: RedisUrl;
  /** Where to write to; the same object where one URL was given. */
  readonly write: RedisUrl;
  /** Milliseconds that a connection attempt or a command may take. */
  readonly timeout: number;
  readonly log: (level: 'info' | 'warn' | 'error', text: string) => void;
}

/** How long an answer may be old where nobody tells changes. */
const pollInterval = 1000;
/** Commands sent for each name by `readFrontends`. */
const commandsPerName = 6;
/** Keys looked at by one SCAN. */
const scanCount = 1000;
const maxNotes = 1000;

export class RedisStore implements Store {
  readonly #options: RedisStoreOptions;
  readonly #keys: RedisKeys;
  readonly #read: RedisLink;
  /** The read side again where one URL serves both. */
  readonly #write: RedisLink;
  readonly #tracking: KeyTracking;
  readonly #expiries: ExpiryWatch;
  /** Complaints made already, so that each is logged once. */
  readonly #notes = new Set<string>();
  #listener: StoreListener | null = null;
  #poll: NodeJS.Timeout | undefined;

  constructor(options: RedisStoreOptions) {
    const { read, write, timeout, log } = options;
    this.#options = options;
    this.#keys = new RedisKeys(read.prefix);
    this.#expiries = new ExpiryWatch((name) => this.#listener?.changed(name));
    this.#read = new RedisLink({
      url: read,
      role: 'read',
      timeout,
      log,
      // The very commands of a look-up: shows missing rights, a data set still loading, a replica without its primary.
      prepare: async (client) => {
        await readNames(client.multi(), this.#keys, ['']);
      },
      onUp: () => this.#readIsUp(),
      onDown: () => undefined,
    });
    const prepareWrite = async (client: Redis) => {
      await client.ping();
    };
    this.#write =
      write === read
        ? this.#read
        : new RedisLink({
            url: write,
            role: 'write',
            timeout,
            log,
            prepare: prepareWrite,
            onUp: () => undefined,
            onDown: () => undefined,
          });
    this.#tracking = new KeyTracking({
      url: read,
      timeout,
      keys: this.#keys,
      log,
      writeProbe: (key) => this.#writeProbe(key),
      onKey: (key) => this.#keyChanged(key),
      onEverything: () => this.#listener?.everythingChanged(),
      onLost: (hung) => {
        // Both speak to one server: without this, look-ups would wait for a server that is known to hang.
        if (hung) this.#read.renew('the server does not reply');
      },
    });
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
      if (this.state === 'polling') listener.everythingChanged();
    }, pollInterval).unref();
  }

  get state(): StoreState {
    if (!this.#read.up) return 'away';
    return this.#tracking.armed ? 'live' : 'polling';
  }

  async readFrontends(names: readonly string[]): Promise<FrontendRecord[]> {
    const replies = await this.#run(this.#read, 'reading frontends', (client) => readNames(client.multi(), this.#keys, names));
    const now = Date.now();
    return names.map((name, at) => {
      const [list, listTtl, dead, deadTtl, health, policy] = replies.slice(at * commandsPerName, (at + 1) * commandsPerName);
      const expiresIn = Number(listTtl![1]);
      if (expiresIn >= 0) this.#expiries.watch(name, expiresIn);
      return parseRecord(name, { list: list!, dead: dead!, deadTtl: deadTtl!, health: health!, policy: policy! }, now, (text) =>
        this.#noteOnce(text),
      );
    });
  }

  async markDead(mark: DeadMarkRequest): Promise<void> {
    const { host, frontend, backend, size, ttl } = mark;
    const seconds = Math.ceil(ttl);
    const now = Date.now();
    const health = JSON.stringify({ index: backend.index, since: now, until: now + seconds * 1000 });
    const names = mark.write && seconds > 0 ? new Set([host, frontend]) : [];
    await this.#run(this.#write, `marking a backend of ${host} dead`, (client) => {
      const commands = client.multi();
      for (const name of names) {
        // The index alone goes into the set: PlanB reads anything else as 0. Which entry it meant is in the health hash.
        commands.sadd(this.#keys.dead(name), String(backend.index)).expire(this.#keys.dead(name), seconds);
        commands.hset(this.#keys.health(name), backend.entry, health).expire(this.#keys.health(name), seconds);
      }
      commands.publish(deadChannel, `${host};${backend.publishedUrl};${backend.index};${size}`);
      return executeAll(commands);
    });
    for (const name of names) this.#wroteOurselves(name);
  }

  async readHcheckerPing(): Promise<number> {
    const reply = await this.#run(this.#read, 'reading hchecker_ping', (client) => client.get(hcheckerPingKey));
    const seconds = Number(reply);
    return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
  }

  async readRecord(kind: RecordKind, name: string): Promise<StoredRecord> {
    const key = this.#keys.record(kind, name);
    return this.#run(this.#read, `reading ${key}`, (client) => readReply(recordCommand(client, recordShapes[kind], key), key));
  }

  async writeRecord(kind: RecordKind, name: string, values: readonly string[]): Promise<void> {
    const key = this.#keys.record(kind, name);
    await this.#run(this.#write, `writing ${key}`, (client) =>
      executeAll(writeRecordCommands(client.multi(), recordShapes[kind], key, values)),
    );
    if (this.state !== 'live') this.#keyChanged(key);
  }

  async scanNames(kind: RecordKind | 'frontend', matching: string, onPage: (names: readonly string[]) => void): Promise<void> {
    const beginning = kind === 'frontend' ? this.#keys.frontend('') : this.#keys.record(kind, '');
    const pattern = `${globLiteral(beginning)}*${matching === '' ? '' : `${globLiteral(matching)}*`}`;
    let cursor = '0';
    do {
      const [next, keys] = await this.#run(this.#read, `scanning ${beginning}*`, (client) =>
        client.scan(cursor, 'MATCH', pattern, 'COUNT', scanCount),
      );
      cursor = next;
      const names = keys.map((key) => key.slice(beginning.length)).filter((name) => name.includes(matching));
      if (names.length > 0) onPage(names);
    } while (cursor !== '0');
  }

  async takeLease(work: string, holder: string, milliseconds: number): Promise<boolean> {
    const key = this.#keys.lease(work);
    const reply = await this.#run(this.#write, `taking ${key}`, (client) =>
      client.eval(takeLeaseScript, 1, key, holder, String(Math.ceil(milliseconds))),
    );
    return reply === 1;
  }

  async dropLease(work: string, holder: string): Promise<void> {
    const key = this.#keys.lease(work);
    await this.#run(this.#write, `dropping ${key}`, (client) => client.eval(dropLeaseScript, 1, key, holder));
  }

  async writeFrontend(name: string, identifier: string, backends: readonly string[]): Promise<void> {
    const key = this.#keys.frontend(name);
    await this.#run(this.#write, `writing frontend ${name}`, (client) =>
      executeAll(
        client
          .multi()
          .del(key)
          .rpush(key, identifier, ...backends),
      ),
    );
    this.#wroteOurselves(name);
  }

  async deleteFrontend(name: string): Promise<void> {
    const keys = [this.#keys.frontend(name), this.#keys.dead(name), this.#keys.health(name), this.#keys.record('route', name)];
    await this.#run(this.#write, `deleting frontend ${name}`, (client) => client.del(keys));
    this.#wroteOurselves(name);
  }

  async close(): Promise<void> {
    clearInterval(this.#poll);
    this.#expiries.close();
    await Promise.all([this.#tracking.close(), this.#read.close(), this.#write.close()]);
  }

  /** Runs commands on a link; an error says what was being done and where, with the foreign error as its cause. */
  async #run<T>(link: RedisLink, doing: string, work: Parameters<typeof link.run<T>>[0]): Promise<T> {
    try {
      return await link.run(work);
    } catch (error) {
      const reason = asError(error);
      throw new Error(`${doing} in Redis failed: ${shortReason(reason)}`, { cause: reason });
    }
  }

  async #writeProbe(key: string): Promise<boolean> {
    try {
      await this.#write.run((client) => client.set(key, '1', 'PX', 1000));
      return true;
    } catch {
      return false;
    }
  }

  #keyChanged(key: string): void {
    const name = this.#keys.nameIn(key);
    if (name !== null) {
      if (key === this.#keys.frontend(name)) this.#expiries.forget(name);
      this.#listener?.changed(name);
    }
    const record = this.#keys.recordIn(key);
    if (record !== null) this.#listener?.recordChanged?.(record.kind, record.name);
  }

  /** Tracking tells our own writes too; without it nobody does. */
  #wroteOurselves(name: string): void {
    if (this.state !== 'live') this.#listener?.changed(name);
  }

  /** After a failover behind one address, tracking might still listen to the server that was replaced. */
  #readIsUp(): void {
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

/** All that is known about some names, in one transaction. */
async function readNames(commands: ChainableCommander, keys: RedisKeys, names: readonly string[]): Promise<CommandResult[]> {
  for (const name of names) {
    commands.lrange(keys.frontend(name), 0, maxListEntries - 1).pttl(keys.frontend(name));
    commands.smembers(keys.dead(name)).pttl(keys.dead(name));
    // `call` leaves names and values in turn; `hgetall` would make an object whose keys are somebody else's choice.
    commands.call('HGETALL', keys.health(name));
    commands.call('HGETALL', keys.record('route', name));
  }
  return execute(commands);
}

async function execute(commands: ChainableCommander): Promise<CommandResult[]> {
  const replies = await commands.exec().catch((error: unknown) => {
    throw transactionError(error);
  });
  if (replies === null) throw new Error('the transaction was not executed');
  return replies;
}

/** For writes: a command that failed is an error of the whole. */
async function executeAll(commands: ChainableCommander): Promise<void> {
  for (const [error] of await execute(commands)) {
    if (error !== null) throw error;
  }
}
