// What the HTTP/2 engine and its attempts need to know.
import type { Slotted } from '../../base/sweep-list.js';
import type { HeadLimits } from '../../http1/head-lines.js';
import type { PoolClock, PoolSettings } from '../../upstream/pool.js';
import type { OutgoingSettings } from '../outgoing-head.js';

/** What the engine needs to know. Milliseconds; 0 means no limit. */
export interface Http2Settings extends PoolSettings, OutgoingSettings, HeadLimits {
  /** Silence of a backend after which an attempt fails. */
  readonly backendTimeout: number;
}

/** What the engine sees of its attempts. */
export interface WatchedAttempt extends Slotted {
  /** Coarse milliseconds at which the backend has been silent for too long; 0: never. */
  readonly deadline: number;
  expired(): void;
}

/** What all attempts of an engine share. */
export interface Http2Context {
  readonly settings: Http2Settings;
  readonly clock: PoolClock;
  /** An attempt is over: its silence is not watched any more. */
  left(attempt: WatchedAttempt): void;
}
