// The engine for backends that speak HTTP/2 (`h2://`, `h2c://`): streams over a few connections to each. Loaded when the first is asked.
import { SweepList } from '../../base/sweep-list.js';
import type { Exchange } from '../../exchange/exchange.js';
import type { Backend } from '../../model/backend.js';
import type { PoolClock } from '../../upstream/pool.js';
import type { AttemptReport, Engine } from '../engine.js';
import { Http2Attempt } from './http2-attempt.js';
import type { Http2Context, Http2Settings, WatchedAttempt } from './http2-settings.js';
import { SessionPool } from './session-pool.js';

const expireIfLate = (attempt: WatchedAttempt, now: number): void => {
  if (attempt.deadline !== 0 && now >= attempt.deadline) attempt.expired();
};

export class Http2Engine implements Engine, Http2Context {
  readonly settings: Http2Settings;
  readonly clock: PoolClock;
  readonly #pools = new Map<string, SessionPool>();
  readonly #attempts = new SweepList<WatchedAttempt>();

  constructor(settings: Http2Settings, clock: PoolClock) {
    this.settings = settings;
    this.clock = clock;
  }

  send(exchange: Exchange, backend: Backend, _fresh: boolean, report: AttemptReport): void {
    const pool = this.#poolOf(backend);
    const attempt = new Http2Attempt(this, exchange, backend, pool, report);
    exchange.upstream = attempt;
    this.#attempts.add(attempt);
    pool.take(backend, attempt, exchange.limits?.connectTimeout);
  }

  left(attempt: WatchedAttempt): void {
    this.#attempts.remove(attempt);
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.closeIdle();
  }

  /** Called by the coarse clock. */
  sweep(now: number): void {
    this.#attempts.each(expireIfLate, now);
    for (const [origin, pool] of this.#pools) {
      pool.sweep(now);
      if (pool.unused) this.#pools.delete(origin);
    }
  }

  #poolOf(backend: Backend): SessionPool {
    let pool = this.#pools.get(backend.origin);
    if (pool === undefined) {
      pool = new SessionPool(backend, this.settings, this.clock);
      this.#pools.set(backend.origin, pool);
    }
    return pool;
  }
}
