// Whether a request body comes fast enough on the whole: who sends now and then a byte holds a backend for nothing.
//
// A body has credit, as many bytes as the rate brings in the grace. Time takes from it at the rate, and each byte that comes adds one, up to where it
// began: a sender may be slow at first and may rest, but a fast beginning pays for no endless trickle.

export class BodyPace {
  readonly #rate: number;
  readonly #most: number;
  #credit: number;
  #received = 0;
  /** When the credit was last reckoned, in milliseconds; negative: time does not count at the moment. */
  #since = -1;

  /**
   * @param rate bytes a second
   * @param grace milliseconds without a byte that a body may take at most
   */
  constructor(rate: number, grace: number) {
    this.#rate = rate / 1000;
    this.#most = this.#rate * grace;
    this.#credit = this.#most;
  }

  /** Another body begins. */
  begin(): void {
    this.#credit = this.#most;
    this.#received = 0;
    this.#since = -1;
  }

  /**
   * The client owes bytes.
   * @param received bytes of the body so far
   * @returns milliseconds that it has for the next ones; 0 or less: it is too slow
   */
  owed(now: number, received: number): number {
    if (this.#since >= 0) this.#credit -= (now - this.#since) * this.#rate;
    // Late bytes do not save who was too slow already.
    if (this.#credit > 0) this.#credit = Math.min(this.#most, this.#credit + received - this.#received);
    this.#since = now;
    this.#received = received;
    return this.#credit / this.#rate;
  }

  /** Nobody waits for the client: its backend is slower, or an answer is on its way. */
  rest(now: number, received: number): void {
    if (this.#since < 0) return;
    this.owed(now, received);
    this.#since = -1;
  }
}
