// What the supervisor and its workers say to each other, over the channel that fork gives them.
import type { Config } from '../config/config.js';
import type { Identity } from './privileges.js';
import type { ServedAddress } from './served-proxy.js';

/** How a worker begins. The configuration travels with it, so that a later edit of the file cannot make workers differ. */
export interface StartOrder {
  readonly kind: 'start';
  readonly workerId: number;
  readonly config: Config;
  /** Whom the worker becomes once it listens; null: it stays who it is. */
  readonly identity: Identity | null;
}

/** `drain`: finish within the drain timeout and exit. `retire`: the same, for as long as it takes. */
export type ToWorker = StartOrder | { readonly kind: 'drain' } | { readonly kind: 'retire' } | { readonly kind: 'reopen-logs' };

/**
 * `ready`: listens to orders now (Node drops what is sent to a cluster worker earlier), asks for the first.
 * `refused`: the start failed in a way that trying again cannot mend.
 * `overweight`: over the memory limit, asks to be replaced.
 */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'serving'; readonly addresses: readonly ServedAddress[] }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'overweight'; readonly rss: number };
