// The state of a backend's circuit breaker, told from its mark: the same mark reaches every worker, and so does the state.
import type { BreakerPolicy } from '../model/policy/health.js';

/**
 * `closed`: requests pass, failures are counted. `open`: none passes. `half-open`: one passes, and its end decides; see `trials`.
 */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** What a mark says of the breaker that made it; of the store or of this worker. */
export interface BreakerMark {
  readonly retryAt?: number;
  readonly opens?: number;
}

/**
 * @param mark of the backend, or null where it has none
 * @param now milliseconds since the epoch
 */
export function breakerState(mark: BreakerMark | null, now: number): BreakerState {
  if (mark?.retryAt === undefined) return 'closed';
  return now < mark.retryAt ? 'open' : 'half-open';
}

/**
 * How long a breaker stays open, milliseconds: doubled each time that its probe failed.
 * @param opens how often in a row it has opened, this time included
 */
export function openTime({ open, maxOpen }: BreakerPolicy, opens: number): number {
  return Math.max(open, Math.min(open * 2 ** Math.min(opens - 1, 30), maxOpen));
}
