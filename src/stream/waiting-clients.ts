// Clients of a stream that wait for their turn, in the order in which they came. They are paused, and end when their time is up.
import type { CoarseClock } from '../base/clock.js';
import type { StreamCounters } from '../observe/stream-counters.js';
import type { StreamClient } from './stream-client.js';

/** A line. Whoever left it must be told to `leave`, however the client went. */
export class WaitingClients implements Iterable<StreamClient> {
  readonly #clients = new Set<StreamClient>();
  readonly #clock: CoarseClock;
  readonly #counters: StreamCounters;

  constructor(clock: CoarseClock, counters: StreamCounters) {
    this.#clock = clock;
    this.#counters = counters;
  }

  get size(): number {
    return this.#clients.size;
  }

  has(client: StreamClient): boolean {
    return this.#clients.has(client);
  }

  /** In their order. Those who leave meanwhile are left out. */
  [Symbol.iterator](): Iterator<StreamClient> {
    return this.#clients.values();
  }

  /** @param patience milliseconds that the client waits at most; 0: for as long as it takes */
  join(client: StreamClient, patience: number): void {
    this.#clients.add(client);
    this.#counters.waiting++;
    client.expireAt(patience === 0 ? 0 : this.#clock.now + patience, 'waited');
  }

  /** @returns whether it was in the line */
  leave(client: StreamClient): boolean {
    if (!this.#clients.delete(client)) return false;
    this.#counters.waiting--;
    client.expireAt(0, 'waited');
    return true;
  }
}
