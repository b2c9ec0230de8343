// Frontends as they are read from Redis: one round trip a look-up, what expires and what is too large looked after, wrong records kept apart.
import type { FrontendRecord } from '../model/frontend.js';
import type { OnReply } from '../redis/commands.js';
import type { RedisSide } from '../redis/kept-link.js';
import type { RedisKeys } from '../redis/keys.js';
import { asError, isForbidden, isTimeout } from '../redis/redis-errors.js';
import { ExpiryWatch } from './expiry-watch.js';
import { namedRun } from './named-run.js';
import { OversizeWatch } from './oversize-watch.js';
import {
  commandsPerName,
  isOversized,
  parseRecord,
  readCommands,
  refuseLarge,
  sizeCommands,
  sizesPerName,
} from './redis-record.js';

export interface RedisFrontendsParts {
  readonly keys: RedisKeys;
  readonly read: RedisSide;
  readonly write: RedisSide;
  readonly log: (level: 'warn', text: string) => void;
  /** A frontend may be another one by now, though nobody has written it. */
  changed(name: string): void;
  /** Told of each reply to a look-up. */
  readonly onReply: OnReply;
  /** There is a frontend: the store is not empty. */
  found(): void;
}

const maxNotes = 1000;

export class RedisFrontends {
  readonly #parts: RedisFrontendsParts;
  readonly #expiries: ExpiryWatch;
  readonly #oversize: OversizeWatch;
  /** Complaints made already, so that each is logged once. */
  readonly #notes = new Set<string>();

  constructor(parts: RedisFrontendsParts) {
    this.#parts = parts;
    this.#expiries = new ExpiryWatch((name) => parts.changed(name));
    this.#oversize = new OversizeWatch((name) => parts.changed(name));
  }

  /** As `Store.readFrontends`. */
  async read(names: readonly string[]): Promise<FrontendRecord[]> {
    if (this.#oversize.careful) await this.#holdLarge(names);
    const held = names.map((name) => this.#oversize.heldOf(name));
    if (held.every((record) => record === undefined)) return this.#readRecords(names);
    const read = await this.#readRecords(names.filter((_, at) => held[at] === undefined));
    return held.map((record) => record ?? (read.shift() as FrontendRecord));
  }

  /** It was written: when it was to expire is no longer known. */
  written(name: string): void {
    this.#expiries.forget(name);
  }

  close(): void {
    this.#expiries.close();
    this.#oversize.close();
  }

  /** Asks for sizes first: reading what is too large would hold everybody else up. */
  async #holdLarge(names: readonly string[]): Promise<void> {
    const { keys, read } = this.#parts;
    const sizes = await namedRun(read, 'asking for sizes', (commands) => commands.reads(sizeCommands(keys, names))).catch(
      (error: unknown) => {
        if (!isForbidden(asError(asError(error).cause))) throw error;
        this.#noteOnce('this user of Redis may not ask how large records are (+memory|usage): large ones hold others up');
        return null;
      },
    );
    names.forEach((name, at) => {
      const large = sizes === null ? null : refuseLarge(name, sizes.slice(at * sizesPerName, (at + 1) * sizesPerName));
      if (large !== null) this.#oversize.hold(large);
    });
  }

  async #readRecords(names: readonly string[]): Promise<FrontendRecord[]> {
    if (names.length === 0) return [];
    const { keys, read, onReply } = this.#parts;
    const replies = await namedRun(read, 'reading frontends', (commands) =>
      commands.reads(readCommands(keys, names), onReply),
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
      if (record.list.length > 0) this.#parts.found();
      if (record.marks.some((mark) => mark.manual === true)) this.#persistMarks(name);
      return record;
    });
  }

  /** A mark of maintenance that was written by hand went into a hash that may expire with older marks. */
  #persistMarks(name: string): void {
    const { keys, write } = this.#parts;
    write
      .run((commands) => commands.one(['PERSIST', keys.health(name)]))
      .catch(() => this.#noteOnce(`health:${name} cannot be kept from expiring`));
  }

  #noteOnce(text: string): void {
    if (this.#notes.has(text) || this.#notes.size >= maxNotes) return;
    this.#notes.add(text);
    this.#parts.log('warn', text);
  }
}
