// Policy: how many requests of a frontend may be in flight, and how many may wait for one of them to end.
import { duration, wholeNumber } from '../../config/fields.js';
import { jsonField } from './field.js';

const bounds = { from: 1, to: 1_000_000 };

export const queueFields = {
  /** Absent: any number, and nobody waits. */
  reqActiveLength: jsonField(wholeNumber('Most requests in flight, tunnels included.', 1, bounds).unwrap().optional()),
  /** Only where `reqActiveLength` says how many are in flight; 0: a request that finds no place is refused. */
  reqQueueLength: jsonField(wholeNumber('Most requests that wait.', 100, { from: 0, to: 100_000 })),
  /** Milliseconds once read; 0: no limit. */
  queueTimeout: jsonField(duration('Longest time that a request waits for its turn; 0: no limit.', 60)),
};
