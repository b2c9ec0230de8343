// Small whole numbers as names for things that come and go: one that was given back is given out again.

export class Numbers {
  readonly #free: number[] = [];
  #next = 0;

  /** One that nothing is called by now. */
  take(): number {
    return this.#free.pop() ?? this.#next++;
  }

  giveBack(number: number): void {
    this.#free.push(number);
  }
}
