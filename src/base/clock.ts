// One coarse clock for everything that may be a quarter of a second late: idle limits, silence, expiry. It replaces a timer a socket.
import { performance } from 'node:perf_hooks';

/** Something that looks through its members now and then, such as all connections of a listener. */
export interface Sweepable {
  /** @param now the clock's `now`, milliseconds */
  sweep(now: number): void;
}

/** A tick that is so many intervals late says that this process stood still: stopped, suspended, or in one long turn. */
const stoodStill = 3;
/** How much faster the clock then goes until it is right again. */
const catchingUp = 1.1;

/** A clock that stands still between ticks. Reading it costs nothing; each tick sweeps what was added. */
export class CoarseClock {
  /** Milliseconds on the scale of `performance.now()`, as of the last tick; behind it after the process stood still. Never runs backwards. */
  now: number;
  /** Milliseconds since the epoch, as of the last tick. May jump when somebody sets the system's clock. */
  wall: number;

  readonly #interval: number;
  readonly #time: () => number;
  /** When it ticked last, in truth. */
  #tickedAt: number;
  #timer: NodeJS.Timeout | null = null;
  /** Replaced, never changed, so that a sweep may add and remove. */
  #swept: readonly Sweepable[] = [];

  /**
   * @param interval milliseconds between ticks
   * @param time milliseconds on the scale of `performance.now()`; a test gives its own
   */
  constructor(interval = 250, time: () => number = () => performance.now()) {
    this.#interval = interval;
    this.#time = time;
    this.now = time();
    this.#tickedAt = this.now;
    this.wall = Date.now();
  }

  /** Has `sweep` called at each tick until it is removed. */
  add(sweepable: Sweepable): void {
    this.#swept = [...this.#swept, sweepable];
  }

  remove(sweepable: Sweepable): void {
    this.#swept = this.#swept.filter((other) => other !== sweepable);
  }

  /** Begins to tick by itself; keeps no process alive. */
  start(): void {
    if (this.#timer !== null) return;
    this.#tickedAt = this.#time();
    this.tick(this.#tickedAt);
    this.#timer = setInterval(this.#onTime, this.#interval);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /**
   * Silence that nobody could have heard is held against nobody: for as long as the process stood still the clock did too, so that what
   * came meanwhile can be read before anybody is late. A limit that is set within the next seconds is shorter by a tenth at most.
   */
  readonly #onTime = (): void => {
    const time = this.#time();
    const passed = time - this.#tickedAt;
    this.#tickedAt = time;
    const seen = passed < stoodStill * this.#interval ? passed * catchingUp : this.#interval;
    this.tick(Math.min(time, this.now + seen));
  };

  /** One tick. A test gives the times and moves the clock as it likes. */
  tick(now = performance.now(), wall = Date.now()): void {
    this.now = now;
    this.wall = wall;
    for (const sweepable of this.#swept) sweepable.sweep(now);
  }
}
