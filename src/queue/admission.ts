// The contract of admission: how many exchanges of a frontend, or connections of one kind, there may be, and who waits for a place. Implemented
// by local-admission for one process; whoever hands permits to several processes implements it anew.

/** What a frontend allows. */
export interface QueueLimits {
  /** Most that are in flight; at least 1; Infinity: any number. */
  readonly active: number;
  /** Most that wait; 0: who finds no place is refused. */
  readonly waiting: number;
  /** Milliseconds that one may wait; 0: for as long as it takes. */
  readonly timeout: number;
  /** Where the limits are shared: places that this process keeps at hand although nobody needs them; absent: none. */
  readonly reserve?: number;
}

/** Why somebody who waited, or asked to, got no place. */
export type Refusal = 'full' | 'timeout';

/**
 * Who waits. Exactly one of these is called, once, after `wait` has returned; none if the place was given back before.
 * Neither may throw.
 */
export interface Waiter {
  admitted(): void;
  refused(why: Refusal): void;
}

/** What a waiter holds: first its place in the line, then one in flight. */
export interface Place {
  /** Gives back whichever it is; nothing happens the second time. */
  giveBack(): void;
}

/** The line in front of one frontend. Valid until the caller returns to the event loop, or for as long as it holds a place of it. */
export interface Line<W extends Waiter> {
  readonly limits: QueueLimits;
  /** How many are in flight, and how many wait. */
  readonly active: number;
  readonly waiting: number;
  /** Takes a place in flight, if one is free and nobody came before. Costs neither a promise nor a closure. */
  enter(): boolean;
  /** Gives a place that `enter` took back: the same function for all of them. To be called once for each. */
  readonly leave: () => void;
  /**
   * Queues behind those who wait.
   * @returns null when as many wait as may
   */
  wait(waiter: W): Place | null;
  /** Who waits, first come first. A copy. */
  waiters(): W[];
  /** Others wait for a place, here or where the limits are shared. */
  readonly contended: boolean;
  /** Told whenever that begins, so that who holds places for long gives one back soon. Kept for as long as the line is. */
  readonly holders: Set<() => void>;
  /** Told when asking is worth it again, after there was neither a place nor one to wait at. Kept for as long as the line is. */
  readonly seekers: Set<() => void>;
  /** Applies other limits at once: more lets waiters in; with fewer, who is in flight or waits already goes on. */
  change(limits: QueueLimits): void;
}

/** All lines of a process. */
export interface Admission<W extends Waiter> {
  /** The line of a frontend. One that is there keeps its limits; a new one has those given. */
  line(frontend: string, limits: QueueLimits): Line<W>;
  /** The line where somebody is in flight or waits, if there is one. */
  known(frontend: string): Line<W> | undefined;
  /** The frontends in front of which there is a line. A copy. */
  frontends(): string[];
}
