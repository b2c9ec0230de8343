// The line of one worker in front of one frontend whose limits hold for the whole node.
//
// The worker holds permits: as long as one of them is idle, a request takes it and nobody is asked. Without one it asks the keeper
// of the permits, who answers at once or lets it stand in the line of the node. While anybody stands there (`contended`) every
// permit that comes free goes back, so that the one who came first gets it, whichever worker has it.
import { performance } from 'node:perf_hooks';
import type { DeadlineList } from '../base/deadline-list.js';
import type { Line, Place, QueueLimits, Waiter } from './admission.js';
import { type PermitAnswer, type PermitRequest, permitLimits } from './permit-messages.js';
import { Ticket } from './ticket.js';

/** One who has asked and waits for the answer, or for its turn. */
export class NodeTicket<W extends Waiter> extends Ticket<W> {
  readonly id: number;
  readonly #line: NodeLine<W>;

  constructor(id: number, waiter: W, line: NodeLine<W>, since: number) {
    super(waiter, since);
    this.id = id;
    this.#line = line;
  }

  protected withdraw(): void {
    this.#line.withdraw(this);
  }

  protected leave(): void {
    this.#line.leave();
  }
}

/** What the lines of a worker share. */
export interface NodeLineParts<W extends Waiter> {
  readonly deadlines: DeadlineList<NodeTicket<W>>;
  readonly send: (request: PermitRequest) => void;
  readonly nextId: () => number;
  /** Nobody answers any more: what the frontend allows holds for this worker by itself. */
  readonly alone: boolean;
}

export class NodeLine<W extends Waiter> implements Line<W> {
  limits: QueueLimits;
  active = 0;
  readonly #frontend: string;
  readonly #parts: NodeLineParts<W>;
  readonly #tickets = new Map<number, NodeTicket<W>>();
  #held = 0;
  #contended = false;
  #full = false;
  #holders: Set<() => void> | null = null;
  #seekers: Set<() => void> | null = null;
  /** Most that were in flight at once since the last `sweep`. */
  #peak = 0;

  constructor(frontend: string, limits: QueueLimits, parts: NodeLineParts<W>) {
    this.#frontend = frontend;
    this.limits = limits;
    this.#parts = parts;
    if (parts.alone) this.#held = limits.active;
  }

  get waiting(): number {
    return this.#tickets.size;
  }

  /** Somebody is in flight or waits. */
  get used(): boolean {
    return this.active > 0 || this.#tickets.size > 0;
  }

