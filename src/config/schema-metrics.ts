// The section `metrics`: what monitors are told of a node.
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
