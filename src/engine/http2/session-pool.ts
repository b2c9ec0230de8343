// The HTTP/2 connections to one backend address: streams go to one that has room, and another one is made where none has.
import { ProxyError } from '../../errors/proxy-error.js';
import type { HeadLimits } from '../../http1/head-lines.js';
import type { Backend } from '../../model/backend.js';
import type { PoolClock, PoolSettings } from '../../upstream/pool.js';
import { BackendSession, type SessionOwner } from './backend-session.js';

/** Who wants to open a stream. Told exactly once, unless it withdraws. */
export interface SessionTaker {
  sessionReady(session: BackendSession): void;
  sessionFailed(error: ProxyError): void;
}

interface Waiter {
  readonly taker: SessionTaker;
  readonly deadline: number;
}

/** So many wait for one connection that is being made before another one is made beside it. */
const waitersForOne = 100;

export class SessionPool implements SessionOwner {
  readonly #settings: PoolSettings & HeadLimits;
  readonly #clock: PoolClock;
  #backend: Backend;
  #sessions: BackendSession[] = [];
  #waiting: Waiter[] = [];
  #serving = false;

  constructor(backend: Backend, settings: PoolSettings & HeadLimits, clock: PoolClock) {
    this.#backend = backend;
    this.#settings = settings;
    this.#clock = clock;
  }

  /** True when nothing is open or waited for: the pool may be forgotten. */
  get unused(): boolean {
    return this.#sessions.length === 0 && this.#waiting.length === 0;
  }

  /** @param connectTimeout milliseconds for a connection to be made, or for room on one; 0: no limit */
  take(backend: Backend, taker: SessionTaker, connectTimeout = this.#settings.connectTimeout): void {
    this.#backend = backend;
    const session = this.#sessions.find(({ usable }) => usable);
    if (session !== undefined) {
      taker.sessionReady(session);
      return;
    }
    this.#waiting.push({ taker, deadline: connectTimeout > 0 ? this.#clock.now + connectTimeout : 0 });
    this.#dialForWaiters();
  }

  /** The taker lost interest before it was told. */
  withdraw(taker: SessionTaker): void {
    this.#waiting = this.#waiting.filter((waiter) => waiter.taker !== taker);
  }

  hasRoom(): void {
    // A taker may fail, and its exchange be sent anew, while others are still to be told.
    if (this.#serving) return;
    this.#serving = true;
    while (this.#waiting.length > 0) {
      const session = this.#sessions.find(({ usable }) => usable);
      if (session === undefined) break;
      this.#waiting.shift()?.taker.sessionReady(session);
    }
    this.#serving = false;
    this.#dialForWaiters();
  }

  closed(session: BackendSession, error: ProxyError | null): void {
    this.#sessions = this.#sessions.filter((other) => other !== session);
    if (error === null || this.#sessions.some(({ ready }) => ready)) {
      this.#dialForWaiters();
      return;
    }
    for (const { taker } of this.#waiting.splice(0)) taker.sessionFailed(error);
  }

  closeIdle(): void {
    for (const session of this.#sessions) if (session.streams === 0) session.leave();
  }

  /** Called by the coarse clock: expires idle connections and waiting takers. */
  sweep(now: number): void {
    const { backendIdleTimeout } = this.#settings;
    for (const session of this.#sessions) {
      const idle = session.ready && session.streams === 0;
      if (idle && backendIdleTimeout > 0 && now >= session.idleSince + backendIdleTimeout) session.leave();
    }
    const late = this.#waiting.filter(({ deadline }) => deadline !== 0 && now >= deadline);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter((waiter) => !late.includes(waiter));
    const connecting = this.#sessions.filter(({ ready }) => !ready);
    const { origin } = this.#backend;
    const error =
      connecting.length > 0
        ? new ProxyError('backend-connect-timeout', `${origin} did not answer in time`)
        : new ProxyError('pool-exhausted', `all connections to ${origin} carry as many streams as they may`);
    if (this.#waiting.length === 0) for (const session of connecting) session.destroy();
    for (const { taker } of late) taker.sessionFailed(error);
  }

  #dialForWaiters(): void {
    const { maxSockets, httpKeepAlive } = this.#settings;
    const connecting = this.#sessions.reduce((sum, { ready }) => sum + (ready ? 0 : 1), 0);
    if (this.#waiting.length <= connecting * (httpKeepAlive ? waitersForOne : 1)) return;
    if (maxSockets > 0 && this.#sessions.length >= maxSockets) return;
    this.#sessions.push(new BackendSession(this.#backend, this, this.#settings, this.#clock));
  }
}
