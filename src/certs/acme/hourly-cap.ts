// How many things may begin within any hour.

const hour = 3_600_000;

export class HourlyCap {
  readonly most: number;
  /** When those of the last hour began, milliseconds since the epoch, the oldest first. */
  readonly #begun: number[] = [];

  constructor(most: number) {
    this.most = most;
  }

  /** Whether one more may begin; it then counts. */
  takes(now: number): boolean {
    while ((this.#begun[0] ?? now) <= now - hour) this.#begun.shift();
    if (this.#begun.length >= this.most) return false;
    this.#begun.push(now);
    return true;
  }

  /** When the next one may begin. */
  freeAt(now: number): number {
    return this.#begun.length < this.most ? now : (this.#begun[0] as number) + hour;
  }
}
