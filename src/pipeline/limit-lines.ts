// What a client is told of its limit: the fields of draft-ietf-httpapi-ratelimit-headers, and those that were usual before.
import type { LimitHeaders } from '../config/config.js';
import type { TierVerdict } from '../limits/tier-limit.js';
import type { Tier } from '../model/tier.js';

/** The lines for an answer, each ended by CRLF. Names of tiers have no characters that a quoted text could not hold. */
export class LimitLines {
  readonly #standard: boolean;
  readonly #legacy: boolean;
  /** What is the same in each answer of a tier. */
  readonly #fixed = new WeakMap<Tier, string>();

  constructor(which: LimitHeaders) {
    this.#standard = which === 'standard' || which === 'both';
    this.#legacy = which === 'legacy' || which === 'both';
  }

  of(tier: Tier, verdict: TierVerdict): string {
    if (!this.#standard && !this.#legacy) return '';
    const reset = Math.ceil(verdict.reset / 1000);
    let lines = this.#fixed.get(tier) ?? this.#fix(tier);
    if (this.#standard) {
      lines += `RateLimit: "${tier.name}";r=${verdict.remaining};t=${reset}`;
      const { burst } = verdict;
      lines +=
        burst === undefined ? '\r\n' : `, "${tier.name}-burst";r=${burst.remaining};t=${Math.ceil(burst.reset / 1000)}\r\n`;
    }
    if (this.#legacy) lines += `X-RateLimit-Remaining: ${verdict.remaining}\r\nX-RateLimit-Reset: ${reset}\r\n`;
    return lines;
  }

  #fix(tier: Tier): string {
    const { name, points, duration, burst, burstDuration } = tier;
    const beyond = burst === 0 ? '' : `, "${name}-burst";q=${burst};w=${burstDuration}`;
    const policy = this.#standard ? `RateLimit-Policy: "${name}";q=${points};w=${duration}${beyond}\r\n` : '';
    const lines = this.#legacy ? `${policy}X-RateLimit-Limit: ${points}\r\n` : policy;
    this.#fixed.set(tier, lines);
    return lines;
  }
}

/** Seconds after which a client that was refused may come back. */
export function retryAfterSeconds({ reset, burst }: TierVerdict): number {
  const milliseconds = burst === undefined ? reset : Math.min(reset, burst.reset);
  return Math.max(1, Math.ceil(milliseconds / 1000));
}
