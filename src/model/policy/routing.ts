// Policy: which paths a frontend with a prefix is meant for.
import * as z from 'zod';
import { type PolicyOf, textField } from './field.js';

export const routingFields = {
  /**
   * `segment`: the prefix `/test` serves `/test` and what is below `/test/`; `string`: also `/testing`, as in dynamic-reverse-proxy.
   * Means nothing for a frontend of a whole host.
   */
  prefixMatch: textField(z.enum(['segment', 'string'], { error: '"segment" or "string"' }).default('segment')),
};

export type RoutingPolicy = PolicyOf<typeof routingFields>;

/**
 * How a prefix is matched, by the `route:` hash of its frontend.
 * @param pairs names and values in turn
 */
export function prefixMatchOf(pairs: readonly string[]): RoutingPolicy['prefixMatch'] {
  let match: RoutingPolicy['prefixMatch'] = 'segment';
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    if (pairs[at] === 'prefixMatch') match = pairs[at + 1] === 'string' ? 'string' : 'segment';
  }
  return match;
}
