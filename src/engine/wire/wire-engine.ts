// The product's own engine: HTTP/1.1 over sockets from a pool per backend.
import type { Exchange } from '../../exchange/exchange.js';
import { isRepeatable } from '../../exchange/repeatable.js';
import type { Backend } from '../../model/backend.js';
import type { PoolClock } from '../../upstream/pool.js';
import { Pools } from '../../upstream/pools.js';
import type { AttemptReport, Engine } from '../engine.js';
import { proxyPreface } from '../proxy-preface.js';
import { WireAttempt } from './wire-attempt.js';
import type { WireContext, WireSettings } from './wire-settings.js';

/**
 * A request that must not be repeated is not sent over a connection that has been idle for longer than this
 * (milliseconds): its backend may be closing it at this moment, and then the request would be lost.
 */
const idleForUnrepeatable = 1000;

export class WireEngine implements Engine, WireContext {
  readonly settings: WireSettings;
  readonly closing: WireSettings;
  readonly clock: PoolClock;
  readonly #pools: Pools;

  constructor(settings: WireSettings, clock: PoolClock) {
    this.settings = settings;
    this.closing = { ...settings, httpKeepAlive: false };
    this.clock = clock;
    this.#pools = new Pools(settings, clock);
  }

  send(exchange: Exchange, backend: Backend, fresh: boolean, report: AttemptReport): void {
    const pool = this.#pools.of(backend);
    const attempt = new WireAttempt(this, exchange, backend, pool, report, proxyPreface(exchange, backend));
    exchange.upstream = attempt;
    // An upgrade keeps its connection, so it should not take one from the pool.
    const maxIdle = fresh || exchange.upgrade !== '' ? 0 : isRepeatable(exchange) ? Number.MAX_SAFE_INTEGER : idleForUnrepeatable;
    pool.take(backend, attempt, maxIdle, exchange.limits?.connectTimeout);
  }

  close(): void {
    this.#pools.closeIdle();
  }

  /** Called by the coarse clock. */
  sweep(now: number): void {
    this.#pools.sweep(now);
  }
}
