// All connection pools of a worker, by backend address.
import type { Backend } from '../model/backend.js';
import { Pool, type PoolClock, type PoolSettings } from './pool.js';

export class Pools {
  readonly #pools = new Map<string, Pool>();
  readonly #settings: PoolSettings;
  readonly #clock: PoolClock;

  constructor(settings: PoolSettings, clock: PoolClock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** The pool of a backend's address; made on first use. */
  of(backend: Backend): Pool {
    const { origin, proxyProtocol } = backend;
    const key = proxyProtocol === 'none' ? origin : `${origin} ${proxyProtocol}`;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new Pool(backend, this.#settings, this.#clock);
      this.#pools.set(key, pool);
    }
    return pool;
  }

  closeIdle(): void {
    for (const pool of this.#pools.values()) pool.closeIdle();
  }

  /** Called by the coarse clock. A pool without connections is forgotten, so backends that went away cost nothing. */
  sweep(now: number): void {
    for (const [origin, pool] of this.#pools) {
      pool.sweep(now);
      if (pool.unused) this.#pools.delete(origin);
    }
  }
}
