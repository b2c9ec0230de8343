// The connections to one backend address: idle ones are used again, last in first out, and a cap makes takers wait in line.
// Where each begins with a PROXY header it belongs to one client, and serves one request.
import { SweepList } from '../base/sweep-list.js';
import { classifyConnectError } from '../errors/classify.js';
import { ProxyError } from '../errors/proxy-error.js';
import type { Backend } from '../model/backend.js';
import { Connection, type ConnectionOwner } from './connection.js';
import type { BackendTls } from './dial.js';

/** Who wants a connection. Told exactly once, unless it withdraws. */
export interface ConnectionTaker {
  /** The PROXY header that a connection for it begins with; null: any connection will do. */
  readonly preface: Buffer | null;
  connectionReady(connection: Connection): void;
  connectionFailed(error: ProxyError): void;
}

/** What a pool needs to know. Milliseconds; 0 means no limit. */
export interface PoolSettings {
  readonly maxSockets: number;
  readonly httpKeepAlive: boolean;
  readonly connectTimeout: number;
  readonly backendIdleTimeout: number;
  readonly trust: BackendTls;
}

/** The coarse clock, as far as a pool reads it. */
export interface PoolClock {
  readonly now: number;
}

interface Waiter {
  readonly taker: ConnectionTaker;
  /** Milliseconds that it gives a connection to be made; waiting for a free one is timed by it too. */
  readonly connectTimeout: number;
  readonly deadline: number;
}

export class Pool implements ConnectionOwner {
  readonly #settings: PoolSettings;
  readonly #clock: PoolClock;
  #backend: Backend;
  /** No connection goes from one taker to another. */
  readonly #isPrivate: boolean;
  readonly #idle: Connection[] = [];
  readonly #all = new SweepList<Connection>();
  /** Takers whose connection is being made, in the order of their connections. */
  readonly #connecting = new Map<Connection, ConnectionTaker | null>();
  #waiting: Waiter[] = [];

  constructor(backend: Backend, settings: PoolSettings, clock: PoolClock) {
    this.#backend = backend;
    this.#settings = settings;
    this.#clock = clock;
    this.#isPrivate = backend.proxyProtocol !== 'none';
  }

  /** True when nothing is open or waited for: the pool may be forgotten. */
  get unused(): boolean {
    return this.#all.size === 0 && this.#waiting.length === 0;
  }

  /**
   * Gives a connection to the taker, at once when an idle one is there.
   * @param maxIdle milliseconds that a connection may have been idle: a request that must not be repeated should not
   *   meet a connection that its backend is about to close. 0: only a new one will do
   * @param connectTimeout milliseconds for a new one to be made; 0: no limit
   */
  take(backend: Backend, taker: ConnectionTaker, maxIdle: number, connectTimeout = this.#settings.connectTimeout): void {
    this.#backend = backend;
    const oldest = this.#clock.now - maxIdle;
    while (maxIdle > 0 && this.#idle.length > 0) {
      const connection = this.#idle[this.#idle.length - 1] as Connection;
      // Last in, first out: when the newest has been idle for too long, all have.
      if (connection.idleSince < oldest) break;
      this.#idle.pop();
      if (!connection.usable) continue;
      connection.state = 'busy';
      // The limit of an idle connection is over; a silent backend has its own, or none.
      connection.deadline = 0;
      taker.connectionReady(connection);
      return;
    }
    const cap = this.#settings.maxSockets;
    if (cap > 0 && this.#all.size >= cap) {
      const surplus = this.#idle.shift();
      if (surplus === undefined) {
        this.#waiting.push({ taker, connectTimeout, deadline: connectTimeout > 0 ? this.#clock.now + connectTimeout : 0 });
        return;
      }
      this.#discard(surplus);
    }
    this.#dial(taker, connectTimeout);
  }

  /** The taker lost interest before it was told. */
  withdraw(taker: ConnectionTaker): void {
    this.#waiting = this.#waiting.filter((waiter) => waiter.taker !== taker);
    for (const [connection, owner] of this.#connecting) {
      // The connection is finished all the same and serves whoever comes next.
      if (owner === taker) this.#connecting.set(connection, null);
    }
  }

