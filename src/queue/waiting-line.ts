// The line in front of one frontend: a count of those in flight and a list of those who wait, in the order in which they came.
//
//   enter -> [ in flight: at most limits.active ] -> leave
//               ^ first of the line
//   wait ->  [ waiting: at most limits.waiting ] -> timeout, or given back
import { performance } from 'node:perf_hooks';
import type { DeadlineList } from '../base/deadline-list.js';
import { type Linked, LinkedList } from '../base/linked-list.js';
import type { Line, Place, QueueLimits, Waiter } from './admission.js';
import { Ticket } from './ticket.js';

/** One who waits: a member of the list, since those in the middle may leave and the list may be long. */
export class LineTicket<W extends Waiter> extends Ticket<W> implements Linked<LineTicket<W>> {
  previous: LineTicket<W> | null = null;
  next: LineTicket<W> | null = null;
  readonly #line: WaitingLine<W>;

  constructor(waiter: W, line: WaitingLine<W>, since: number) {
    super(waiter, since);
    this.#line = line;
  }

  protected withdraw(): void {
    this.#line.withdraw(this);
  }

  protected leave(): void {
    this.#line.leave();
  }
}

export class WaitingLine<W extends Waiter> implements Line<W> {
  limits: QueueLimits;
  active = 0;
  #holders: Set<() => void> | null = null;
  #seekers: Set<() => void> | null = null;
  readonly #deadlines: DeadlineList<LineTicket<W>>;
  readonly #emptied: () => void;
  readonly #tickets = new LinkedList<LineTicket<W>>();

  /**
   * @param deadlines where the time of those who wait is kept
   * @param emptied called when the last one has gone
   */
  constructor(limits: QueueLimits, deadlines: DeadlineList<LineTicket<W>>, emptied: () => void) {
    this.limits = limits;
    this.#deadlines = deadlines;
    this.#emptied = emptied;
  }

  get waiting(): number {
    return this.#tickets.size;
  }

  get contended(): boolean {
    return this.#tickets.size > 0;
  }

  get holders(): Set<() => void> {
    this.#holders ??= new Set();
    return this.#holders;
  }

  get seekers(): Set<() => void> {
    this.#seekers ??= new Set();
    return this.#seekers;
  }

  enter(): boolean {
    if (this.active >= this.limits.active || this.contended) return false;
    this.active++;
    return true;
  }

  readonly leave = (): void => {
    this.active--;
    this.#admit();
    this.#tellSeekers();
    this.#tellIfEmpty();
  };

  wait(waiter: W): Place | null {
    if (this.waiting >= this.limits.waiting) return null;
    const ticket = new LineTicket(waiter, this, performance.now());
    this.#tickets.append(ticket);
    this.#keepTime(ticket);
    if (this.#holders !== null && ticket.previous === null) for (const tell of this.#holders) tell();
    return ticket;
  }

  waiters(): W[] {
    const all: W[] = [];
    for (let ticket = this.#tickets.first; ticket !== null; ticket = ticket.next) all.push(ticket.waiter);
    return all;
  }

  change(limits: QueueLimits): void {
    const { timeout } = this.limits;
    this.limits = limits;
    this.#admit();
    this.#tellSeekers();
    if (limits.timeout === timeout) return;
    for (let ticket = this.#tickets.first; ticket !== null; ticket = ticket.next) this.#keepTime(ticket);
  }

  /** Takes one who waits out of the list. */
  withdraw(ticket: LineTicket<W>): void {
    this.#remove(ticket);
    this.#tellSeekers();
    this.#tellIfEmpty();
  }

  #admit(): void {
    for (let ticket = this.#tickets.first; ticket !== null && this.active < this.limits.active; ticket = this.#tickets.first) {
      this.#remove(ticket);
      this.active++;
      ticket.state = 'in flight';
      ticket.waiter.admitted();
    }
  }

  #remove(ticket: LineTicket<W>): void {
    this.#tickets.remove(ticket);
    this.#deadlines.remove(ticket);
  }

  #keepTime(ticket: LineTicket<W>): void {
    const { timeout } = this.limits;
    ticket.deadline = timeout === 0 ? Number.POSITIVE_INFINITY : ticket.since + timeout;
    if (timeout === 0) this.#deadlines.remove(ticket);
    else this.#deadlines.watch(ticket);
  }

  /** Who sought in vain may find a place now, or one to wait at. */
  #tellSeekers(): void {
    if (this.#seekers === null || (this.active >= this.limits.active && this.waiting >= this.limits.waiting)) return;
    for (const tell of this.#seekers) tell();
  }

  #tellIfEmpty(): void {
    if (this.active === 0 && !this.contended) this.#emptied();
  }
}
