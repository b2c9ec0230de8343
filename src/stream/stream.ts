// The contract of a mode of TCP streams: a listener gives it clients, it decides what their bytes go to.
import type { CoarseClock } from '../base/clock.js';
import type { StreamModeName } from '../config/stream-config.js';
import type { StreamPlan } from '../model/stream.js';
import type { Logger } from '../observe/logger.js';
import type { StreamCounters } from '../observe/stream-counters.js';
import type { Admission, Waiter } from '../queue/admission.js';
import type { BackendTls } from '../upstream/dial.js';
import type { StreamClient } from './stream-client.js';
import type { StreamObserver } from './stream-observer.js';
import type { Targets } from './targets.js';

/** Serves the clients of one listener. */
export interface StreamMode {
  /**
   * Takes over a client that passed block list, limit and PROXY header. It is paused: whoever wants its bytes sets `client.user`
   * and calls `resume`. The mode ends it, by `client.finish(why)` or by ending both of its directions.
   */
  accept(client: StreamClient): void;
  /** Settings or targets changed, the mode's name did not. What runs goes on. */
  update(plan: StreamPlan): void;
  /** Told by the clock, where it has something to look after. */
  probeTargets?(): void;
  /** No client comes any more, because the mode changed. Those that are there are served to their end; then everything is closed. */
  retire(): void;
  /** Everything ends at once. */
  close(): void;
}

/** What a mode works with. */
export interface StreamModeParts {
  readonly plan: StreamPlan;
  /** Chooses among the targets; keeps itself to the plan in force. */
  readonly targets: Targets;
  readonly trust: BackendTls;
  readonly clock: CoarseClock;
  readonly log: Logger;
  readonly counters: StreamCounters;
  /** Where the node counts upstream connections of streams. */
  readonly admission: Admission<Waiter>;
  /** Told of every request and its answer. */
  readonly observer?: StreamObserver;
  /** `inactivityTimeout` is for connections to targets alone: clients of `fifo` and `funnel` may be silent for as long as they like. */
  readonly clientsMayIdle?: boolean;
}

export type CreateStreamMode = (parts: StreamModeParts) => StreamMode;

/** How to make each mode; `l4` is there where hosts have routes. */
export type StreamModeTable = Readonly<Record<Exclude<StreamModeName, 'l4'>, CreateStreamMode>> & {
  readonly l4?: CreateStreamMode;
};
