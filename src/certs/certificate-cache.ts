// The certificates of the store by the name that a client asks for: read on first use, checked once, forgotten when they change.
import { BoundedMap } from '../base/bounded-map.js';
import { type CertificatePair, isInDate } from '../model/certificate.js';
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import { LiveRecords, type RecordSource } from '../store/live-records.js';
import type { StoreListener } from '../store/store.js';
import { checkCertificate } from './check-certificate.js';
import type { KeyVault } from './key-vault.js';

/** What serves a name. One object as long as its record does not change. */
export interface Certificate {
  /** The name of its record: a host, `*.suffix`, or `*`; empty for that of a file. */
  readonly name: string;
  readonly pairs: readonly CertificatePair[];
}

export interface CertificateCacheOptions {
  readonly store: RecordSource;
  readonly vault: KeyVault;
  readonly log: { warn(text: string): void; error(text: string): void };
  /** The most names that are kept. */
  readonly entries: number;
}

/** A record, and what was made of it. */
interface Made {
  readonly values: readonly string[];
  readonly certificate: Certificate | null;
  /** There is no such record. */
  readonly absent: boolean;
}

const nothing: Made = Object.freeze({ values: [], certificate: null, absent: true });

export class CertificateCache implements StoreListener {
  readonly #options: CertificateCacheOptions;
  readonly #records: LiveRecords<Made>;
  /** What was made last, so that a record which is read again unchanged is neither checked nor complained of again. */
  readonly #last: BoundedMap<string, Made>;

  constructor(options: CertificateCacheOptions) {
    this.#options = options;
    const { store, entries } = options;
    const absent = { isAbsent: (made: Made) => made.absent, bound: Math.max(1_000, entries / 4) };
    this.#last = new BoundedMap(entries);
    this.#records = new LiveRecords(store, 'tls', (name, record) => this.#take(name, record), entries, absent);
  }

  /**
   * The certificate for a host: its own, else that of `*.` in place of its first label, else `*`. One that is out of date gives
   * way to the second where that is not. Null: there is none, or the store is away and none is known.
   * @param host lower case; empty for a client that names none
   */
  find(host: string): Certificate | null | Promise<Certificate | null> {
    return this.#find(host, (name) => this.#records.get(name));
  }

  /** As `find`, for a handshake or a request: one that the store does not tell soon is passed over. */
  findSoon(host: string): Certificate | null | Promise<Certificate | null> {
    return this.#find(host, (name) => this.#records.getSoon(name));
  }

  #find(host: string, get: (name: string) => Made | Promise<Made>): Certificate | null | Promise<Certificate | null> {
    const names = candidates(host);
    const own = get(names[0] as string);
    // The usual case; what is not there of the others may have been forgotten for a flood of invented names.
    if (!(own instanceof Promise) && own.certificate !== null && isServable(own.certificate)) return own.certificate;
    const found = [own, ...names.slice(1).map(get)];
    if (!found.some((one) => one instanceof Promise)) return choose(found as Made[]);
    const settled = found.map(async (one) => {
      try {
        return await one;
      } catch {
        // The store is away and nothing is known of this name; the others may help.
        return nothing;
      }
    });
    return Promise.all(settled).then(choose);
  }

  /** Frontends are no concern of it. */
  changed(): void {}

  recordChanged(kind: RecordKind, name: string): void {
    this.#records.recordChanged(kind, name);
  }

  everythingChanged(): void {
    this.#records.everythingChanged();
  }

  #take(name: string, record: StoredRecord): Made {
    if (record.values.length === 0 && record.fault === '') {
      this.#last.delete(name);
      return nothing;
    }
    const last = this.#last.get(name);
    if (last !== undefined && record.fault === '' && sameTexts(last.values, record.values)) return last;
    const made: Made = { values: record.values, certificate: this.#make(name, record), absent: false };
    this.#last.delete(name);
    this.#last.set(name, made);
    return made;
  }

  #make(name: string, record: StoredRecord): Certificate | null {
    const { vault, log } = this.#options;
    const openKey = (of: string, text: string): string => vault.open(`tls:${of}`, text);
    const { pairs, faults, warnings } = checkCertificate(name, record, openKey, Date.now());
    if (faults.length > 0) {
      const effect = pairs.length > 0 ? 'its other pair is served' : 'the name is served as if it had no certificate of its own';
      log.error(`tls:${name}: ${faults.join('; ')}; ${effect}`);
    }
    if (warnings.length > 0 && pairs.length > 0) log.warn(`tls:${name}: ${warnings.join('; ')}; it is served all the same`);
    return pairs.length === 0 ? null : Object.freeze({ name, pairs });
  }
}

/** Names of the records that may serve a host, best first. */
function candidates(host: string): string[] {
  if (host === '') return ['*'];
  const dot = host.indexOf('.');
  return dot === -1 ? [host, '*'] : [host, `*${host.slice(dot)}`, '*'];
}

function choose(found: readonly Made[]): Certificate | null {
  const there = found.map(({ certificate }) => certificate).filter((certificate) => certificate !== null);
  const [first, second] = there;
  if (first === undefined) return null;
  return second !== undefined && second.name !== '*' && !isServable(first) && isServable(second) ? second : first;
}

/** Whether clients take it as far as its dates go. */
function isServable({ pairs }: Certificate): boolean {
  const now = Date.now();
  return pairs.some((pair) => isInDate(pair, now));
}

function sameTexts(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((text, at) => text === others[at]);
}
