// What a worker and the keeper of a node's permits say to each other: plain values, in order, each way over a channel of its own.
import type { QueueLimits } from './admission.js';

/** The part of the limits that is the node's. Whole numbers: a channel may not know Infinity. */
export interface PermitLimits {
  readonly active: number;
  readonly waiting: number;
}

/**
 * `ask`: a request wants a place; `id` names it among those of the worker. `withdraw`: it does not any more. `give`: permits back.
 * `recalled`: the answer to a recall, with what was idle. `limits`: the frontend allows something else by now.
 */
export type PermitRequest =
  | { readonly kind: 'ask'; readonly frontend: string; readonly id: number; readonly limits: PermitLimits }
  | { readonly kind: 'withdraw'; readonly frontend: string; readonly id: number }
  | { readonly kind: 'give'; readonly frontend: string; readonly count: number }
  | { readonly kind: 'recalled'; readonly frontend: string; readonly count: number }
  | { readonly kind: 'limits'; readonly frontend: string; readonly limits: PermitLimits };

/**
 * `grant`: permits, the first for the request that asked. `refuse`: as many wait as may; asking again is vain until `room`.
 * `recall`: somebody waits: what is idle is wanted back, and from now on every permit that comes free. `ease`: no longer so.
 */
export type PermitAnswer =
  | {
      readonly kind: 'grant';
      readonly frontend: string;
      readonly id: number;
      readonly count: number;
      /** As after a `recall`. */
      readonly contended: boolean;
    }
  | { readonly kind: 'refuse'; readonly frontend: string; readonly id: number }
  | { readonly kind: 'room'; readonly frontend: string }
  | { readonly kind: 'recall'; readonly frontend: string }
  | { readonly kind: 'ease'; readonly frontend: string };

/** What of the limits of a frontend concerns the node. */
export function permitLimits({ active, waiting }: QueueLimits): PermitLimits {
  return { active: Math.min(active, Number.MAX_SAFE_INTEGER), waiting: Math.min(waiting, Number.MAX_SAFE_INTEGER) };
}
