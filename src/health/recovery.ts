// Recovery: dead backends that no check looks after are tried by a connection now and then; who accepts it is revived.
import { type Backend, changedBackend } from '../model/backend.js';
import { deathsOf, maintenanceOf } from '../model/dead-set.js';
import type { DeadMark, FrontendRecord } from '../model/frontend.js';
import { parseBackend } from '../model/parse-backend.js';
import { parseBackends } from '../model/parse-backends.js';
import type { Logger } from '../observe/logger.js';
import type { RevivalRequest, Store } from '../store/store.js';
import type { ProbeSlots } from './probe-slots.js';
import { revivalOf } from './revival.js';

export interface RecoveriesParts {
  readonly store: Pick<Store, 'markDead' | 'revive'>;
  readonly slots: ProbeSlots;
  readonly log: Logger;
  /** Milliseconds between two probes of a dead backend; 0: none is probed. */
  readonly interval: number;
  /** Milliseconds for a connection. */
  readonly timeout: number;
  /** Seconds that a mark lasts. */
  readonly ttl: number;
  /** An active hchecker revives by itself. */
  readonly hchecker: { readonly active: boolean };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A dead backend. */
interface Recovery {
  readonly backend: Backend;
  /** Null: somebody else marked it. */
  readonly mark: DeadMark | null;
  due: number;
  probing: boolean;
}

interface DeadRecord {
  readonly record: FrontendRecord;
  readonly recoveries: ReadonlyMap<string, Recovery>;
  /** When those who know no maintenance are told of it again; 0: there is none. */
  maintainAt: number;
}

/** A mark is left alone for this long, milliseconds: what went wrong should have time to pass. */
const leastAge = 1_000;
/** How often marks of maintenance are told where probes are off, milliseconds. */
const standardInterval = 60_000;

export class Recoveries {
  readonly #parts: RecoveriesParts;
  readonly #records = new Map<string, DeadRecord>();

  constructor(parts: RecoveriesParts) {
    this.#parts = parts;
  }

  has(name: string): boolean {
    return this.#records.has(name);
  }

  get size(): number {
    return this.#records.size;
  }

  clear(): void {
    this.#records.clear();
  }

  forget(name: string): void {
    this.#records.delete(name);
  }

  /**
   * Takes note of what a record says now.
   * @param checked tells frontends whose backends are probed otherwise
   */
  set(record: FrontendRecord, checked: (frontend: string) => boolean): void {
    const { name } = record;
    const before = this.#records.get(name);
    const recoveries = new Map<string, Recovery>();
    for (const { backend, mark } of this.#dead(record, checked)) {
      const known = before?.recoveries.get(backend.entry);
      if (known !== undefined && known.mark?.until === mark?.until) recoveries.set(backend.entry, known);
      else recoveries.set(backend.entry, { backend, mark, due: this.#firstDue(mark), probing: known?.probing ?? false });
    }
    const maintained = record.marks.some((mark) => mark.manual === true);
    // The marks of a host of a wildcard go with that of its frontend.
    const follows = record.marks.some((mark) => mark.frontend !== undefined);
    if (recoveries.size === 0 && !maintained && !follows) {
      this.#records.delete(name);
      return;
    }
    this.#records.set(name, { record, recoveries, maintainAt: maintained ? before?.maintainAt || this.#parts.now() : 0 });
  }

  /** What must go of the marks that hosts of a wildcard have of a backend. */
  elsewhere(frontend: string, backend: Backend): readonly RevivalRequest[] {
    const found: RevivalRequest[] = [];
    for (const { record } of this.#records.values()) {
      const mark = record.marks.find((one) => one.entry === backend.entry && one.frontend === frontend);
      if (mark !== undefined && mark.retryAt === undefined)
        found.push(revivalOf(record, changedBackend(backend, { index: mark.index })));
    }
    return found;
  }

  /** Begins the probes that are due, as many as may run, and tells of maintenance. */
  sweep(): void {
    const { slots, hchecker, interval, now } = this.#parts;
    const at = now();
    for (const [name, dead] of this.#records) {
      // Redis tells when marks expire, later or sooner; a store in memory does not.
      if (dead.maintainAt === 0 && dead.record.deadUntil <= at) this.#records.delete(name);
      if (dead.maintainAt > 0 && dead.maintainAt <= at) this.#tellMaintenance(dead);
      if (interval === 0) continue;
      for (const recovery of dead.recoveries.values()) {
        if (recovery.probing || recovery.due > at) continue;
        if (!slots.free) return;
        if (hchecker.active) recovery.due = at + interval;
        else this.#probe(dead.record, recovery);
      }
    }
  }

  /** Marks of ours that neither a breaker nor a check looks after; and members that others left in a set that we make last longer. */
  #dead(record: FrontendRecord, checked: (frontend: string) => boolean): { backend: Backend; mark: DeadMark | null }[] {
    if (checked(record.name)) return [];
    const now = this.#parts.now();
    const found: { backend: Backend; mark: DeadMark | null }[] = [];
    for (const mark of record.marks) {
      if (mark.manual === true || mark.retryAt !== undefined || mark.until <= now) continue;
      if (mark.frontend !== undefined && checked(mark.frontend)) continue;
      const parsed = parseBackend(mark.entry, mark.index);
      if (parsed.kind === 'backend') found.push({ backend: parsed.backend, mark });
    }
    if (record.marks.length === 0 || !Number.isFinite(record.deadUntil)) return found;
    const { backends } = parseBackends(record.list.slice(1));
    deathsOf([record], backends, now).forEach((death, position) => {
      if (death?.kind === 'member') found.push({ backend: backends[position] as Backend, mark: null });
    });
    return found;
  }

  /** After the interval, but before the mark ends: what still fails must not be tried by a client. */
  #firstDue(mark: DeadMark | null): number {
    const { interval, timeout, now } = this.#parts;
    const usual = now() + interval * (0.9 + 0.1 * Math.random());
    if (mark === null) return usual;
    const left = mark.until - now();
    const beforeItEnds = mark.until - Math.min(timeout + 500, left / 4);
    return Math.max((mark.since ?? 0) + leastAge, Math.min(usual, beforeItEnds));
  }

