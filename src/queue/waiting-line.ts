// The line in front of one frontend: a count of those in flight and a list of those who wait, in the order in which they came.
//
//   enter -> [ in flight: at most limits.active ] -> leave
//               ^ first of the line
//   wait ->  [ waiting: at most limits.waiting ] -> timeout, or given back
import { performance } from 'node:perf_hooks';
import type { DeadlineList } from '../base/deadline-list.js';
import type { Line, Place, QueueLimits, Waiter } from './admission.js';
import { Ticket } from './ticket.js';

/** One who waits: a link of the list, since those in the middle may leave and the list may be long. */
export class LineTicket<W extends Waiter> extends Ticket<W> {
  before: LineTicket<W> | null = null;
  behind: LineTicket<W> | null = null;
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
  waiting = 0;
  #holders: Set<() => void> | null = null;
  readonly #deadlines: DeadlineList<LineTicket<W>>;
  readonly #emptied: () => void;
  #head: LineTicket<W> | null = null;
  #tail: LineTicket<W> | null = null;

  /**
   * @param deadlines where the time of those who wait is kept
   * @param emptied called when the last one has gone
   */
  constructor(limits: QueueLimits, deadlines: DeadlineList<LineTicket<W>>, emptied: () => void) {
    this.limits = limits;
    this.#deadlines = deadlines;
    this.#emptied = emptied;
  }

  get contended(): boolean {
    return this.#head !== null;
  }

  get holders(): Set<() => void> {
    this.#holders ??= new Set();
    return this.#holders;
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
    const ticket = new LineTicket(waiter, this, performance.now());
    ticket.before = this.#tail;
    if (this.#tail === null) this.#head = ticket;
    else this.#tail.behind = ticket;
    this.#tail = ticket;
    this.waiting++;
    this.#keepTime(ticket);
    if (this.#holders !== null && ticket.before === null) for (const tell of this.#holders) tell();
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
  withdraw(ticket: LineTicket<W>): void {
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

  #unlink(ticket: LineTicket<W>): void {
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

  #keepTime(ticket: LineTicket<W>): void {
    const { timeout } = this.limits;
    ticket.deadline = timeout === 0 ? Number.POSITIVE_INFINITY : ticket.since + timeout;
    if (timeout === 0) this.#deadlines.remove(ticket);
    else this.#deadlines.watch(ticket);
  }

  #tellIfEmpty(): void {
    if (this.active === 0 && this.#head === null) this.#emptied();
  }
}
