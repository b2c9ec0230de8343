// Changes through the management in Redis: read under WATCH, written in one transaction with the revision and the history.
import { type RecordShape, recordShapes, type StoredRecord } from '../model/record-kind.js';
import type { Command, CommandResult } from '../redis/commands.js';
import type { RedisSide } from '../redis/kept-link.js';
import type { RedisKeys } from '../redis/keys.js';
import { type ChangePlan, ChangeRaced, changesNothing, historyLength, type PlanChange, type RecordAddress } from './change.js';
import { namedRun } from './named-run.js';
import { maintenanceCommands } from './redis-marks.js';
import { parseReply, readRecordCommand, replaceCommands } from './redis-records.js';

/** So often a change is made anew because somebody came between. */
const attempts = 20;
/** In a cluster nobody watches: one process at a time writes, for as long as its lease lasts should it die with it. In milliseconds. */
const leaseLasts = 5_000;
/** How often others ask for it, and how long at most. */
const leaseRetry = 10;
const leasePatience = 2 * leaseLasts;
/** Whoever has more to change than this takes goes on when others had their chance. */
const turn = 250;

/** Work that one process does at a time. */
export interface ChangeLease {
  /** @returns whether the holder has it now */
  take(holder: string, milliseconds: number): Promise<boolean>;
  drop(holder: string): Promise<void>;
}

export interface RedisChangesParts {
  readonly keys: RedisKeys;
  /** Used for nothing else: what a connection watches is forgotten with each transaction on it. */
  readonly link: RedisSide;
  /** Excludes other processes, where the server cannot; null: it can. */
  readonly lease: ChangeLease | null;
}

/** One change. */
interface Work {
  readonly addresses: readonly RecordAddress[];
  readonly plan: PlanChange;
}

export class RedisChanges {
  readonly #parts: RedisChangesParts;
  readonly #holder = `changes-${process.pid}-${Math.random().toString(36).slice(2)}`;
  /** Changes are made one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  /** Those that have not ended. */
  #waiting = 0;
  /** Since when it has the lease, by `performance.now()`; 0: it does not. */
  #leasedAt = 0;
  #begun: Promise<void> | null = null;

  constructor(parts: RedisChangesParts) {
    this.#parts = parts;
  }

  /** @returns the revision that stands after it, and the keys that were written */
  change(addresses: readonly RecordAddress[], plan: PlanChange): Promise<{ revision: number; keys: readonly string[] }> {
    this.#waiting += 1;
    const made = this.#last.then(() => this.#change({ addresses, plan }));
    this.#last = made.catch(() => undefined);
    return made;
  }

  async close(): Promise<void> {
    await this.#parts.link.close();
  }

