// Rise and fall: how many probes in a row it takes to change what is thought of a backend.

export class ProbeCount {
  #dead: boolean;
  #streak = 0;

  /** @param dead what is thought of it before the first probe */
  constructor(dead: boolean) {
    this.#dead = dead;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Others found out something: the count begins anew. */
  told(dead: boolean): void {
    if (dead === this.#dead) return;
    this.#dead = dead;
    this.#streak = 0;
  }

  /**
   * Counts a probe.
   * @param rise successes in a row that revive
   * @param fall failures in a row that kill
   * @returns whether that changed what is thought of it
   */
  probed(succeeded: boolean, rise: number, fall: number): boolean {
    // A result that agrees with what is thought ends the row of those that did not.
    this.#streak = succeeded === this.#dead ? this.#streak + 1 : 0;
    if (this.#streak < (this.#dead ? rise : fall)) return false;
    this.#dead = !this.#dead;
    this.#streak = 0;
    return true;
  }
}
