// All open client connections of a worker, which the coarse clock walks to enforce deadlines.
import { type Slotted, SweepList } from '../base/sweep-list.js';

/** What the list needs of a connection. */
export interface ListedConnection extends Slotted {
  /** Coarse milliseconds at which `expired` is called; 0: never. */
  deadline: number;
  expired(now: number): void;
  /** Finish what is running, then close; at once when nothing is. */
  drain(): void;
  destroy(): void;
}

const expireIfLate = (connection: ListedConnection, now: number): void => {
  if (connection.deadline !== 0 && now >= connection.deadline) connection.expired(now);
};

export class Connections {
  readonly #all = new SweepList<ListedConnection>();

  get size(): number {
    return this.#all.size;
  }

  add(connection: ListedConnection): void {
    this.#all.add(connection);
  }

  remove(connection: ListedConnection): void {
    this.#all.remove(connection);
  }

  /** One pass instead of a timer a socket: a timer would be re-armed several times a request. */
  sweep(now: number): void {
    this.#all.each(expireIfLate, now);
  }

  drain(): void {
    this.#all.each((connection) => connection.drain());
  }

  destroyAll(): void {
    this.#all.each((connection) => connection.destroy());
  }
}
