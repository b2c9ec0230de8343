// Redis with a memory: what was read of it goes into a file now and then, and answers for it while it is away.
import { setImmediate as turn } from 'node:timers/promises';
import type { FrontendRecord } from '../model/frontend.js';
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import { RedisStore, type RedisStoreOptions } from './redis-store.js';
import { Remembered } from './remembered.js';
import { readSnapshots, type Snapshot, snapshotPath, writeSnapshot } from './snapshot-file.js';
import { parseSnapshotLine } from './snapshot-lines.js';
import type { StoreListener } from './store.js';

export interface SnapshotStoreOptions extends RedisStoreOptions {
  /** The file that is configured. */
  readonly path: string;
  /** 0 for a node in one process. */
  readonly worker: number;
  /** Which Redis it is: of another one nothing is believed. Without credentials. */
  readonly of: string;
  /** Frontends that are remembered. */
  readonly entries: number;
  /** Milliseconds that what was read last is served while the store is away; 0: for as long as it takes. */
  readonly maxStale: number;
}

/** What has changed is written so often, in milliseconds: a young worker learns much in a short time, so its first intervals double from a second. */
const writeInterval = 60_000;
const firstInterval = 1_000;
/** What no process has read for so long is forgotten, in milliseconds: nobody asks for it any more. */
const longestCarried = 7 * 24 * 3_600_000;
/** Lines of a snapshot that are taken in one turn of the event loop. */
const linesAtOnce = 500;

/** The file is read when it is needed first: at a start, or later, while the store is away. */
export class SnapshotStore extends RedisStore {
  readonly #options: SnapshotStoreOptions;
  readonly #known: Remembered;
  #recalling: Promise<void> | null = null;
  #recalled = 0;
  #unread = true;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #complained = false;
  #carriedOver = false;

  constructor(options: SnapshotStoreOptions) {
    super(options);
    this.#options = options;
    this.#known = new Remembered(options.entries);
  }

  override async start(listener: StoreListener): Promise<void> {
    await super.start(listener);
    if (this.state === 'away') await this.#recall();
    this.#writeIn(firstInterval);
  }

  /** One that is empty may have lost what is in the file. */
  protected override async lookWhatIsThere(): Promise<void> {
    await super.lookWhatIsThere();
    if (this.#options.emptyMeans === 'keep' && this.seemsEmpty) await this.#recall();
  }

  get unread(): boolean {
    return this.#unread;
  }

  get recalled(): number {
    return this.#recalled;
  }

  remembered(name: string): FrontendRecord | undefined {
    const { maxStale } = this.#options;
    const readBefore = maxStale === 0 ? null : this.#known.readBefore(name);
    if (readBefore !== null && Date.now() - readBefore >= maxStale) return undefined;
    return this.#known.frontend(name);
  }

  override async readFrontends(names: readonly string[]): Promise<FrontendRecord[]> {
    try {
      const records = await super.readFrontends(names);
      for (const record of records) this.#known.keepFrontend(record);
      return records;
    } catch (error) {
      if (this.state === 'away') await this.#recall();
      throw error;
    }
  }

  override async readRecord(kind: RecordKind, name: string): Promise<StoredRecord> {
    try {
      const record = await super.readRecord(kind, name);
      if (record.fault === '') this.#known.keepRecord(kind, name, record);
      return record;
    } catch (error) {
      const known = await this.#whileAway(() => this.#known.record(kind, name));
      if (known === null) throw error;
      return known;
    }
  }

  override async scanNames(
    kind: RecordKind | 'frontend' | 'health',
    matching: string,
    onPage: (names: readonly string[]) => void,
  ): Promise<void> {
    // Only these are looked for on the way of a request.
    const ofPrefixes = matching === '/' && (kind === 'frontend' || kind === 'route');
    const found: string[] = [];
    try {
      await super.scanNames(kind, matching, (names) => {
        if (ofPrefixes && kind === 'frontend') found.push(...names);
        onPage(names);
      });
    } catch (error) {
      const known = ofPrefixes ? await this.#whileAway(() => this.#known.prefixes) : null;
      if (known === null) throw error;
      onPage(known);
      return;
    }
    if (ofPrefixes && kind === 'frontend') this.#known.keepPrefixes(found);
  }

  override async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#write();
    await this.#writing;
    clearTimeout(this.#timer);
    await super.close();
  }

  async #whileAway<T>(find: () => T | null | undefined): Promise<T | null> {
    if (this.state !== 'away') return null;
    await this.#recall();
    return find() ?? null;
  }

  #recall(): Promise<void> {
    this.#recalling ??= this.#recallNow();
    return this.#recalling;
  }

  /** Never rejects. */
  async #recallNow(): Promise<void> {
    const { path, of, log } = this.#options;
    const snapshots = await readSnapshots(path, of, (text) => log('error', text));
    const before = this.#known.size;
    for (const snapshot of snapshots) await this.#take(snapshot);
    this.#recalled = snapshots[0]?.written ?? 0;
    this.#unread = false;
    const added = this.#known.size - before;
    if (this.#known.size > 0) await this.hasHeldFrontends();
    if (snapshots.length > 0 && this.state === 'away')
      log(
        'warn',
        `${added} frontends are served from the snapshot of ${new Date(this.#recalled).toISOString()} until Redis answers`,
      );
  }

  /** Who has just started knows little: what stands in the file that it replaces is carried over, until Redis says something else. */
  async #carryOver(): Promise<void> {
    const { path, worker, of, log } = this.#options;
    // Who looks at all files has this one too.
    if (this.#carriedOver || this.#recalling !== null) return this.#recalling ?? undefined;
    this.#carriedOver = true;
    const own = snapshotPath(path, worker);
    for (const snapshot of await readSnapshots(path, of, (text) => log('error', text)))
      if (snapshot.path === own) await this.#take(snapshot);
  }

  async #take({ lines, written }: Snapshot): Promise<void> {
    const since = Date.now() - longestCarried;
    for (const [at, text] of lines.entries()) {
      const line = parseSnapshotLine(text);
      if (line !== null) this.#known.recall(line, written, since);
      if (at % linesAtOnce === linesAtOnce - 1) await turn();
    }
  }

  #writeIn(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.#write();
      void this.#writing.then(() => this.#writeIn(Math.min(2 * milliseconds, writeInterval)));
    }, milliseconds).unref();
  }

  /** What is known of a store that is away is in the file already, or is about what was there. */
  #write(): void {
    if (!this.#known.changed) return;
    this.#known.changed = false;
    const { path, worker, of, log } = this.#options;
    this.#writing = this.#writing
      .then(() => this.#carryOver())
      .then(() => writeSnapshot(snapshotPath(path, worker), of, this.#known.lines()))
      .then(
        (whole) => {
          this.#complained = false;
          if (!whole) log('warn', `the snapshot ${path} is full: not all that is known has room in it`);
        },
        (error: unknown) => {
          if (!this.#complained) {
            log(
              'error',
              `the snapshot ${path} cannot be written: ${error instanceof Error ? error.message : String(error)}; a node that starts while Redis is away will know nothing`,
            );
          }
          this.#complained = true;
        },
      );
  }
}
