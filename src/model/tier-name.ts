// What tiers are called, and the names that mean something by themselves.

/** What a tier may be called: it goes into keys and headers. */
export const tierName = /^[A-Za-z0-9._-]{1,64}$/;

/** The name that stands for no limit at all. */
export const noTier = 'none';

/** Points a minute of the tiers that need no record, as in cjs-proxy. */
export const standardTiers: ReadonlyMap<string, number> = new Map([
  ['anonymous', 500],
  ['registered', 10_000],
  ['premium', 100_000],
]);

/** The tier of those of whom nothing else is known; others have its numbers as long as they have none of their own. */
export const lowestTier = 'anonymous';
