// Deadlines that must be kept to some milliseconds, with one timer for all of them instead of one for each.
import { performance } from 'node:perf_hooks';
import { type Slotted, SweepList } from './sweep-list.js';

/** Something that has to be over at a moment. */
export interface Deadlined extends Slotted {
  /** On the scale of `performance.now()`; Infinity: none at the moment. */
  readonly deadline: number;
}

/** Expiries that follow one another more closely than this are told together, so that many of them are no storm of timers. */
const between = 10;
/** Milliseconds by which a timer that is late says that this process stood still: stopped, suspended, or in one long turn. */
const stoodStill = 500;

/** A list of members whose deadlines are told, up to ten milliseconds late. Keeps no process alive. */
export class DeadlineList<T extends Deadlined> {
  readonly #members = new SweepList<T>();
  readonly #expired: (member: T, now: number) => void;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;
  #wakesAt = Number.POSITIVE_INFINITY;
  #soonest = Number.POSITIVE_INFINITY;

  /**
   * @param expired called for a member whose deadline has come; it stays in the list, with a later deadline if it wants to be told again
   * @param now milliseconds on the scale of the deadlines
   */
  constructor(expired: (member: T, now: number) => void, now: () => number = () => performance.now()) {
    this.#expired = expired;
    this.#now = now;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Adds a member, or takes notice of the new deadline of one. */
  watch(member: T): void {
    this.#members.add(member);
    this.#wakeAt(member.deadline);
  }

  remove(member: T): void {
    this.#members.remove(member);
  }

  /** Most deadlines are later than that of a member before: they cost no timer. */
  #wakeAt(deadline: number): void {
    if (deadline >= this.#wakesAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#wakesAt = deadline;
    this.#timer = setTimeout(this.#wake, Math.max(1, Math.ceil(deadline - this.#now())));
    this.#timer.unref();
  }

  /** What has come while nobody could see it is read before anybody is told to be late, as by the coarse clock. */
  readonly #wake = (): void => {
    if (this.#now() - this.#wakesAt < stoodStill) this.#tell();
    else setImmediate(this.#tell);
  };

  readonly #tell = (): void => {
    this.#timer = null;
    this.#wakesAt = Number.POSITIVE_INFINITY;
    this.#soonest = Number.POSITIVE_INFINITY;
    const now = this.#now();
    this.#members.each(this.#look, now);
    if (this.#soonest !== Number.POSITIVE_INFINITY) this.#wakeAt(Math.max(this.#soonest, now + between));
  };

  readonly #look = (member: T, now: number): void => {
    if (member.deadline <= now) this.#expired(member, now);
    if (member.slot !== -1 && member.deadline > now && member.deadline < this.#soonest) this.#soonest = member.deadline;
  };
}
