// All open client connections of a worker, which the coarse clock walks to enforce deadlines.
import { type Slotted, SweepList } from '../base/sweep-list.js';

/** What the list needs of a connection. */
export interface ListedConnection extends Slotted {
  /** Coarse milliseconds at which `expired` is called; 0: never. */
  deadline: number;
  expired(now: number): void;
  /** Address of the client; absent where another list of clients has it. */
  readonly peer?: string;
  /**
   * Finish what is running and tell the client that this connection ends, then close. A request may be on its way: an idle
   * connection waits for one.
   * @param grace milliseconds that it waits
   */
  drain(grace: number): void;
  destroy(): void;
}

const expireIfLate = (connection: ListedConnection, now: number): void => {
  if (connection.deadline !== 0 && now >= connection.deadline) connection.expired(now);
};

export class Connections {
  readonly #all = new SweepList<ListedConnection>();
  /** Set once they drain: what comes out of a handshake from then on drains too. */
  #grace: number | null = null;

  get size(): number {
    return this.#all.size;
  }

  add(connection: ListedConnection): void {
    this.#all.add(connection);
    if (this.#grace !== null) connection.drain(this.#grace);
  }

  remove(connection: ListedConnection): void {
    this.#all.remove(connection);
  }

  /** One pass instead of a timer a socket: a timer would be re-armed several times a request. */
  sweep(now: number): void {
    this.#all.each(expireIfLate, now);
  }

  /** @param grace milliseconds that an idle connection is kept */
  drain(grace: number): void {
    this.#grace = grace;
    this.#all.each((connection) => connection.drain(grace));
  }

  /** Ends the connections of clients that are refused from now on. */
  cut(refused: (address: string) => boolean): void {
    this.#all.each((connection) => {
      if (connection.peer !== undefined && refused(connection.peer)) connection.destroy();
    });
  }

  destroyAll(): void {
    this.#all.each((connection) => connection.destroy());
  }
}
