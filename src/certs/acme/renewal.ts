// When a certificate is replaced: at two thirds of its life, or when its authority says (RFC 9773), and not all at one moment.

/** A span in which the authority wants it to be replaced, in milliseconds since the epoch. */
export interface RenewalWindow {
  readonly start: number;
  readonly end: number;
}

/** What is known of a certificate. Milliseconds since the epoch. */
export interface RenewedCertificate {
  readonly notBefore: number;
  readonly notAfter: number;
  /** SHA-256, hexadecimal with or without colons: draws the moment, the same one on each node. */
  readonly fingerprint: string;
}

/** Share of its life that jitter may move the moment by, to either side. */
const spread = 0.03;

/**
 * The moment of renewal, in milliseconds since the epoch.
 * @param window of the authority; null: it gave none
 */
export function renewalTime({ notBefore, notAfter, fingerprint }: RenewedCertificate, window: RenewalWindow | null): number {
  const drawn = Number.parseInt(fingerprint.replaceAll(':', '').slice(0, 8), 16) / 0x1_0000_0000;
  if (window !== null) return window.start + (window.end - window.start) * drawn;
  const life = notAfter - notBefore;
  return notBefore + life * (2 / 3 + spread * (2 * drawn - 1));
}

/** Reads the advice of an authority; null: it makes no sense (RFC 9773 section 4.2), and two thirds count. */
export function parseRenewalWindow(fields: Readonly<Record<string, unknown>>): RenewalWindow | null {
  const { suggestedWindow } = fields;
  if (typeof suggestedWindow !== 'object' || suggestedWindow === null) return null;
  const written = suggestedWindow as Record<string, unknown>;
  const [start, end] = [Date.parse(String(written.start)), Date.parse(String(written.end))];
  return Number.isFinite(start) && Number.isFinite(end) && end > start ? { start, end } : null;
}

/** How long advice holds where the authority does not say, and the bounds of what it may say: milliseconds. */
const standardAdvice = 6 * 3_600_000;
const shortestAdvice = 60_000;
const longestAdvice = 24 * 3_600_000;

/** @param retryAfter what the authority asked for; 0: nothing */
export function adviceLasts(retryAfter: number): number {
  return retryAfter === 0 ? standardAdvice : Math.min(Math.max(retryAfter, shortestAdvice), longestAdvice);
}

/** The longest wait between two attempts. */
const longestRetry = 86_400_000;

/**
 * Milliseconds until the next attempt after failures in a row: doubled each time, with jitter.
 * @param first the wait after the first failure
 * @param asked what the authority asked for; 0: nothing
 * @param random from 0 to below 1
 */
export function retryDelay(failures: number, first: number, asked: number, random: number): number {
  const step = Math.min(first * 2 ** Math.min(failures - 1, 30), longestRetry);
  return Math.max(step * (0.8 + 0.4 * random), Math.min(asked, longestRetry));
}
