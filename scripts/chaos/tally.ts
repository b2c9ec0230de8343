// What came of all requests of a run: how many were right, what was lost and why, and what must not have happened.
import type { Verdict } from './judge.js';

/** Faults that are kept in full. */
const mostKept = 100;

export class Tally {
  requests = 0;
  right = 0;
  bytes = 0;
  /** Everything that must not have happened. */
  faults = 0;
  readonly #texts: string[] = [];
  readonly #permitted = new Map<string, number>();
  readonly #kinds = new Map<string, number>();
  /** Of those that were right, in milliseconds. */
  #longest = 0;

  /** @param kind of the request */
  count(kind: string, verdict: Verdict, milliseconds: number, bytes: number): void {
    this.requests++;
    this.bytes += bytes;
    add(this.#kinds, kind);
    switch (verdict.kind) {
      case 'right':
        this.right++;
        this.#longest = Math.max(this.#longest, milliseconds);
        return;
      case 'permitted':
        add(this.#permitted, verdict.why);
        return;
      case 'fault':
        this.fault(`${kind}: ${verdict.why}`);
        return;
    }
  }

  fault(text: string): void {
    this.faults++;
    if (this.#texts.length < mostKept) this.#texts.push(text);
  }

  get texts(): readonly string[] {
    return this.#texts;
  }

  /** What was lost, by why it was permitted. */
  get lost(): readonly (readonly [why: string, times: number])[] {
    return [...this.#permitted].sort(([, one], [, other]) => other - one);
  }

  get kinds(): readonly (readonly [kind: string, times: number])[] {
    return [...this.#kinds].sort(([, one], [, other]) => other - one);
  }

  /** Milliseconds that the slowest right answer took. */
  get longest(): number {
    return this.#longest;
  }
}

function add(into: Map<string, number>, name: string): void {
  into.set(name, (into.get(name) ?? 0) + 1);
}
