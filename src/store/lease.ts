// A lease on work that one node does for all: taken when it is free, kept while this process lives, lost when it cannot be renewed.
import type { Store } from './store.js';

/** What a lease needs to know. Milliseconds. */
export interface LeaseParts {
  readonly store: Pick<Store, 'takeLease' | 'dropLease'>;
  /** The work, which names the lease. */
  readonly work: string;
  /** Who asks; no other process has the same. */
  readonly holder: string;
  /** How often it is asked for or renewed. */
  readonly period: number;
  /** How long it lasts without being renewed: several periods, so that one lost reply does not move it. */
  readonly length: number;
  /** Called when this process has it, and when it no longer has. */
  readonly onTaken: () => void;
  readonly onLost: () => void;
}

export class Lease {
  readonly #parts: LeaseParts;
  #timer: NodeJS.Timeout | null = null;
  #held = false;
  #stopped = true;
  /** `performance.now()` of the last time that it was granted, as of the question. */
  #grantedAt = 0;
  /** The question that is on its way. */
  #asking: Promise<void> = Promise.resolve();

  constructor(parts: LeaseParts) {
    this.#parts = parts;
  }

  get held(): boolean {
    return this.#held;
  }

  /** Asks at once, then again and again; keeps no process alive. */
  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#asking = this.#ask();
  }

  /** Gives it back, so that another node need not wait for its end. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#held) {
      this.#lose();
      const { store, work, holder } = this.#parts;
      await store.dropLease(work, holder).catch(() => undefined);
    }
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const { store, work, holder, length } = this.#parts;
    const asked = performance.now();
    const granted = await store.takeLease(work, holder, length).catch(() => null);
    if (this.#stopped) {
      // Granted while it was being given back.
      if (granted === true) await store.dropLease(work, holder).catch(() => undefined);
      return;
    }
    if (granted === true) this.#grantedAt = asked;
    // While the store is away nobody else can take it, and after its time somebody may have.
    const has = granted ?? (this.#held && performance.now() - this.#grantedAt < length);
    if (has && !this.#held) {
      this.#held = true;
      this.#parts.onTaken();
    } else if (!has && this.#held) {
      this.#lose();
    }
    this.#schedule();
  }

  #lose(): void {
    this.#held = false;
    this.#parts.onLost();
  }

  /** Nodes that were started together do not ask together. */
  #schedule(): void {
    const delay = this.#parts.period * (0.8 + 0.4 * Math.random());
    this.#timer = setTimeout(() => {
      this.#asking = this.#ask();
    }, delay);
    this.#timer.unref();
  }
}
