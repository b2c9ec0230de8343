// A bound on bytes that are kept in memory, shared by all who keep some. It refuses nothing by itself: who keeps bytes asks whether it is full.

export class ByteBudget {
  /** Bytes that are kept now. */
  used = 0;
  readonly #limit: number;

  /** @param limit bytes; 0: no bound */
  constructor(limit: number) {
    this.#limit = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  }

  get full(): boolean {
    return this.used >= this.#limit;
  }

  /** @param bytes more that are kept; negative: that are let go */
  add(bytes: number): void {
    this.used += bytes;
  }
}

/** For bytes that nobody counts. */
export const unboundedBytes = new ByteBudget(0);
