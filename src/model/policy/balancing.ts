// Policy: how a backend is chosen.
import * as z from 'zod';
import { jsonField, type PolicyOf, textField } from './field.js';

const strategies = ['RANDOM', 'ROUND_ROBIN', 'IP_HASH', 'LEAST_LATENCY', 'LEAST_CONNECTIONS', 'HASH'] as const;

export const balancingFields = {
  /** Absent: `server.strategy`. */
  strategy: textField(z.enum(strategies).optional()),
  /** What `HASH` hashes: `header:NAME`, `cookie:NAME`, `query:NAME` or `path`. */
  hashOn: textField(
    z
      .string()
      .regex(/^(path|(header|cookie|query):[!-~]+)$/)
      .optional(),
  ),
  /** Weight by backend id, in place of the option `weight` of the list entry. */
  weights: jsonField(z.record(z.string(), z.number().min(0).max(1_000_000)).optional()),
};

export type BalancingPolicy = PolicyOf<typeof balancingFields>;
