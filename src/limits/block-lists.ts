// Who is refused at accept: a file, and the sets `blocklist` and `blocklist:<stream>` of addresses and ranges, kept up to date.
import { type AddressSet, collectAddresses } from '../base/ip.js';
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import type { Logger } from '../observe/logger.js';
import { LiveRecords } from '../store/live-records.js';
import type { Store, StoreListener } from '../store/store.js';
import { BlocklistFile } from './blocklist-file.js';
import { tellFaults } from './list-faults.js';

/** A set as it was read. */
interface ReadList {
  readonly addresses: AddressSet;
  /** Entries that are neither an address nor a range, or the fault of a record of another type; empty: all is well. */
  readonly faults: string;
  /** False: the record could not be understood at all, so that nobody knows whom it refuses. */
  readonly readable: boolean;
}

export interface BlockListsParts {
  readonly store: Pick<Store, 'readRecord'>;
  /** Names of the TCP streams. */
  readonly streams: readonly string[];
  /** Path of a file; null: none. */
  readonly file: string | null;
  readonly log: Logger;
}

const nobody: AddressSet = { has: () => false };
/** In place of a list of which nothing was ever understood. */
const unknown: AddressSet = { has: () => true };

export class BlockLists implements StoreListener {
  readonly #lists: LiveRecords<ReadList>;
  readonly #log: Logger;
  readonly #file: BlocklistFile | null;
  readonly #listeners: (() => void)[] = [];
  /** By name of the record; empty: for all. What was known last stays in force while a newer one cannot be read. */
  readonly #inForce = new Map<string, AddressSet>();
  /** That of the empty name, which is asked for each connection. */
  #general: AddressSet = nobody;
  readonly #told = new Map<string, string>();
  #started = false;

  /** @throws StartError when the file cannot be read */
  constructor({ store, streams, file, log }: BlockListsParts) {
    this.#lists = new LiveRecords(store, 'blocklist', (_name, record) => readList(record), streams.length + 1);
    this.#log = log;
    this.#file = file === null ? null : new BlocklistFile(file, log, () => this.#tellAll());
    for (const name of ['', ...streams]) this.#inForce.set(name, nobody);
  }

  /** Has `listener` called when somebody may have been added. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Reads all lists; while the store is away nobody is on those that it keeps. */
  async start(): Promise<void> {
    this.#started = true;
    this.#file?.start();
    await Promise.all([...this.#inForce.keys()].map((name) => this.#read(name)));
  }

  close(): void {
    this.#file?.close();
  }

  /**
   * Whether a client of HTTP is refused. A record that cannot be understood, as one of another type, refuses nobody: it must not take down
   * every site.
   * @param address a client; a text that is no IP address is on no list
   */
  blocks(address: string): boolean {
    return this.#file?.addresses.has(address) === true || (this.#general !== unknown && this.#general.has(address));
  }

  /** Whether a client of a stream is refused; by a record that could never be understood all are, as what lies behind has no other guard. */
  refuses(stream: string, address: string): boolean {
    if (this.#file?.addresses.has(address) === true) return true;
    return this.#general.has(address) || this.#inForce.get(stream)?.has(address) === true;
  }

  changed(): void {
    // Frontends are not our affair.
  }

  recordChanged(kind: RecordKind, name: string): void {
    if (kind !== 'blocklist' || !this.#inForce.has(name)) return;
    this.#lists.recordChanged(kind, name);
    void this.#read(name);
  }

  everythingChanged(): void {
    this.#lists.everythingChanged();
    for (const name of this.#inForce.keys()) void this.#read(name);
  }

  /** Told by the clock: a change is told once, so that a list which could not be read then is asked for again. */
  sweep(): void {
    if (!this.#started) return;
    for (const name of this.#inForce.keys()) if (this.#lists.get(name) instanceof Promise) void this.#read(name);
  }

  async #read(name: string): Promise<void> {
    try {
      const { addresses, faults, readable } = await this.#lists.get(name);
      this.#tell(name, faults);
      if (readable) this.#put(name, addresses);
      else if (this.#inForce.get(name) === nobody) this.#put(name, unknown);
      this.#tellAll();
    } catch {
      // The store is away, and says so itself; what was known stays in force.
    }
  }

  #put(name: string, addresses: AddressSet): void {
    this.#inForce.set(name, addresses);
    if (name === '') this.#general = addresses;
  }

  #tellAll(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Each state of faults once. */
  #tell(name: string, faults: string): void {
    if (this.#told.get(name) === faults) return;
    this.#told.set(name, faults);
    if (faults !== '') this.#log.warn(`blocklist${name === '' ? '' : `:${name}`}: ${faults}`);
  }
}

function readList({ values, fault }: StoredRecord): ReadList {
  if (fault !== '') return { addresses: nobody, faults: `${fault}: who is refused is not known`, readable: false };
  const { set, wrong } = collectAddresses(values);
  return { addresses: set, faults: tellFaults(wrong), readable: true };
}
