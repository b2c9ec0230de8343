// The sections `metrics` and `tracing`: what monitors are told of a node, and how requests are followed from program to program.
import * as z from 'zod';
import { choice, wholeNumber } from './fields.js';

export const metricsSchema = z.strictObject(
  {
    frontends: wholeNumber(
      'Frontends with metrics of their own at `/metrics`; further ones are counted together as `(other)`. See [metrics.md](metrics.md).',
      200,
      { from: 0, to: 10_000 },
    ),
    names: choice(
      "What metrics are called: as in the documentation, by PlanB's names, or each twice.",
      ['standard', 'planb', 'both'],
      'standard',
    ),
  },
  { error: 'an object' },
);

export const tracingSchema = z.strictObject(
  {
    newTraces: choice(
      'What backends get as `traceparent` with a request that belongs to no trace: a new one that is to be recorded, one that is not, or nothing. See [metrics.md](metrics.md).',
      ['sampled', 'unsampled', 'none'],
      'sampled',
    ),
  },
  { error: 'an object' },
);
