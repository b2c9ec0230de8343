// Verdicts that were reached a moment ago, by a keyed digest of what they hang on, each for a few seconds.
import { randomBytes } from 'node:crypto';
import { BoundedMap } from '../base/bounded-map.js';
import { createKeyedDigest } from './keyed-digest.js';
import type { Verdict } from './verdict.js';

interface Kept {
  readonly verdict: Verdict;
  /** On the scale of the clock. */
  readonly until: number;
}

/** The times that are needed of a clock; those of CoarseClock. */
export interface AuthClock {
  /** Milliseconds that never run backwards. */
  readonly now: number;
  /** Milliseconds since the epoch. */
  readonly wall: number;
}

/**
 * A text of a fixed length for a credential. Its key is drawn anew by each process: whoever sees the digest, or the memory that
 * holds it, cannot try passwords against it elsewhere.
 */
export const credentialDigest = createKeyedDigest(randomBytes(32).toString('hex'));

/** How long verdicts are kept, and how many. */
export interface KeepingLimits {
  /** Milliseconds; 0: not at all. */
  readonly ttl: number;
  readonly refusedTtl: number;
  /** The most that passed; a quarter as many of those that were refused are kept beside them. */
  readonly entries: number;
}

/** Passes and refusals apart, so that a flood of wrong credentials forgets other wrong ones only. */
export class VerdictCache {
  readonly #clock: AuthClock;
  readonly #limits: KeepingLimits;
  readonly #passed: BoundedMap<string, Kept>;
  readonly #refused: BoundedMap<string, Kept>;

  constructor(clock: AuthClock, limits: KeepingLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#passed = new BoundedMap(limits.entries);
    this.#refused = new BoundedMap(Math.ceil(limits.entries / 4));
  }

  get size(): number {
    return this.#passed.size + this.#refused.size;
  }

  get(digest: string): Verdict | undefined {
    const kept = this.#passed.get(digest) ?? this.#refused.get(digest);
    return kept !== undefined && this.#clock.now < kept.until && !outlived(kept.verdict, this.#clock.wall)
      ? kept.verdict
      : undefined;
  }

  /** Keeps a verdict that may be kept. */
  put(digest: string, verdict: Verdict): void {
    const { ttl, refusedTtl } = this.#limits;
    if (!isShareable(verdict)) return;
    if (verdict.kind === 'passed') this.#keep(this.#passed, digest, verdict, ttl);
    else this.#keep(this.#refused, digest, verdict, refusedTtl);
  }

  #keep(into: BoundedMap<string, Kept>, digest: string, verdict: Verdict, ttl: number): void {
    this.#passed.delete(digest);
    this.#refused.delete(digest);
    if (ttl === 0) return;
    // Who is pushed out is the oldest, which is also the next to run out.
    into.set(digest, { verdict, until: this.#clock.now + ttl });
  }
}

/**
 * Whether a verdict holds for whoever asks the same. That a check failed is no verdict; an answer that sets cookies or leads
 * elsewhere is made for one client.
 */
export function isShareable(verdict: Verdict): boolean {
  switch (verdict.kind) {
    case 'passed':
    case 'refused':
    case 'forbidden':
      return true;
    case 'answered':
      return !verdict.answer.headers.some((name, at) => at % 2 === 0 && /^(set-cookie|location)$/i.test(name));
    case 'away':
    case 'busy':
      return false;
  }
}

function outlived(verdict: Verdict, wall: number): boolean {
  return verdict.kind === 'passed' && verdict.until !== undefined && verdict.until <= wall;
}
