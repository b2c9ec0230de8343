// Probes for the whole fleet: one worker of all nodes has the lease, knows what is to be probed, and writes verdicts for everybody.
import { randomUUID } from 'node:crypto';
import type { Sweepable } from '../base/clock.js';
import type { FrontendRecord } from '../model/frontend.js';
import { parseHealthcheck } from '../model/healthcheck.js';
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import type { Logger } from '../observe/logger.js';
import { Lease } from '../store/lease.js';
import type { Store, StoreListener } from '../store/store.js';
import { ActiveChecks } from './active.js';
import type { StartProbe } from './probe.js';
import { ProbeSlots } from './probe-slots.js';
import { Recoveries } from './recovery.js';

/** What it works with. Milliseconds unless said otherwise. */
export interface FleetHealthParts {
  readonly store: Pick<
    Store,
    'state' | 'readFrontends' | 'readRecord' | 'scanNames' | 'markDead' | 'revive' | 'takeLease' | 'dropLease'
  >;
  readonly startProbe: StartProbe;
  readonly hchecker: { readonly active: boolean };
  readonly log: Logger;
  /** Seconds that a dead mark lasts. */
  readonly deadBackendTTL: number;
  /** 0: dead backends without a check are not probed. */
  readonly recoveryInterval: number;
  /** Time for a connection. */
  readonly connectTimeout: number;
  /** How often the lease is asked for, and how long it lasts; a test is more hurried. */
  readonly leasePeriod?: number;
  readonly leaseLength?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const work = 'probes';
const standardLeasePeriod = 3_000;
const standardLeaseLength = 10_000;
/** Probes at a time. */
const maxProbes = 64;
/** A connection that takes longer is none for a client either. */
const longestRecoveryTimeout = 3_000;
/** Names that are looked after; beyond, the store's own expiry has to do. */
const maxNames = 10_000;
/** Names read in one round trip. */
const batch = 100;
/** Where changes are not told, how often everything is looked through again. */
const rescanInterval = 30_000;

export class FleetHealth implements StoreListener, Sweepable {
  readonly #parts: FleetHealthParts;
  readonly #now: () => number;
  readonly #lease: Lease;
  readonly #slots: ProbeSlots;
  readonly #active: ActiveChecks;
  readonly #recoveries: Recoveries;
  /** Names with a `healthcheck:` record, as far as is known. */
  readonly #checks = new Set<string>();
  /** Names that must be read, since something about them may have changed. */
  readonly #stale = new Set<string>();
  /** Complaints about checks, so that each is logged once. */
  readonly #faults = new Map<string, string>();
  #reading = false;
  /** When everything is looked through again; 0: that is not necessary. */
  #rescanAt = 0;
  #full = false;

