// A place for one connection to a target that may have only so many, counted for the node, or the question whether there is one.
import type { Line, Place, Refusal, Waiter } from '../queue/admission.js';

export class TargetPlace implements Waiter {
  readonly #line: Line<Waiter>;
  readonly #claimant: Waiter;
  readonly #full: (line: Line<Waiter>) => void;
  #ticket: Place | null = null;
  #held = false;

  /**
   * @param line of the target
   * @param claimant told the answer, where `take` has none
   * @param full told that it is vain to ask until the line calls its seekers
   */
  constructor(line: Line<Waiter>, claimant: Waiter, full: (line: Line<Waiter>) => void) {
    this.#line = line;
    this.#claimant = claimant;
    this.#full = full;
  }

  /** `asks`: the answer comes later. To be called once. */
  take(): 'held' | 'asks' | 'full' {
    this.#held = this.#line.enter();
    if (this.#held) return 'held';
    this.#ticket = this.#line.wait(this);
    if (this.#ticket !== null) return 'asks';
    this.#full(this.#line);
    return 'full';
  }

  admitted(): void {
    this.#ticket = null;
    this.#held = true;
    this.#claimant.admitted();
  }

  refused(why: Refusal): void {
    this.#ticket = null;
    if (why === 'full') this.#full(this.#line);
    this.#claimant.refused(why);
  }

  /** Gives back the place, or the question; nothing happens where there is neither. */
  giveBack(): void {
    this.#ticket?.giveBack();
    this.#ticket = null;
    if (!this.#held) return;
    this.#held = false;
    this.#line.leave();
  }
}
