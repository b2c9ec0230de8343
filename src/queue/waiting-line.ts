// The line in front of one frontend: a count of those in flight and a list of those who wait, in the order in which they came.
//
//   enter -> [ in flight: at most limits.active ] -> leave
//               ^ first of the line
//   wait ->  [ waiting: at most limits.waiting ] -> timeout, or given back
import { performance } from 'node:perf_hooks';
import type { Deadlined, DeadlineList } from '../base/deadline-list.js';
import type { Line, Place, QueueLimits, Waiter } from './admission.js';

/** One who waits: a link of the list, since those in the middle may leave and the list may be long. */
export class Ticket<W extends Waiter> implements Place, Deadlined {
  slot = -1;
  deadline = Number.POSITIVE_INFINITY;
  before: Ticket<W> | null = null;
  behind: Ticket<W> | null = null;
  state: 'waiting' | 'in flight' | 'over' = 'waiting';
  readonly waiter: W;
  readonly since: number;
  readonly #line: WaitingLine<W>;

  constructor(waiter: W, line: WaitingLine<W>, since: number) {
    this.waiter = waiter;
    this.#line = line;
    this.since = since;
  }

  giveBack(): void {
    const { state } = this;
    if (state === 'waiting') this.#line.withdraw(this);
    this.state = 'over';
    if (state === 'in flight') this.#line.leave();
  }

  /** It has waited for as long as it may. */
  expire(): void {
    this.#line.withdraw(this);
    this.state = 'over';
    this.waiter.refused('timeout');
  }
}

export class WaitingLine<W extends Waiter> implements Line<W> {
  limits: QueueLimits;
  active = 0;
  waiting = 0;
  readonly #deadlines: DeadlineList<Ticket<W>>;
  readonly #emptied: () => void;
  #head: Ticket<W> | null = null;
  #tail: Ticket<W> | null = null;

  /**
   * @param deadlines where the time of those who wait is kept
   * @param emptied called when the last one has gone
   */
  constructor(limits: QueueLimits, deadlines: DeadlineList<Ticket<W>>, emptied: () => void) {
    this.limits = limits;
    this.#deadlines = deadlines;
    this.#emptied = emptied;
  }

  enter(): boolean {
    if (this.active >= this.limits.active || this.#head !== null) return false;
    this.active++;
    return true;
  }

  readonly leave = (): void => {
    this.active--;
    this.#admit();
    this.#tellIfEmpty();
  };

  wait(waiter: W): Place | null {
    if (this.waiting >= this.limits.waiting) return null;
    const ticket = new Ticket(waiter, this, performance.now());
    ticket.before = this.#tail;
    if (this.#tail === null) this.#head = ticket;
    else this.#tail.behind = ticket;
    this.#tail = ticket;
    this.waiting++;
    this.#keepTime(ticket);
    return ticket;
  }

  waiters(): W[] {
    const all: W[] = [];
    for (let ticket = this.#head; ticket !== null; ticket = ticket.behind) all.push(ticket.waiter);
    return all;
  }

  change(limits: QueueLimits): void {
    const { timeout } = this.limits;
    this.limits = limits;
    this.#admit();
    if (limits.timeout === timeout) return;
    for (let ticket = this.#head; ticket !== null; ticket = ticket.behind) this.#keepTime(ticket);
  }

  /** Takes one who waits out of the list. */
  withdraw(ticket: Ticket<W>): void {
    this.#unlink(ticket);
    this.#tellIfEmpty();
  }

  #admit(): void {
    for (let ticket = this.#head; ticket !== null && this.active < this.limits.active; ticket = this.#head) {
      this.#unlink(ticket);
      this.active++;
      ticket.state = 'in flight';
      ticket.waiter.admitted();
    }
  }

  #unlink(ticket: Ticket<W>): void {
    const { before, behind } = ticket;
    if (before === null) this.#head = behind;
    else before.behind = behind;
    if (behind === null) this.#tail = before;
    else behind.before = before;
    ticket.before = null;
    ticket.behind = null;
    this.waiting--;
    this.#deadlines.remove(ticket);
  }

  #keepTime(ticket: Ticket<W>): void {
    const { timeout } = this.limits;
    ticket.deadline = timeout === 0 ? Number.POSITIVE_INFINITY : ticket.since + timeout;
    if (timeout === 0) this.#deadlines.remove(ticket);
    else this.#deadlines.watch(ticket);
  }

  #tellIfEmpty(): void {
    if (this.active === 0 && this.#head === null) this.#emptied();
  }
}
