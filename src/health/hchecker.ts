// Whether an active hchecker runs beside us: it then owns the dead marks of the frontends that it can check.
import type { Logger } from '../observe/logger.js';
import type { Store } from '../store/store.js';

/** Hipache's figures: it looks every 30 seconds and believes a ping of the last 30; hchecker pings every 10. */
const pollInterval = 30_000;
const pingLifetime = 30;

/** Follows `hchecker_ping`. */
export class Hchecker {
  /** True while the last look found a fresh ping. */
  active = false;

  readonly #store: Pick<Store, 'readHcheckerPing'>;
  readonly #log: Logger;
  readonly #seconds: () => number;
  #lastPing = 0;
  #polling = false;
  #timer: NodeJS.Timeout | null = null;

  /** @param seconds tells the time, unix seconds; a test gives its own */
  constructor(store: Pick<Store, 'readHcheckerPing'>, log: Logger, seconds: () => number = () => Math.floor(Date.now() / 1000)) {
    this.#store = store;
    this.#log = log;
    this.#seconds = seconds;
  }

  /** Looks at once, then every 30 seconds; keeps no process alive. */
  start(): void {
    if (this.#timer !== null) return;
    void this.poll();
    this.#timer = setInterval(() => void this.poll(), pollInterval);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Looks once; never rejects. While the store is away the last ping grows old, and with it the belief in hchecker. */
  async poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    try {
      this.#lastPing = await this.#store.readHcheckerPing();
    } catch (error) {
      this.#log.debug('hchecker_ping could not be read', { error });
    } finally {
      this.#polling = false;
    }
    const active = this.#seconds() - this.#lastPing <= pingLifetime;
    if (active === this.active) return;
    this.active = active;
    this.#log.info(
      active ? 'Disabling passive checks (active hchecker detected).' : 'Enabling passive checks (active hchecker stopped).',
    );
  }
}
