// Certificates for the whole fleet without anybody's doing: one worker of all nodes has the lease, orders what is missing, and renews
// what it has ordered. Whatever comes of it is in the store, so that every node serves it and another one can go on at any step.
import { randomUUID } from 'node:crypto';
import type { Sweepable } from '../../base/clock.js';
import type { CertificatePair } from '../../model/certificate.js';
import { parsePolicy } from '../../model/policy/policy.js';
import type { RecordKind } from '../../model/record-kind.js';
import { Lease } from '../../store/lease.js';
import type { StoreListener } from '../../store/store.js';
import type { AcmeToolParts } from './acme-tools.js';
import type { Advice } from './advice.js';
import { kindsFor } from './challenge-kinds.js';
import { HourlyCap } from './hourly-cap.js';
import { LeaseWork } from './lease-work.js';
import { type NameState, readNameState } from './name-state.js';
import { ownPair } from './own-pair.js';
import { isPublicName, nameOfFrontend } from './public-name.js';
import { renewalTime } from './renewal.js';

export interface AutomaticCertificatesParts extends AcmeToolParts {
  /** Whether a name without a record of its own is served with a certificate that is made for it. */
  readonly covered: (name: string) => Promise<boolean>;
  /** Whether a frontend other than `*` serves a name. */
  readonly served: (name: string) => Promise<boolean>;
  /** How often the lease is asked for, and how long it lasts: milliseconds; a test is more hurried. */
  readonly leasePeriod?: number;
  readonly leaseLength?: number;
}

/** What this worker knows of a name while it has the lease. */
interface Known {
  /** Frontends that may want it. */
  readonly frontends: Set<string>;
  /** A client asked for it. */
  wanted: boolean;
  /** When it is looked at again, in milliseconds since the epoch. */
  due: number;
  running: boolean;
  /** Something changed while it was being looked at. */
  again: boolean;
  advice: Advice | null;
}

const work = 'certificates';
const standardLeasePeriod = 3_000;
const standardLeaseLength = 10_000;
/** Names that are looked after at a time. */
const slots = 8;
const mostNames = 100_000;
/** Where the store tells nothing more precise: how soon a name is looked at again, and how often all are looked through. */
const recheck = 3_600_000;
const afterStoreFailure = 30_000;
const rescanInterval = 30_000;
const sweepInterval = 1_000;
/** Milliseconds that an end waits for orders to be put down. */
const longestEnd = 3_000;

export class AutomaticCertificates implements StoreListener, Sweepable {
  readonly #parts: AutomaticCertificatesParts;
  readonly #lease: Lease;
  readonly #names = new Map<string, Known>();
  readonly #ready = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #complaints = new Map<string, string>();
  readonly #cap: HourlyCap;
  #work: LeaseWork | null = null;
  #rescanAt = Number.POSITIVE_INFINITY;
  #nextSweep = 0;

