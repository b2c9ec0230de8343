// What is in force for each stream: read from the store at the start and after each change, told to whoever listens.
import type { StreamConfig } from '../config/stream-config.js';
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import { parseStream, type StreamPlan } from '../model/stream.js';
import type { Logger } from '../observe/logger.js';
import { LiveRecords } from '../store/live-records.js';
import type { Store } from '../store/store.js';

const absent: StoredRecord = Object.freeze({ values: [], fault: '' });

export class StreamPlans {
  readonly #configs: ReadonlyMap<string, StreamConfig>;
  readonly #hashes: LiveRecords<StoredRecord>;
  readonly #lists: LiveRecords<StoredRecord>;
  readonly #log: Logger;
  readonly #plans = new Map<string, StreamPlan>();
  readonly #told = new Map<string, ReadonlySet<string>>();
  #started = false;
  readonly #changed: (plan: StreamPlan) => void;

  /** @param changed told of each new plan of a stream */
  constructor(
    store: Pick<Store, 'readRecord'>,
    configs: readonly StreamConfig[],
    log: Logger,
    changed: (plan: StreamPlan) => void,
  ) {
    const keep = (_name: string, record: StoredRecord): StoredRecord => record;
    this.#configs = new Map(configs.map((config) => [config.name, config]));
    this.#hashes = new LiveRecords(store, 'stream', keep, configs.length);
    this.#lists = new LiveRecords(store, 'targets', keep, configs.length);
    this.#log = log;
    this.#changed = changed;
    for (const config of configs) this.#plans.set(config.name, parseStream(config, absent, absent));
  }

  /** Reads all; while the store is away the configuration's settings and targets are in force. */
  async start(): Promise<void> {
    this.#started = true;
    await Promise.all([...this.#configs.values()].map((config) => this.#read(config)));
  }

  /** @param name of a stream of the configuration */
  of(name: string): StreamPlan {
    return this.#plans.get(name) as StreamPlan;
  }

  recordChanged(kind: RecordKind, name: string): void {
    const config = this.#configs.get(name);
    if (config === undefined || (kind !== 'stream' && kind !== 'targets')) return;
    this.#hashes.recordChanged(kind, name);
    this.#lists.recordChanged(kind, name);
    void this.#read(config);
  }

  everythingChanged(): void {
    this.#hashes.everythingChanged();
    this.#lists.everythingChanged();
    for (const config of this.#configs.values()) void this.#read(config);
  }

  /** Told by the clock: a change is told once, so that what could not be read then is asked for again. Costs nothing while all is known. */
  sweep(): void {
    if (!this.#started) return;
    for (const config of this.#configs.values()) {
      const hash = this.#hashes.get(config.name);
      const list = this.#lists.get(config.name);
      if (hash instanceof Promise || list instanceof Promise) void this.#read(config);
    }
  }

  async #read(config: StreamConfig): Promise<void> {
    const { name } = config;
    let plan: StreamPlan;
    try {
      const [hash, list] = await Promise.all([this.#hashes.get(name), this.#lists.get(name)]);
      plan = parseStream(config, hash, list);
    } catch {
      // The store is away, and says so itself. What the configuration alone says may still have its faults.
      plan = this.of(name);
    }
    this.#tell(plan);
    if (same(plan, this.of(name))) return;
    this.#plans.set(name, plan);
    this.#changed(plan);
  }

  /** A fault is told once, and again after it was mended. */
  #tell({ name, mode, faults, targets }: StreamPlan): void {
    const lines =
      targets.length > 0 || mode === 'l4' ? faults : [...faults, `stream:${name}:targets: no target, connections are closed`];
    const told = this.#told.get(name);
    for (const line of lines) if (told?.has(line) !== true) this.#log.warn(line);
    this.#told.set(name, new Set(lines));
  }
}

/** Plans are made of plain values; lists are short. */
function same(one: StreamPlan, other: StreamPlan): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