  /** Takes a connection back after a complete exchange. */
  release(connection: Connection): void {
    connection.user = null;
    if (!connection.usable) return;
    if (this.#isPrivate) {
      connection.destroy();
      return;
    }
    const { httpKeepAlive } = this.#settings;
    // Its backend was told that no further request comes; who waits gets a new one when this one is closed.
    const next = httpKeepAlive || connection.requests === 0 ? this.#waiting.shift() : undefined;
    if (next !== undefined) {
      next.taker.connectionReady(connection);
      return;
    }
    if (!httpKeepAlive) {
      connection.destroy();
      return;
    }
    const limit = this.#settings.backendIdleTimeout;
    const promised = connection.promisedIdle;
    const idle = promised > 0 && (limit === 0 || promised < limit) ? promised : limit;
    connection.state = 'idle';
    connection.idleSince = this.#clock.now;
    connection.deadline = idle > 0 ? this.#clock.now + idle : 0;
    this.#idle.push(connection);
  }

  /** A connection became a tunnel: it no longer counts against the cap. */
  detach(connection: Connection): void {
    this.#all.remove(connection);
    this.#serveWaiting();
  }

  /** Closes what is idle; busy connections are closed by their users. */
  closeIdle(): void {
    for (const connection of this.#idle.splice(0)) this.#discard(connection);
  }

  /** Called by the coarse clock: expires connections and waiting takers. */
  sweep(now: number): void {
    this.#all.each(this.#expireIfLate, now);
    if (this.#waiting.length === 0) return;
    // Takers have limits of their own, so the first in line need not be the first whose time is over.
    const late = this.#waiting.filter(({ deadline }) => deadline !== 0 && now >= deadline);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter((waiter) => !late.includes(waiter));
    for (const { taker } of late) {
      taker.connectionFailed(
        new ProxyError('pool-exhausted', `all ${this.#settings.maxSockets} connections to ${this.#backend.origin} are in use`),
      );
    }
  }

  readonly #expireIfLate = (connection: Connection, now: number): void => {
    if (connection.deadline === 0 || now < connection.deadline) return;
    connection.deadline = 0;
    if (connection.state === 'busy') connection.user?.connectionExpired();
    else if (connection.state === 'idle') this.#expireIdle(connection);
    else this.#expireConnecting(connection);
  };

  connected(connection: Connection): void {
    const taker = this.#connecting.get(connection);
    this.#connecting.delete(connection);
    connection.state = 'busy';
    connection.deadline = 0;
    if (taker !== null && taker !== undefined) taker.connectionReady(connection);
    else this.release(connection);
  }

  closed(connection: Connection, error: Error | null): void {
    const taker = this.#connecting.get(connection);
    this.#connecting.delete(connection);
    const idleAt = this.#idle.indexOf(connection);
    if (idleAt >= 0) this.#idle.splice(idleAt, 1);
    this.#all.remove(connection);
    if (taker !== null && taker !== undefined) {
      taker.connectionFailed(classifyConnectError(error ?? new Error('closed while connecting')));
    } else {
      const user = connection.user;
      connection.user = null;
      user?.connectionClosed(error);
    }
    this.#serveWaiting();
  }

  #dial(taker: ConnectionTaker, limit: number): void {
    const connection = new Connection(this.#backend, this, this.#settings.trust, taker.preface);
    connection.deadline = limit > 0 ? this.#clock.now + limit : 0;
    this.#all.add(connection);
    this.#connecting.set(connection, taker);
  }

  #serveWaiting(): void {
    const cap = this.#settings.maxSockets;
    while (this.#waiting.length > 0 && (cap === 0 || this.#all.size < cap)) {
      const { taker, connectTimeout } = this.#waiting.shift() as Waiter;
      this.#dial(taker, connectTimeout);
    }
  }

  #expireIdle(connection: Connection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#discard(connection);
  }

  #expireConnecting(connection: Connection): void {
    const taker = this.#connecting.get(connection);
    this.#connecting.delete(connection);
    this.#discard(connection);
    taker?.connectionFailed(new ProxyError('backend-connect-timeout', this.#backend.origin));
    this.#serveWaiting();
  }

  #discard(connection: Connection): void {
    this.#all.remove(connection);
    connection.destroy();
  }
}