  #probe(record: FrontendRecord, recovery: Recovery): void {
    const { slots, timeout, interval, now } = this.#parts;
    const { backend, mark } = recovery;
    // It may have ended since the last look.
    if (mark !== null && mark.until <= now()) return;
    recovery.probing = true;
    recovery.due = now() + interval;
    slots.run(backend, { type: 'tcp', timeout }, (result) => {
      recovery.probing = false;
      // The record may have changed meanwhile: what it says now is what has to go.
      const current = this.#records.get(record.name);
      const still = current?.recoveries.get(backend.entry);
      if (current === undefined || still === undefined) return;
      still.probing = false;
      if (result.kind === 'well') this.#revive(current.record, backend);
      else if (still.mark !== null) this.#keep(current.record, still.backend, still.mark);
    });
  }

  #revive(record: FrontendRecord, backend: Backend): void {
    const { store, log } = this.#parts;
    const { name } = record;
    log.info(`${name}: backend #${backend.index} accepts connections again and is alive`, {
      frontend: name,
      backend: backend.origin,
    });
    const elsewhere = this.elsewhere(name, backend);
    store.revive([revivalOf(record, backend), ...elsewhere]).catch((error: unknown) => {
      log.warn(`${name}: backend #${backend.index} could not be revived`, { error });
    });
  }

  /** Its mark must not end before the next probe. A host of a wildcard may never be asked for again: its marks may end. */
  #keep({ name, list }: FrontendRecord, backend: Backend, { frontend, since, probed }: DeadMark): void {
    if (frontend !== undefined) return;
    const { store, log, interval } = this.#parts;
    const ttl = Math.max(this.#parts.ttl, Math.ceil((interval * 1.5) / 1000));
    const more = { ...(since === undefined ? {} : { since }), ...(probed === true ? { probed } : {}) };
    store
      .markDead({ host: name, frontend: name, backend, size: list.length - 1, ttl, write: true, quiet: true, ...more })
      .catch((error: unknown) => log.warn(`${name}: the mark of backend #${backend.index} could not be kept`, { error }));
  }

  /** Hipache and its kin read the dead set alone, whose members end. */
  #tellMaintenance(dead: DeadRecord): void {
    const { store, log, interval, now } = this.#parts;
    const { record } = dead;
    const period = interval || standardInterval;
    dead.maintainAt = now() + period;
    const { backends } = parseBackends(record.list.slice(1));
    for (const backend of backends) {
      const mark = maintenanceOf([record], backend);
      if (mark === null || mark.entry !== backend.entry) continue;
      const moved = mark.index >= 0 && mark.index !== backend.index;
      const stale = moved ? [{ name: record.name, entry: '', members: [String(mark.index)] }] : [];
      const ttl = Math.ceil((period * 2.5) / 1000);
      const { name } = record;
      store
        .revive(stale)
        .then(() => store.markDead({ host: name, frontend: name, backend, size: backends.length, ttl, write: true, quiet: true }))
        .catch((error: unknown) => log.warn(`${name}: maintenance of backend #${backend.index} could not be told`, { error }));
    }
  }
}
