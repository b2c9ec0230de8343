// What a node has counted, kept by the process that outlives its workers: for the store, which has the sum since the node first
// started, and for monitors, which have it since this start.
import { ByteWriter } from '../base/varints.js';
import { writeFrontend } from '../observe/counts-bytes.js';
import type { Figures } from '../observe/figures.js';
import { NodeCounts } from '../observe/node-counts.js';
import { SeriesCounts } from '../observe/series-counts.js';
import { ToldCounts } from '../observe/told-counts.js';
import type { WorkerCounts } from './worker-counts.js';

/** What monitors are told: counts of frontends as bytes, counters of all workers added up, and what is true of each that lives. */
export interface MetricsSnapshot {
  readonly frontends: Buffer;
  readonly counters: Figures;
  /** By number of the worker. */
  readonly gauges: Readonly<Record<string, Figures>>;
}

/** The most counters that are kept: their labels are bounded where they are made, and this is the bound should one not be. */
const mostCounters = 2_000;

export class NodeStats {
  readonly totals = new NodeCounts();
  readonly #series: SeriesCounts;
  readonly #told: ToldCounts;
  readonly #counters = new Map<string, number>();
  readonly #gauges = new Map<number, Figures>();
  readonly #numbers = new Map<number, number>();
  readonly #out = new ByteWriter();

  readonly #log: (text: string) => void;

  /** @param most frontends with metrics of their own */
  constructor(most: number, log: (text: string) => void) {
    this.#series = new SeriesCounts(most);
    this.#told = new ToldCounts([this.totals.merged, this.#series.merged]);
    this.#log = log;
  }

  /**
   * @param source process id
   * @param worker its number
   */
  hear(source: number, worker: number, { frontends, counters, gauges }: WorkerCounts): void {
    if (frontends.length > 0) this.#add(source, frontends);
    for (const [key, grown] of Object.entries(counters)) {
      const before = this.#counters.get(key);
      if (before !== undefined || this.#counters.size < mostCounters) this.#counters.set(key, (before ?? 0) + grown);
    }
    this.#gauges.set(source, gauges);
    this.#numbers.set(source, worker);
  }

  /** The worker has ended: what it counted stays. */
  lose(source: number): void {
    this.#told.lose(source);
    this.#gauges.delete(source);
    this.#numbers.delete(source);
  }

  /** A worker that tells nonsense is not believed, and does no harm to its node. */
  #add(source: number, frontends: Buffer): void {
    this.#series.sweep();
    try {
      this.#told.hear(source, frontends);
    } catch (error) {
      this.#log(`what a worker counted cannot be understood: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  snapshot(): MetricsSnapshot {
    for (const counts of this.#series.frontends.values()) writeFrontend(this.#out, counts);
    const gauges = [...this.#gauges].map(([source, figures]) => [String(this.#numbers.get(source)), figures] as const);
    return {
      frontends: this.#out.take(),
      counters: Object.fromEntries(this.#counters),
      gauges: Object.fromEntries(gauges),
    };
  }
}
