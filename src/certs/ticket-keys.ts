// What TLS session tickets are sealed with: the same on all workers and nodes, so that a client may resume anywhere; replaced now and then.
//
// Node seals and opens with one set of keys at a time. A ticket that was sealed with the set before is not opened any more: its
// client makes a full handshake, notices nothing, and gets a new ticket. So each rotation costs every returning client one
// full handshake, which is why the period is hours while tickets themselves live shorter.
import { randomBytes, randomUUID } from 'node:crypto';
import type { RecordKind } from '../model/record-kind.js';
import type { Store, StoreListener } from '../store/store.js';
import type { KeyVault } from './key-vault.js';

type SharingStore = Pick<Store, 'readRecord' | 'writeRecord' | 'takeLease' | 'dropLease'>;

export interface TicketKeysOptions {
  /** Null: there is nobody to share them with. */
  readonly store: SharingStore | null;
  readonly vault: KeyVault;
  readonly log: { warn(text: string): void; info(text: string): void };
  /** Milliseconds that a set is used; 0: the first one is used for as long as this installation lives. */
  readonly rotation: number;
  /** Told of a set of 48 bytes, whenever there is a new one. */
  readonly use: (keys: Buffer) => void;
}

/** Name of the one record, and of the lease on replacing it. */
const recordName = 'current';
const work = 'tls-tickets';
const keySize = 48;
const leaseLength = 10_000;
const longestWait = 60_000;

/** The set that a record holds. */
interface TicketSet {
  readonly keys: Buffer;
  /** Milliseconds since the epoch when it was made. */
  readonly since: number;
}

export class TicketKeys implements StoreListener {
  readonly #options: TicketKeysOptions;
  readonly #holder = randomUUID();
  /** Used at once, and for as long as the store cannot be asked: then tickets are good for this process alone. */
  #set: TicketSet = { keys: randomBytes(keySize), since: 0 };
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #again = false;
  #closed = false;
  #complaint = '';

  constructor(options: TicketKeysOptions) {
    this.#options = options;
  }

  /** The set in force. */
  get keys(): Buffer {
    return this.#set.keys;
  }

  /** Looks for the set of the others; makes one where there is none. Resolves when that is decided, as far as the store answers. */
  start(): Promise<void> {
    return this.#look();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#looking;
  }

  changed(): void {}

  recordChanged(kind: RecordKind): void {
    if (kind === 'tickets') void this.#look();
  }

  everythingChanged(): void {
    void this.#look();
  }

  /** One look at a time; a change that is told meanwhile makes another one follow. */
  #look(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#looking !== null) {
      this.#again = true;
      return this.#looking;
    }
    this.#looking = this.#lookUntilQuiet().finally(() => {
      this.#looking = null;
      this.#schedule();
    });
    return this.#looking;
  }

  async #lookUntilQuiet(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#lookOnce();
        this.#complaint = '';
      } catch (error) {
        this.#complain(error instanceof Error ? error.message : String(error));
      }
    } while (this.#again && !this.#closed);
  }

  async #lookOnce(): Promise<void> {
    const { store } = this.#options;
    if (store === null) {
      if (this.#set.since === 0 || this.#isOld(this.#set)) this.#take(freshSet());
      return;
    }
    const found = await this.#read(store);
    if (found !== null) this.#take(found);
    if (found === null || this.#isOld(found)) await this.#replace(store);
  }

  /** Whoever gets the lease makes the new set; the others are told of it by the store. */
  async #replace(store: SharingStore): Promise<void> {
    const { vault, log } = this.#options;
    if (!(await store.takeLease(work, this.#holder, leaseLength))) return;
    try {
      // Somebody may have been faster.
      const found = await this.#read(store);
      if (found !== null && !this.#isOld(found)) {
        this.#take(found);
        return;
      }
      const made = freshSet();
      const text = JSON.stringify({ keys: made.keys.toString('base64'), since: made.since });
      await store.writeRecord('tickets', recordName, [vault.seal(`tickets:${recordName}`, text)]);
      this.#take(made);
      log.info('TLS session tickets are sealed with new keys');
    } finally {
      await store.dropLease(work, this.#holder).catch(() => undefined);
    }
  }

  async #read(store: SharingStore): Promise<TicketSet | null> {
    const { vault } = this.#options;
    const record = await store.readRecord('tickets', recordName);
    if (record.fault !== '') throw new Error(record.fault);
    const text = record.values[0];
    if (text === undefined) return null;
    let opened: string;
    try {
      opened = vault.open(`tickets:${recordName}`, text);
    } catch (error) {
      throw new Error(`tickets:${recordName} ${error instanceof Error ? error.message : 'cannot be decrypted'}`);
    }
    return parseSet(opened);
  }

  #take(set: TicketSet): void {
    // A replica that lags may still give the set before.
    if (this.#closed || set.since < this.#set.since || set.keys.equals(this.#set.keys)) return;
    this.#set = set;
    this.#options.use(set.keys);
  }

  #isOld({ since }: TicketSet): boolean {
    const { rotation } = this.#options;
    return rotation > 0 && Date.now() - since >= rotation;
  }

  /** Nodes that were started together do not look together. */
  #schedule(): void {
    const { rotation } = this.#options;
    if (this.#closed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const due = rotation === 0 ? longestWait : this.#set.since + rotation - Date.now();
    const wait = Math.min(longestWait, Math.max(1_000, due)) * (0.8 + 0.4 * Math.random());
    this.#timer = setTimeout(() => void this.#look(), wait);
    this.#timer.unref();
  }

  #complain(reason: string): void {
    if (reason === this.#complaint) return;
    this.#complaint = reason;
    this.#options.log.warn(`TLS sessions can be resumed on this worker only, since the shared keys cannot be had: ${reason}`);
  }
}

function freshSet(): TicketSet {
  return { keys: randomBytes(keySize), since: Date.now() };
}

/** Null for what nobody here wrote: it is replaced. */
function parseSet(text: string): TicketSet | null {
  try {
    const written: unknown = JSON.parse(text);
    if (typeof written !== 'object' || written === null || !('keys' in written) || !('since' in written)) return null;
    const { keys, since } = written;
    if (typeof keys !== 'string' || typeof since !== 'number' || !Number.isFinite(since) || since > Date.now() + 3_600_000)
      return null;
    const bytes = Buffer.from(keys, 'base64');
    return bytes.length === keySize ? { keys: bytes, since } : null;
  } catch {
    return null;
  }
}