  constructor(parts: AutomaticCertificatesParts) {
    this.#parts = parts;
    this.#cap = new HourlyCap(parts.config.onDemandPerHour);
    this.#lease = new Lease({
      store: parts.store,
      work,
      holder: randomUUID(),
      period: parts.leasePeriod ?? standardLeasePeriod,
      length: parts.leaseLength ?? standardLeaseLength,
      onTaken: () => {
        this.#work = new LeaseWork(parts);
        this.#rescanAt = 0;
        this.#nextSweep = 0;
        this.sweep();
      },
      onLost: () => this.#putDown(),
    });
  }

  /** Whether it is this worker that orders. */
  get leads(): boolean {
    return this.#work !== null;
  }

  start(): void {
    this.#lease.start();
  }

  /** Puts down what is under way and gives the lease back. */
  async stop(): Promise<void> {
    const running = Promise.allSettled([...this.#running]);
    this.#putDown();
    await this.#lease.stop();
    await Promise.race([running, new Promise((resolve) => setTimeout(resolve, longestEnd).unref())]);
  }

  /** Something about a frontend changed: of use where one was missing. */
  changed(name: string): void {
    const known = this.#names.get(nameOfFrontend(name));
    if (known?.due === Number.POSITIVE_INFINITY) this.#note(name);
  }

  recordChanged(kind: RecordKind, name: string): void {
    if (!this.leads) return;
    if (kind === 'route') this.#note(name);
    if (kind === 'tls' && this.#names.has(name)) this.#note(name);
    if (kind === 'acme' && name.startsWith('wanted:')) this.#note(name.slice('wanted:'.length), true);
  }

  everythingChanged(): void {
    const at = Date.now() + (this.#parts.store.state === 'polling' ? rescanInterval : 0);
    if (this.leads) this.#rescanAt = Math.min(this.#rescanAt, at);
  }

  /** Called by the clock. */
  sweep(): void {
    const now = Date.now();
    if (!this.leads || now < this.#nextSweep) return;
    this.#nextSweep = now + sweepInterval;
    if (now >= this.#rescanAt) this.#run(this.#scan());
    for (const [name, known] of this.#names) if (known.due <= now) this.#ready.add(name);
    this.#pump();
  }

  #putDown(): void {
    this.#work?.end();
    this.#work = null;
    this.#names.clear();
    this.#ready.clear();
    this.#rescanAt = Number.POSITIVE_INFINITY;
  }

  #run(task: Promise<void>): void {
    const running = task.finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #scan(): Promise<void> {
    this.#rescanAt = Number.POSITIVE_INFINITY;
    const { store, log } = this.#parts;
    try {
      await store.scanNames('route', '', (names) => {
        for (const name of names) this.#note(name);
      });
      await store.scanNames('acme', ':', (names) => {
        for (const name of names) {
          if (name.startsWith('name:')) this.#note(name.slice('name:'.length));
          if (name.startsWith('wanted:')) this.#note(name.slice('wanted:'.length), true);
        }
      });
    } catch (error) {
      log.debug('what needs a certificate could not be read', { error });
      this.#rescanAt = Date.now() + afterStoreFailure;
    }
  }

  /** Has a name looked at. */
  #note(frontend: string, wanted = false): void {
    const name = nameOfFrontend(frontend);
    if (!this.leads || !isPublicName(name)) return;
    let known = this.#names.get(name);
    if (known === undefined) {
      if (this.#names.size >= mostNames) {
        this.#complain('', `More than ${mostNames} names want certificates; the others get none`);
        return;
      }
      known = { frontends: new Set([name]), wanted, due: 0, running: false, again: false, advice: null };
      this.#names.set(name, known);
    }
    known.frontends.add(frontend);
    if (wanted) known.wanted = true;
    if (known.running) known.again = true;
    else this.#ready.add(name);
    this.#pump();
  }

  #pump(): void {
    for (const name of this.#ready) {
      if (this.#running.size >= slots) return;
      this.#ready.delete(name);
      const known = this.#names.get(name);
      if (known === undefined || known.running || this.#work === null) continue;
      known.running = true;
      known.again = false;
      this.#run(this.#lookAfter(name, known, this.#work));
    }
  }

  /** Never rejects. */
  async #lookAfter(name: string, known: Known, current: LeaseWork): Promise<void> {
    let due: number | null;
    try {
      due = await this.#examine(name, known, current);
    } catch (error) {
      if (!current.signal.aborted) this.#parts.log.debug(`the certificate of ${name} could not be looked after`, { error });
      due = Date.now() + afterStoreFailure;
    }
    known.running = false;
    if (this.#work !== current) return;
    if (known.again) this.#ready.add(name);
    else if (due === null) this.#names.delete(name);
    known.due = due ?? Number.POSITIVE_INFINITY;
    // In a turn of its own: this one still counts as running.
    setImmediate(() => this.#pump());
  }

  /** @returns when to look again; null: nobody wants a certificate for it. Rejects where the store cannot be asked */
  async #examine(name: string, known: Known, current: LeaseWork): Promise<number | null> {
    const { store, covered } = this.#parts;
    const state = await readNameState(store, name);
    const reason = await this.#wantedBy(name, known, state);
    if (reason === 'nobody') return null;
    if (reason === 'no-frontend') return Number.POSITIVE_INFINITY;
    const record = await store.readRecord('tls', name);
    const now = Date.now();
    if (record.values.length === 0 && record.fault === '') {
      if (await covered(name)) return now + recheck;
      if (state.retryAt > now) return state.retryAt;
      const first = state.order === '' && state.failures === 0;
      if (reason === 'a client' && first && !this.#cap.takes(now)) {
        this.#complain('', `More than ${this.#cap.most} certificates on demand in an hour; ${name} and others have to wait`);
        return this.#cap.freeAt(now);
      }
      return this.#order(name, { ...state, onDemand: reason === 'a client' }, null, current);
    }
    const own = ownPair(name, record, this.#parts.vault);
    if (own === null) return Number.POSITIVE_INFINITY;
    known.advice = await (await current.tools()).adviceOn(own, known.advice);
    const { window, until } = known.advice;
    const renewal = Math.max(renewalTime(own, window), state.retryAt);
    if (renewal > now) return Math.min(renewal, until);
    return this.#order(name, state, own, current);
  }

  /** Whose wish it is. A person who has set `autoHttps` comes before a client. */
  async #wantedBy(name: string, known: Known, state: NameState): Promise<'autoHttps' | 'a client' | 'no-frontend' | 'nobody'> {
    const { store, config, served } = this.#parts;
    const records = await store.readFrontends([...known.frontends]);
    const asking = records.filter(({ policy }) => policy.length > 0 && parsePolicy(policy).policy.autoHttps);
    if (asking.some(({ list }) => list.length > 0)) return 'autoHttps';
    if (config.onDemand && (known.wanted || state.onDemand) && (await served(name))) return 'a client';
    return asking.length > 0 ? 'no-frontend' : 'nobody';
  }

  async #order(name: string, state: NameState, old: CertificatePair | null, current: LeaseWork): Promise<number> {
    if (kindsFor(this.#parts.config.challenges, name, 0).length > 0)
      return (await current.tools()).orders.order(name, state, old);
    this.#complain(name, `${name} can be proved by dns-01 only, which acme.challenges does not name: it gets no certificate`);
    return Number.POSITIVE_INFINITY;
  }

  #complain(name: string, text: string): void {
    if (this.#complaints.get(name) === text) return;
    this.#complaints.set(name, text);
    this.#parts.log.warn(text);
  }
}
