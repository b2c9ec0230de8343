// Policy: what of real requests takes a backend out, for how long, and how it comes back.
import * as z from 'zod';
import { duration, wholeNumber, yesOrNo } from '../../config/fields.js';
import { parseStatusRanges, type StatusRange, statusesAllowed } from '../status-ranges.js';
import { jsonField, type PolicyOf } from './field.js';

const second = { from: 0.1, to: 86_400 };

/** Numbers, ranges and lists of both become ranges. */
const statuses = z
  .union([z.number(), z.string(), z.array(z.union([z.number(), z.string()]))], { error: statusesAllowed })
  .transform((written, context): readonly StatusRange[] => {
    const ranges = parseStatusRanges([written].flat().join(','));
    if (ranges !== null) return ranges;
    context.addIssue({ code: 'custom', message: statusesAllowed });
    return z.NEVER;
  });

const breakerAllowed = 'true, false, or an object of open and maxOpen';

/** `true` is a breaker with the defaults. */
const breaker = z.preprocess(
  (written) => (written === true ? {} : written === false ? undefined : written),
  z
    .strictObject(
      {
        open: duration('How long an opened breaker lets nothing through; doubled each time its probe fails.', 10, second),
        maxOpen: duration('Most that doubling comes to.', 300, second),
      },
      { error: breakerAllowed },
    )
    .optional(),
);

const health = z
  .strictObject(
    {
      threshold: wholeNumber('Failures within the window that take a backend out.', 1, { from: 1, to: 1_000 })
        .unwrap()
        .optional(),
      window: duration('How long a failure counts.', 10, second),
      statuses: statuses.optional(),
      ttl: duration('How long a backend stays out.', 30, { from: 1, to: 31_536_000 }).unwrap().optional(),
      maxEjected: wholeNumber('Most of the backends, in percent, that failures may take out at a time.', 50, {
        from: 0,
        to: 100,
      })
        .unwrap()
        .optional(),
      panic: yesOrNo('Whether all are used when all are out; else the answer is 502.', false),
      drain: duration('How long sticky sessions may go on with a backend under maintenance.', 0),
      breaker,
    },
    { error: 'an object of threshold, window, statuses, ttl, maxEjected, panic, drain and breaker' },
  )
  .transform((written) => ({
    ...written,
    /** One failure may be one request's fault; a breaker waits for a few. */
    threshold: written.threshold ?? (written.breaker === undefined ? 1 : 5),
    /** Nobody who asks for no breaker is used to a limit. */
    maxEjected: written.maxEjected ?? (written.breaker === undefined ? 100 : 50),
  }));

export const healthFields = {
  /**
   * `{"threshold": 3, "window": "10s", "statuses": ["500-504"], "ttl": "30s", "maxEjected": 50, "panic": false, "drain": "5m",
   * "breaker": {"open": "10s", "maxOpen": "5m"}}`; every member is optional. Durations in milliseconds once read.
   */
  health: jsonField(health.optional()),
};

/** What a frontend asks of passive health, or undefined: the server's settings, at the first failure, without a limit. */
export type HealthPolicy = NonNullable<PolicyOf<typeof healthFields>['health']>;
/** How long an opened breaker stays open. Milliseconds. */
export type BreakerPolicy = NonNullable<HealthPolicy['breaker']>;
