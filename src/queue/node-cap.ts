// A cap on connections that holds for the node, counted by keys of which there may be any number: of each key a worker may have some
// without asking anybody, and takes permits for further ones.
import type { Admission, Place, QueueLimits, Waiter } from './admission.js';

export interface NodeCapParts {
  /** What it is called among all that the admission counts; its keys follow that name. */
  readonly name: string;
  /** Most of one key; at least 1. */
  readonly most: number;
  /** Of those, how many each worker may have without asking. */
  readonly own: number;
  /** Workers of the node. */
  readonly workers: number;
  /** Permits of a key that a worker keeps at hand although nobody needs them. */
  readonly reserve: number;
  readonly admission: Admission<Waiter>;
}

/** The largest part of a cap that a worker has for itself. */
const largestPart = 64;
/** Milliseconds after which nobody waits for an answer of the keeper any more: it would be hung. */
export const patience = 5_000;

/** A part of a cap that each worker may have to itself: small, so that all of them together are less than a quarter of it. */
export function partOf(most: number, workers: number): number {
  return Math.min(largestPart, Math.floor(most / (4 * workers)));
}

/**
 * With `most` of a key for the node, W workers, and `own` for each of them: the permits are `most - W * own`, so that no key has
 * ever more than `most`; besides those of a worker that is being replaced, at most `own`. A key is refused nothing as long as it has fewer than
 * `most - (W - 1) * own`, which is what one worker alone can get; with `own` 0 that is `most`. A worker that dies gives its permits back.
 * It remembers keys that something is held of, and for two seconds those of which permits were; the keeper knows keys that permits
 * are out for, or asked for. No flood of keys fills either beyond the connections that there are.
 */
export class NodeCap {
  readonly #name: string;
  readonly #own: number;
  readonly #limits: QueueLimits;
  readonly #admission: Admission<Waiter>;
  /** Of each key, how many are held without a permit. */
  readonly #held = new Map<string, number>();

  constructor({ name, most, own, workers, reserve, admission }: NodeCapParts) {
    this.#name = name;
    this.#own = own;
    this.#limits = { active: most - workers * own, waiting: 0, timeout: patience, reserve };
    this.#admission = admission;
  }

  /** Keys that something is held of without a permit. */
  get size(): number {
    return this.#held.size;
  }

  /** Takes a place, if it is known here that there is one. */
  enter(key: string): boolean {
    const held = this.#held.get(key) ?? 0;
    if (held < this.#own) {
      this.#held.set(key, held + 1);
      return true;
    }
    return this.#limits.active > 0 && this.#admission.line(this.#line(key), this.#limits).enter();
  }

  /**
   * Asks whether there is a place, where `enter` found none.
   * @returns what to give back as long as there is no answer; null: there is none
   */
  ask(key: string, waiter: Waiter): Place | null {
    if (this.#limits.active === 0) return null;
    return this.#admission.line(this.#line(key), this.#limits).wait(waiter);
  }

  /** Gives back a place; once for each. */
  leave(key: string): void {
    const line = this.#limits.active === 0 ? undefined : this.#admission.known(this.#line(key));
    if (line !== undefined && line.active > 0) {
      line.leave();
      return;
    }
    const held = this.#held.get(key) ?? 0;
    if (held > 1) this.#held.set(key, held - 1);
    else this.#held.delete(key);
  }

  #line(key: string): string {
    return key === '' ? this.#name : `${this.#name} ${key}`;
  }
}