  constructor(parts: FleetHealthParts) {
    this.#parts = parts;
    const { store, log, now = Date.now } = parts;
    this.#now = now;
    this.#slots = new ProbeSlots(parts.startProbe, maxProbes);
    this.#recoveries = new Recoveries({
      store,
      slots: this.#slots,
      log,
      interval: parts.recoveryInterval,
      timeout: Math.min(parts.connectTimeout || longestRecoveryTimeout, longestRecoveryTimeout),
      ttl: parts.deadBackendTTL,
      hchecker: parts.hchecker,
      now,
    });
    this.#active = new ActiveChecks({
      store,
      slots: this.#slots,
      log,
      ttl: parts.deadBackendTTL,
      now,
      marksElsewhere: (frontend, backend) => this.#recoveries.elsewhere(frontend, backend),
    });
    this.#lease = new Lease({
      store,
      work,
      holder: randomUUID(),
      period: parts.leasePeriod ?? standardLeasePeriod,
      length: parts.leaseLength ?? standardLeaseLength,
      onTaken: () => {
        this.#rescanAt = this.#now();
      },
      onLost: () => this.#forgetAll(),
    });
  }

  /** Whether it is this worker that probes. */
  get leads(): boolean {
    return this.#lease.held;
  }

  start(): void {
    this.#lease.start();
  }

  /** Ends running probes and gives the lease back, so that another worker takes over at once. */
  async stop(): Promise<void> {
    await this.#lease.stop();
    this.#forgetAll();
  }

  changed(name: string): void {
    if (this.leads && (this.#checks.has(name) || this.#recoveries.has(name))) this.#stale.add(name);
  }

  marksChanged(name: string): void {
    if (this.leads) this.#note(name);
  }

  recordChanged(kind: RecordKind, name: string): void {
    if (kind !== 'healthcheck' || !this.leads) return;
    if (this.#note(name)) this.#checks.add(name);
  }

  everythingChanged(): void {
    if (!this.leads) return;
    const at = this.#now() + (this.#parts.store.state === 'polling' ? rescanInterval : 0);
    this.#rescanAt = this.#rescanAt === 0 ? at : Math.min(this.#rescanAt, at);
  }

  /** Called by the clock. */
  sweep(): void {
    if (!this.leads) return;
    if (!this.#reading) void this.#read();
    this.#active.sweep();
    this.#recoveries.sweep();
  }

  #forgetAll(): void {
    this.#slots.stopAll();
    this.#active.clear();
    this.#recoveries.clear();
    this.#checks.clear();
    this.#stale.clear();
    this.#rescanAt = 0;
    this.#full = false;
  }

  /** Has a name read, unless there are too many. */
  #note(name: string): boolean {
    const known = this.#checks.has(name) || this.#recoveries.has(name) || this.#stale.has(name);
    if (!known && this.#checks.size + this.#recoveries.size + this.#stale.size >= maxNames) {
      if (!this.#full)
        this.#parts.log.warn(`More than ${maxNames} frontends are checked or have dead backends; the others are not probed`);
      this.#full = true;
      return false;
    }
    this.#stale.add(name);
    return true;
  }

  /** One round of reading; never rejects. What could not be read is read at the next tick. */
  async #read(): Promise<void> {
    this.#reading = true;
    try {
      if (this.#rescanAt > 0 && this.#rescanAt <= this.#now()) await this.#scan();
      await this.#readStale();
    } catch (error) {
      this.#parts.log.debug('what is to be probed could not be read', { error });
    } finally {
      this.#reading = false;
    }
  }

  async #scan(): Promise<void> {
    const { store } = this.#parts;
    this.#rescanAt = 0;
    try {
      for (const name of [...this.#checks]) this.#stale.add(name);
      await store.scanNames('healthcheck', '', (names) => {
        for (const name of names) if (this.#note(name)) this.#checks.add(name);
      });
      await store.scanNames('health', '', (names) => {
        for (const name of names) this.#note(name);
      });
    } catch (error) {
      this.#rescanAt = this.#now() + rescanInterval;
      throw error;
    }
  }

  async #readStale(): Promise<void> {
    const { store } = this.#parts;
    while (this.#stale.size > 0 && this.leads) {
      const names = [...this.#stale].slice(0, batch);
      for (const name of names) this.#stale.delete(name);
      try {
        const [records, checks] = await Promise.all([
          store.readFrontends(names),
          Promise.all(names.map((name) => (this.#checks.has(name) ? store.readRecord('healthcheck', name) : null))),
        ]);
        if (!this.leads) return;
        for (const [at, record] of records.entries()) this.#take(record, checks[at] ?? null);
      } catch (error) {
        for (const name of names) this.#stale.add(name);
        throw error;
      }
    }
  }

  #take(record: FrontendRecord, stored: StoredRecord | null): void {
    const { name } = record;
    const { check, faults } = stored === null ? { check: null, faults: [] } : parseHealthcheck(stored);
    this.#complain(name, faults);
    if (check === null) {
      this.#checks.delete(name);
      this.#active.forget(name);
    } else {
      this.#active.set(name, check, record);
    }
    this.#recoveries.set(record, (frontend) => this.#active.has(frontend));
  }

  #complain(name: string, faults: readonly string[]): void {
    const text = faults.join('\n');
    if ((this.#faults.get(name) ?? '') === text) return;
    if (text === '') this.#faults.delete(name);
    else this.#faults.set(name, text);
    for (const fault of faults) this.#parts.log.warn(`healthcheck:${name}: ${fault}`);
  }
}