  async #change(work: Work): Promise<{ revision: number; keys: readonly string[] }> {
    // Most processes with a store never change anything this way, and need no connection for it.
    this.#begun ??= this.#parts.link.start();
    await this.#begun;
    const { lease } = this.#parts;
    try {
      if (lease !== null) await this.#take(lease);
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const made = await this.#attempt(work);
        if (made !== null) return made;
      }
    } finally {
      this.#waiting -= 1;
      if (lease !== null && this.#leasedAt > 0) await this.#giveWay(lease);
    }
    throw new ChangeRaced();
  }

  async #take(lease: ChangeLease): Promise<void> {
    for (const deadline = performance.now() + leasePatience; !(await lease.take(this.#holder, leaseLasts)); ) {
      if (performance.now() > deadline) throw new ChangeRaced();
      await pause(leaseRetry);
    }
    if (this.#leasedAt === 0) this.#leasedAt = performance.now();
  }

  /** Gives the lease back where nothing more is to be changed, or others have waited for long. */
  async #giveWay(lease: ChangeLease): Promise<void> {
    const long = performance.now() - this.#leasedAt > turn;
    if (this.#waiting > 0 && !long) return;
    this.#leasedAt = 0;
    // One that is not given back runs out.
    await lease.drop(this.#holder).catch(() => {});
    if (this.#waiting > 0) await pause(3 * leaseRetry);
  }

  /** Null: somebody came between. */
  async #attempt({ addresses, plan }: Work): Promise<{ revision: number; keys: readonly string[] } | null> {
    const { keys, link } = this.#parts;
    const places = addresses.map(({ kind, name }) => {
      const shape: RecordShape = kind === 'frontend' ? 'list' : recordShapes[kind];
      return { kind, name, shape, key: kind === 'frontend' ? keys.frontend(name) : keys.record(kind, name) };
    });
    const reads: Command[] = [
      ['GET', keys.revision],
      ['TYPE', keys.history],
      ...places.map(({ shape, key }) => readRecordCommand(shape, key)),
    ];
    let revision = 0;
    let written: string[] = [];
    /** What was thrown here, and not by Redis. */
    const refusals: unknown[] = [];
    const planned = ([counted, type, ...replies]: readonly CommandResult[]): Command[][] => {
      revision = revisionIn(counted!, keys.revision);
      if (!['none', 'stream'].includes(String(type?.[1]))) throw new Error(`${keys.history} is not a stream; remove that key`);
      const before = replies.map((reply, at): StoredRecord => parseReply(reply, places[at]!.key));
      const made = plan(before);
      written = [];
      if (changesNothing(addresses, before, made)) return [];
      revision += 1;
      const changes = places.flatMap((place, at): Change[] => {
        const after = made.after[at] ?? null;
        return after === null ? [] : [{ ...place, before: before[at]!.values, after }];
      });
      written = changes.map(({ key }) => key);
      return groupsOf(keys, changes, made, revision);
    };
    const done = await namedRun(link, 'changing records', (commands) =>
      commands.guarded([keys.revision, ...places.map(({ key }) => key)], reads, (replies) => {
        try {
          return planned(replies);
        } catch (error) {
          refusals.push(error);
          throw error;
        }
      }),
    ).catch((error: unknown) => {
      throw refusals[0] ?? error;
    });
    return done ? { revision, keys: written } : null;
  }
}

interface Change extends RecordAddress {
  readonly shape: RecordShape;
  readonly key: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/**
 * In an order that does no harm where it is cut short, as in a cluster it may be: the history first, so that it shows what was begun;
 * lists go before their policies and come after them; the revision last, so that nobody waits for what is not there.
 */
function groupsOf(keys: RedisKeys, changes: readonly Change[], plan: ChangePlan, revision: number): Command[][] {
  const history: Command = ['XADD', keys.history, 'MAXLEN', '~', historyLength, '*', 'change', plan.history(revision)];
  const ordered = [...changes].sort((one, other) => placeOf(one) - placeOf(other));
  const records = ordered.map(({ shape, key, before, after }) => writeCommands(shape, key, before, after));
  // A mark of maintenance goes with its backend.
  const marks = ordered.filter(({ kind }) => kind === 'frontend').flatMap((change) => markGroups(keys, change));
  const maintenance = (plan.maintenance ?? []).flatMap(({ request, members }) =>
    maintenanceCommands(keys, request, members, Date.now()).map((command) => [command]),
  );
  return [[history], ...records, ...marks, ...maintenance, [['SET', keys.revision, revision]]];
}

function placeOf({ kind, after }: Change): number {
  if (kind === 'frontend') return after.length === 0 ? 0 : 2;
  return after.length === 0 ? 3 : 1;
}

/** A list that only grew keeps what it has, and its indexes. */
function writeCommands(shape: RecordShape, key: string, before: readonly string[], after: readonly string[]): Command[] {
  const grew = shape === 'list' && before.length > 0 && after.length > before.length && beginsWith(after, before);
  return grew ? [['RPUSH', key, ...after.slice(before.length)]] : replaceCommands(shape, key, after);
}

/** The dead set goes by index: it means nothing any more once the list has shifted. */
function markGroups(keys: RedisKeys, { name, before, after }: Change): Command[][] {
  const dead: Command = ['DEL', keys.dead(name)];
  if (after.length === 0) return [[dead], [['DEL', keys.health(name)]]];
  const [entries, kept] = [before.slice(1), after.slice(1)];
  if (beginsWith(kept, entries)) return [];
  const gone = entries.filter((entry) => !kept.includes(entry));
  return gone.length === 0 ? [[dead]] : [[dead], [['HDEL', keys.health(name), ...gone]]];
}

function beginsWith(list: readonly string[], beginning: readonly string[]): boolean {
  return beginning.every((text, at) => text === list[at]);
}

function revisionIn([error, reply]: CommandResult, key: string): number {
  if (error !== null) throw error;
  const revision = reply === null ? 0 : Number(reply);
  if (Number.isSafeInteger(revision) && revision >= 0) return revision;
  throw new Error(`${key} is no number; set it to one that is higher than any before`);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
