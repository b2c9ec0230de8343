// What a client is told of its limit: the fields of draft-ietf-httpapi-ratelimit-headers, and those that were usual before.
import { ownText } from '../base/own-text.js';
import type { LimitHeaders } from '../config/config.js';
import type { TierVerdict } from '../limits/tier-limit.js';
import type { Tier } from '../model/tier.js';

/** What is the same in each answer of a tier. */
interface TierTexts {
  /** Up to the points that are left. */
  readonly standard: string;
  /** The same of the second policy, where a burst was asked for. */
  readonly burst: string;
  /** The old fields up to the points that are left. */
  readonly legacy: string;
  /** The lines of the last refusal, and the points and seconds that they tell of: a flood of refusals is told the same for a second. */
  refusal: string;
  refusedWith: number;
  refusedFor: number;
}

/** The lines for an answer, each ended by CRLF. Names of tiers have no characters that a quoted text could not hold. */
export class LimitLines {
  readonly #standard: boolean;
  readonly #legacy: boolean;
  readonly #texts = new WeakMap<Tier, TierTexts>();
  /** The tier of the last answer, which is mostly that of the next one. */
  #lastTier: Tier | null = null;
  #lastTexts: TierTexts | null = null;
  // Answers follow one another within a second of the same window: what ends a line is seldom another than that of the last one.
  #seconds = -1;
  #secondsText = '';

  constructor(which: LimitHeaders) {
    this.#standard = which === 'standard' || which === 'both';
    this.#legacy = which === 'legacy' || which === 'both';
  }

  of(tier: Tier, verdict: TierVerdict): string {
    if (!this.#standard && !this.#legacy) return '';
    const texts = this.#textsFor(tier);
    const seconds = Math.ceil(verdict.reset / 1000);
    if (seconds !== this.#seconds) {
      this.#seconds = seconds;
      this.#secondsText = `;t=${seconds}\r\n`;
    }
    let lines = '';
    if (this.#standard) {
      const { burst } = verdict;
      lines =
        burst === undefined
          ? texts.standard + verdict.remaining + this.#secondsText
          : `${texts.standard}${verdict.remaining};t=${seconds}${texts.burst}${burst.remaining};t=${Math.ceil(burst.reset / 1000)}\r\n`;
    }
    if (this.#legacy) lines += `${texts.legacy}${verdict.remaining}\r\nX-RateLimit-Reset: ${seconds}\r\n`;
    return lines;
  }

  /** The same for a request that is refused, and when its client may come back. */
  ofRefusal(tier: Tier, verdict: TierVerdict): string {
    if (verdict.burst !== undefined) return `${this.of(tier, verdict)}Retry-After: ${retryAfterSeconds(verdict)}\r\n`;
    const texts = this.#textsFor(tier);
    const seconds = retryAfterSeconds(verdict);
    if (texts.refusedFor !== seconds || texts.refusedWith !== verdict.remaining) {
      texts.refusedFor = seconds;
      texts.refusedWith = verdict.remaining;
      // In one piece: it is put into thousands of answers.
      texts.refusal = ownText(`${this.of(tier, verdict)}Retry-After: ${seconds}\r\n`);
    }
    return texts.refusal;
  }

  #textsFor(tier: Tier): TierTexts {
    if (this.#lastTier === tier && this.#lastTexts !== null) return this.#lastTexts;
    this.#lastTier = tier;
    this.#lastTexts = this.#texts.get(tier) ?? this.#textsOf(tier);
    return this.#lastTexts;
  }

  #textsOf(tier: Tier): TierTexts {
    const { name, points, duration, burst, burstDuration } = tier;
    const beyond = burst === 0 ? '' : `, "${name}-burst";q=${burst};w=${burstDuration}`;
    const limit = this.#legacy ? `X-RateLimit-Limit: ${points}\r\n` : '';
    const texts = {
      standard: `RateLimit-Policy: "${name}";q=${points};w=${duration}${beyond}\r\n${limit}RateLimit: "${name}";r=`,
      burst: `, "${name}-burst";r=`,
      legacy: `${this.#standard ? '' : limit}X-RateLimit-Remaining: `,
      refusal: '',
      refusedWith: -1,
      refusedFor: -1,
    };
    this.#texts.set(tier, texts);
    return texts;
  }
}

/** Seconds after which a client that was refused may come back. */
function retryAfterSeconds({ reset, burst }: TierVerdict): number {
  const milliseconds = burst === undefined ? reset : Math.min(reset, burst.reset);
  return Math.max(1, Math.ceil(milliseconds / 1000));
}
