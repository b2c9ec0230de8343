// What the wire engine and its attempts need to know.
import type { HeadLimits } from '../../http1/head-lines.js';
import type { PoolClock, PoolSettings } from '../../upstream/pool.js';
import type { OutgoingSettings } from '../outgoing-head.js';

/** What the engine needs to know. Milliseconds; 0 means no limit. */
export interface WireSettings extends PoolSettings, OutgoingSettings, HeadLimits {
  /** Silence of a backend after which an attempt fails. */
  readonly backendTimeout: number;
}

/** What all attempts of an engine share. */
export interface WireContext {
  readonly settings: WireSettings;
  /** The same, for requests that their connection ends with. */
  readonly closing: WireSettings;
  readonly clock: PoolClock;
}
