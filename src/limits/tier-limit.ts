// A tier in force: its points, and the burst that a client may have beyond them.
import type { Tier } from '../model/tier.js';
import type { Accounts } from './accounts.js';
import { Ledger, type Verdict } from './ledger.js';
import type { Limiter, Window } from './limiter.js';

/** What was decided about a request of a tier. */
export interface TierVerdict extends Verdict {
  /** The same of the burst, where it was asked for. */
  readonly burst?: Verdict;
}

/** What the ledgers of a tier are made with. */
export interface TierParts {
  readonly accounts: Accounts;
  readonly limiterFor: (window: Window) => Limiter;
}

export class TierLimit {
  readonly tier: Tier;
  /** Requests that it let through and turned away since it was made. */
  admitted = 0;
  refused = 0;
  readonly #points: Ledger;
  readonly #burst: Ledger | null;

  /** @param last the tier as it was before: what is known of clients stays where the numbers do */
  constructor(tier: Tier, parts: TierParts, last?: TierLimit) {
    this.tier = tier;
    if (last !== undefined) {
      this.admitted = last.admitted;
      this.refused = last.refused;
    }
    const before = last === undefined ? [] : last.#ledgers();
    const ledgerOf = (window: Window): Ledger =>
      before.find((ledger) => isEqual(ledger.window, window)) ?? new Ledger(window, parts.limiterFor(window), parts.accounts);
    this.#points = ledgerOf({ name: tier.name, points: tier.points, duration: tier.duration });
    // The names of tiers have no plus, so that none is another one's burst.
    const burst = { name: `${tier.name}+burst`, points: tier.burst, duration: tier.burstDuration };
    this.#burst = tier.burst === 0 ? null : ledgerOf(burst);
    const now = this.#ledgers();
    for (const ledger of before) if (!now.includes(ledger)) ledger.close();
  }

  /** As `Ledger.take`; who has no points left gets those of the burst. */
  take(key: string, cost: number, now: number): TierVerdict | Promise<TierVerdict> {
    const verdict = this.#points.take(key, cost, now);
    const burst = this.#burst;
    if (burst === null) return verdict;
    if (verdict instanceof Promise) return verdict.then((later) => withBurst(burst, key, cost, now, later));
    return withBurst(burst, key, cost, now, verdict);
  }

  #ledgers(): readonly Ledger[] {
    return this.#burst === null ? [this.#points] : [this.#points, this.#burst];
  }
}

function isEqual(one: Window, other: Window): boolean {
  return one.name === other.name && one.points === other.points && one.duration === other.duration;
}

function withBurst(burst: Ledger, key: string, cost: number, now: number, verdict: Verdict): TierVerdict | Promise<TierVerdict> {
  if (verdict.admitted) return verdict;
  const beyond = burst.take(key, cost, now);
  if (beyond instanceof Promise) return beyond.then((later) => ({ ...verdict, admitted: later.admitted, burst: later }));
  return { ...verdict, admitted: beyond.admitted, burst: beyond };
}
