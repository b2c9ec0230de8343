// How long the client of a running request may take to the next bytes of its body: neither silence nor a trickle may last.
import { BodyPace } from './body-pace.js';

export interface BodyTimeSettings {
  /** Milliseconds of silence; 0: any time. */
  readonly bodyTimeout: number;
  /** Bytes a second, and milliseconds by which a body may fall behind; 0: any pace. */
  readonly minBodyRate: number;
  readonly bodyGrace: number;
}

/** One for a connection, whose bodies come one after the other. */
export class BodyTime {
  readonly #settings: BodyTimeSettings;
  readonly #clock: { readonly now: number };
  /** null: any pace will do. */
  readonly #pace: BodyPace | null;

  constructor(settings: BodyTimeSettings, clock: { readonly now: number }) {
    const { minBodyRate, bodyGrace } = settings;
    this.#settings = settings;
    this.#clock = clock;
    this.#pace = minBodyRate === 0 ? null : new BodyPace(minBodyRate, bodyGrace);
  }

  /** A body begins. */
  begin(): void {
    this.#pace?.begin();
  }

  /** Nobody waits for the client. @param received bytes of the body so far */
  rest(received: number): void {
    this.#pace?.rest(this.#clock.now, received);
  }

  /** The client owes bytes. @returns milliseconds that it has for the next ones; 0: any time */
  left(received: number): number {
    const { bodyTimeout } = this.#settings;
    if (this.#pace === null) return bodyTimeout;
    const left = Math.max(1, this.#pace.owed(this.#clock.now, received));
    return bodyTimeout > 0 && bodyTimeout < left ? bodyTimeout : left;
  }
}