  /** Nobody uses it, it holds nothing, and the keeper has told nothing that must be remembered. */
  get idle(): boolean {
    return !this.used && (this.#parts.alone || (this.#held === 0 && !this.#contended && !this.#full));
  }

  get contended(): boolean {
    return this.#contended;
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
    if (this.active >= this.#held || this.#contended || this.#tickets.size > 0) return false;
    this.#take();
    return true;
  }

  readonly leave = (): void => {
    this.active--;
    if (this.#contended) this.#giveIdle('give');
    else this.#admitWithIdle();
  };

  wait(waiter: W): Place | null {
    const { alone, nextId, send } = this.#parts;
    if (this.#full || (alone && this.#tickets.size >= this.limits.waiting)) return null;
    const ticket = new NodeTicket(nextId(), waiter, this, performance.now());
    this.#tickets.set(ticket.id, ticket);
    this.#keepTime(ticket);
    send({ kind: 'ask', frontend: this.#frontend, id: ticket.id, limits: permitLimits(this.limits) });
    return ticket;
  }

  waiters(): W[] {
    return Array.from(this.#tickets.values(), ({ waiter }) => waiter);
  }

  change(limits: QueueLimits): void {
    const { timeout } = this.limits;
    this.limits = limits;
    this.#parts.send({ kind: 'limits', frontend: this.#frontend, limits: permitLimits(limits) });
    if (this.#parts.alone) this.becomeAlone();
    if (limits.timeout === timeout) return;
    for (const ticket of this.#tickets.values()) this.#keepTime(ticket);
  }

  /** Takes one who waits out of the line. */
  withdraw(ticket: NodeTicket<W>): void {
    this.#remove(ticket);
    this.#parts.send({ kind: 'withdraw', frontend: this.#frontend, id: ticket.id });
  }

  /** The keeper of the permits says something. */
  hear(answer: PermitAnswer): void {
    switch (answer.kind) {
      case 'grant':
        this.#granted(answer.id, answer.count, answer.contended);
        return;
      case 'refuse':
        this.#full = true;
        this.#refused(answer.id);
        return;
      case 'room':
        this.#full = false;
        this.#tell(this.#seekers);
        return;
      case 'recall':
        this.#contended = true;
        this.#giveIdle('recalled');
        this.#tell(this.#holders);
        return;
      case 'ease':
        this.#contended = false;
        this.#admitWithIdle();
        return;
    }
  }

  /** Nobody answers any more. */
  becomeAlone(): void {
    this.#contended = false;
    this.#full = false;
    this.#held = this.limits.active;
    this.#admitWithIdle();
    this.#tell(this.#seekers);
  }

  /** Gives back what was not needed since the last time, except for the reserve. */
  sweep(): void {
    const spare = this.#held - Math.max(this.#peak, this.limits.reserve ?? 0);
    this.#peak = this.active;
    if (spare <= 0 || this.#parts.alone) return;
    this.#held -= spare;
    this.#parts.send({ kind: 'give', frontend: this.#frontend, count: spare });
  }

  #granted(id: number, count: number, contended: boolean): void {
    this.#held += count;
    this.#contended = contended;
    const ticket = this.#tickets.get(id);
    // The one that asked may have left, or was let in by a permit that came free here.
    if (ticket !== undefined) this.#admit(ticket);
    if (!contended) this.#admitWithIdle();
    else {
      this.#giveIdle('give');
      this.#tell(this.#holders);
    }
  }

  #tell(listeners: Set<() => void> | null): void {
    if (listeners !== null) for (const tell of listeners) tell();
  }

  #refused(id: number): void {
    const ticket = this.#tickets.get(id);
    if (ticket === undefined) return;
    this.#remove(ticket);
    ticket.state = 'over';
    ticket.waiter.refused('full');
  }

  /** Lets those in who came first, as far as permits are idle here. */
  #admitWithIdle(): void {
    while (this.#tickets.size > 0 && this.active < this.#held && !this.#contended) {
      const ticket = this.#tickets.values().next().value as NodeTicket<W>;
      this.#parts.send({ kind: 'withdraw', frontend: this.#frontend, id: ticket.id });
      this.#admit(ticket);
    }
  }

  #admit(ticket: NodeTicket<W>): void {
    this.#remove(ticket);
    this.#take();
    ticket.state = 'in flight';
    ticket.waiter.admitted();
  }

  #take(): void {
    this.active++;
    if (this.active > this.#peak) this.#peak = this.active;
  }

  /** A recall is answered also where nothing is idle: the keeper waits for it before it refuses anybody. */
  #giveIdle(kind: 'give' | 'recalled'): void {
    const count = Math.max(0, this.#held - this.active);
    this.#held -= count;
    if (count > 0 || kind === 'recalled') this.#parts.send({ kind, frontend: this.#frontend, count });
  }

  #remove(ticket: NodeTicket<W>): void {
    this.#tickets.delete(ticket.id);
    this.#parts.deadlines.remove(ticket);
  }

  #keepTime(ticket: NodeTicket<W>): void {
    const { timeout } = this.limits;
    ticket.deadline = timeout === 0 ? Number.POSITIVE_INFINITY : ticket.since + timeout;
    if (timeout === 0) this.#parts.deadlines.remove(ticket);
    else this.#parts.deadlines.watch(ticket);
  }
}
