// Policy: when a request is tried again on another backend, how often, and how many further attempts a frontend may cost.
import * as z from 'zod';
import { noted } from '../../config/fields.js';
import { parseDuration } from '../../config/units.js';
import { parseStatusRanges, type StatusRange } from '../status-ranges.js';
import { jsonField } from './field.js';

const mostRetries = 100;
const longestBackoff = 60_000;

/** How many further attempts a frontend may have, all its requests together. */
export interface RetryBudget {
  /** Share of its requests, in percent. */
  readonly percent: number;
  /** Further attempts a second that are allowed however few requests there are. */
  readonly minPerSecond: number;
  /** Seconds that both are counted over. */
  readonly window: number;
}

/** Milliseconds before the first further attempt, doubled with each up to the most. */
export interface RetryBackoff {
  readonly first: number;
  readonly max: number;
}

const retriesAllowed = `a whole number from 0 to ${mostRetries}`;
const statusesAllowed = 'statuses from 400 to 599 such as 503, "502-504", "5xx", "502,503", or a list of them';
const percentAllowed = 'a number from 0 to 100';
const perSecondAllowed = 'a number from 0 to 100000';
const windowAllowed = 'whole seconds from 1 to 60';
const budgetAllowed = 'false, or an object {"percent": 20, "minPerSecond": 3, "window": 10}';
const delayAllowed = 'a duration up to a minute, such as "50ms"';
const backoffAllowed = `${delayAllowed}, or an object {"first": "50ms", "max": "500ms"}`;

/** `503`, `"503,5xx"` and `[502, "5xx"]`, as one text. */
function written(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  return Array.isArray(value) ? value.join(',') : value;
}

const statuses = z.string({ error: statusesAllowed }).transform((text, context): readonly StatusRange[] => {
  const ranges = parseStatusRanges(text);
  // Anything below is a success or a redirect: there is nothing to try again.
  if (ranges?.every(([first]) => first >= 400) === true) return ranges;
  context.addIssue({ code: 'custom', message: statusesAllowed });
  return z.NEVER;
});

const delay = z.preprocess(
  (value) => (typeof value === 'string' ? (parseDuration(value) ?? value) : typeof value === 'number' ? value * 1_000 : value),
  z.number({ error: delayAllowed }).min(0, delayAllowed).max(longestBackoff, delayAllowed),
);

const budget = z.strictObject(
  {
    percent: z.number({ error: percentAllowed }).min(0, percentAllowed).max(100, percentAllowed).default(20),
    minPerSecond: z.number({ error: perSecondAllowed }).min(0, perSecondAllowed).max(100_000, perSecondAllowed).default(3),
    window: z.int({ error: windowAllowed }).min(1, windowAllowed).max(60, windowAllowed).default(10),
  },
  { error: (issue) => (issue.code === 'unrecognized_keys' ? `only percent, minPerSecond and window` : budgetAllowed) },
);

/** The budget of a frontend that asks for retries and says nothing of a budget. */
export const standardRetryBudget: RetryBudget = Object.freeze(budget.parse({}));

export const retryFields = {
  /** Further attempts after the first, each on a backend not yet tried. Absent: `server.retryOnError`. */
  retries: jsonField(
    noted(z.int({ error: retriesAllowed }).min(0, retriesAllowed).max(mostRetries, retriesAllowed).optional(), {
      kind: 'number',
      explanation: 'Further attempts after the first, each on a backend not yet tried.',
      allowed: retriesAllowed,
      standard: 'server.retryOnError',
    }),
  ),
  /** Statuses of backends that are not passed on while another backend may be tried. */
  retryOn: jsonField(
    noted(z.preprocess(written, statuses).optional(), {
      kind: 'list',
      explanation: 'Answers that are not passed on while another backend may be tried.',
      allowed: statusesAllowed,
      standard: '[]',
    }),
  ),
  /** Absent: the standard one where `retries` or `retryOn` is given, else none. */
  retryBudget: jsonField(
    noted(z.union([z.literal(false), budget], { error: budgetAllowed }).optional(), {
      kind: 'number',
      explanation: 'Further attempts that all requests of the frontend may have together; false: any number.',
      allowed: budgetAllowed,
      standard: '{"percent": 20, "minPerSecond": 3, "window": 10}',
    }),
  ),
  /** Absent: no delay. */
  retryBackoff: jsonField(
    noted(
      z
        .union(
          [
            delay.transform((first): RetryBackoff => ({ first, max: first * 10 })),
            z
              .strictObject({ first: delay, max: delay })
              .refine(({ first, max }) => first <= max, { error: 'first not longer than max' }),
          ],
          { error: backoffAllowed },
        )
        .optional(),
      {
        kind: 'duration',
        explanation: 'Delay before a further attempt, doubled with each.',
        allowed: backoffAllowed,
        standard: '0',
      },
    ),
  ),
};
