// Whether this worker has more to do than it can: told by the delay of its event loop, with some patience at both ends.
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What is turned away: nothing, who connects from now on, or every new request. */
export type Shedding = 'nothing' | 'connections' | 'requests';

export interface OverloadParts {
  /** Mean delay, in milliseconds, from which on load is shed; 0: never. Twice as much sheds all new requests. */
  readonly limit: number;
  /** Milliseconds that an overload may last before the worker counts as unwell. */
  readonly patience: number;
  /** Mean delay of the event loop since it was last asked, in milliseconds. */
  readonly measure: () => number;
  /** Told of each beginning and end. */
  readonly changed: (shedding: boolean, delay: number) => void;
}

/** One long turn, such as a collection of garbage, is no overload: the delay must stay for so many sweeps. */
const sweepsToBegin = 2;
/** It ends below half of the limit, so that what was turned away does not flap. */
const sweepsToEnd = 4;

/** Swept by the coarse clock; reading it costs nothing. */
export class Overload {
  shedding: Shedding = 'nothing';
  /** Grows with each overload. */
  episode = 0;
  /** Mean delay of the event loop at the last look, in milliseconds; 0 where nobody looks. */
  delay = 0;

  readonly #parts: OverloadParts;
  #above = 0;
  #below = 0;
  #since = 0;
  #now = 0;

  constructor(parts: OverloadParts) {
    this.#parts = parts;
  }

  /** It has lasted longer than one has patience with. */
  get lasts(): boolean {
    return this.shedding !== 'nothing' && this.#now - this.#since >= this.#parts.patience;
  }

  /** Told by the clock. @param now milliseconds */
  sweep(now: number): void {
    const { limit, measure } = this.#parts;
    if (limit === 0) return;
    this.#now = now;
    const delay = measure();
    this.delay = delay;
    this.#above = delay >= limit ? this.#above + 1 : 0;
    this.#below = delay < limit / 2 ? this.#below + 1 : 0;
    if (this.shedding === 'nothing') {
      if (this.#above >= sweepsToBegin) this.#begin(now, delay);
    } else if (this.#below >= sweepsToEnd) this.#end(delay);
    if (this.shedding !== 'nothing' && this.#above > 0) this.shedding = delay >= 2 * limit ? 'requests' : 'connections';
  }

  #begin(now: number, delay: number): void {
    this.shedding = 'connections';
    this.episode++;
    this.#since = now;
    this.#parts.changed(true, delay);
  }

  #end(delay: number): void {
    this.shedding = 'nothing';
    this.#parts.changed(false, delay);
  }
}

/** Milliseconds between two looks. */
const resolution = 20;

/** Measures the event loop of this process; keeps no process alive. */
export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution });
  #last = 0;

  start(): void {
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram.disable();
  }

  /** Mean delay since the last call, in milliseconds; the value before where nothing was seen since. */
  readonly mean = (): number => {
    const { count, mean } = this.#histogram;
    // What is told is the time between two looks.
    if (count > 0) this.#last = Math.max(0, mean / 1e6 - resolution);
    this.#histogram.reset();
    return this.#last;
  };
}
