// Who is refused at accept: the sets `blocklist` and `blocklist:<stream>` of addresses and ranges, kept up to date.
import { type AddressSet, createAddressSet, parseRange } from '../base/ip.js';
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import type { Logger } from '../observe/logger.js';
import { LiveRecords } from '../store/live-records.js';
import type { Store } from '../store/store.js';

/** A set as it was read. */
interface ReadList {
  readonly addresses: AddressSet;
  /** Entries that are neither an address nor a range, or the fault of a record of another type. */
  readonly faults: readonly string[];
  /** False: the record could not be understood at all, so that nobody knows whom it refuses. */
  readonly readable: boolean;
}

const nobody: AddressSet = { has: () => false };
const everybody: AddressSet = { has: () => true };

export class BlockLists {
  readonly #lists: LiveRecords<ReadList>;
  readonly #log: Logger;
  readonly #changed: () => void;
  /** By name of the record; empty: for all streams. What was known last stays in force while a newer one cannot be read. */
  readonly #inForce = new Map<string, AddressSet>();
  readonly #told = new Map<string, string>();

  /**
   * @param streams names of the streams
   * @param changed told when somebody may have been added
   */
  constructor(store: Pick<Store, 'readRecord'>, streams: readonly string[], log: Logger, changed: () => void) {
    this.#lists = new LiveRecords(store, 'blocklist', (_name, record) => readList(record), streams.length + 1);
    this.#log = log;
    this.#changed = changed;
    for (const name of ['', ...streams]) this.#inForce.set(name, nobody);
  }

  /** Reads all lists; while the store is away nobody is refused. */
  async start(): Promise<void> {
    await Promise.all([...this.#inForce.keys()].map((name) => this.#read(name)));
  }

  /** @param address a client; a text that is no IP address is on no list */
  refuses(stream: string, address: string): boolean {
    return this.#inForce.get('')?.has(address) === true || this.#inForce.get(stream)?.has(address) === true;
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

  async #read(name: string): Promise<void> {
    try {
      const { addresses, faults, readable } = await this.#lists.get(name);
      this.#tell(name, faults);
      // A list that keeps somebody out and cannot be understood keeps all out, unless an earlier one is known.
      if (readable) this.#inForce.set(name, addresses);
      else if (this.#inForce.get(name) === nobody) this.#inForce.set(name, everybody);
      this.#changed();
    } catch {
      // The store is away, and says so itself; what was known stays in force.
    }
  }

  /** Each state of faults once. */
  #tell(name: string, faults: readonly string[]): void {
    const text = faults.join('; ');
    if (this.#told.get(name) === text) return;
    this.#told.set(name, text);
    if (text !== '') this.#log.warn(`blocklist${name === '' ? '' : `:${name}`}: ${text}`);
  }
}

/** Faults shown of one list. */
const mostFaults = 5;

function readList({ values, fault }: StoredRecord): ReadList {
  if (fault !== '') return { addresses: nobody, faults: [`${fault}: who is refused is not known`], readable: false };
  const entries = values.map((entry) => entry.trim());
  const right = entries.filter((entry) => parseRange(entry) !== null);
  const wrong = entries.filter((entry) => parseRange(entry) === null);
  const faults = wrong
    .slice(0, mostFaults)
    .map((entry) => `${JSON.stringify(entry.slice(0, 60))} is neither an IP address nor a range such as 10.0.0.0/8`);
  if (wrong.length > mostFaults) faults.push(`${wrong.length - mostFaults} more like it`);
  return { addresses: createAddressSet(right), faults, readable: true };
}
