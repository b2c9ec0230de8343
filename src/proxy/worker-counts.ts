// What a process that serves has counted since it last told: once a second, at the beginning of the second by the clock of the machine, so that
// the workers of a node tell together.
import { type Figures, growth } from '../observe/figures.js';
import type { ServedProxy } from './served-proxy.js';

const interval = 1_000;

/** What a worker tells its node. */
export interface WorkerCounts {
  /** What `Tally.collect` gave. */
  readonly frontends: Buffer;
  /** What counters of the worker have grown by, and what is true of it now. */
  readonly counters: Figures;
  readonly gauges: Figures;
  /** The last word of a worker that is about to close its store, and waits until it has been written. */
  readonly last: boolean;
}

export class CountsTeller {
  readonly #proxy: Pick<ServedProxy, 'collectCounts' | 'readFigures'>;
  readonly #tell: (counts: WorkerCounts) => void;
  #timer: NodeJS.Timeout | null = null;
  #told: Figures = {};

  constructor(proxy: Pick<ServedProxy, 'collectCounts' | 'readFigures'>, tell: (counts: WorkerCounts) => void) {
    this.#proxy = proxy;
    this.#tell = tell;
  }

  start(): void {
    this.#timer = setTimeout(
      () => {
        this.#tell(this.#collect(false));
        this.start();
      },
      interval - (Date.now() % interval),
    ).unref();
  }

  /** Tells what is left, and no more. */
  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#tell(this.#collect(true));
  }

  #collect(last: boolean): WorkerCounts {
    const { counters, gauges } = this.#proxy.readFigures();
    const grown = growth(counters, this.#told);
    this.#told = { ...this.#told, ...counters };
    return { frontends: this.#proxy.collectCounts(), counters: grown, gauges, last };
  }
}
