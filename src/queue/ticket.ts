// The place of one who stands in a line, until its turn is over: what those of a worker and those of the whole node have in common.
import type { Deadlined } from '../base/deadline-list.js';
import type { Place, Waiter } from './admission.js';

export abstract class Ticket<W extends Waiter> implements Place, Deadlined {
  slot = -1;
  deadline = Number.POSITIVE_INFINITY;
  state: 'waiting' | 'in flight' | 'over' = 'waiting';
  readonly waiter: W;
  /** `performance.now()` when it began to wait. */
  readonly since: number;

  constructor(waiter: W, since: number) {
    this.waiter = waiter;
    this.since = since;
  }

  /** Takes it out of its line. */
  protected abstract withdraw(): void;
  /** Gives what it was admitted to back to its line. */
  protected abstract leave(): void;

  giveBack(): void {
    const { state } = this;
    if (state === 'waiting') this.withdraw();
    this.state = 'over';
    if (state === 'in flight') this.leave();
  }

  /** It has waited for as long as it may. */
  expire(): void {
    this.withdraw();
    this.state = 'over';
    this.waiter.refused('timeout');
  }
}
