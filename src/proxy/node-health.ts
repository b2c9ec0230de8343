// Wires what a process knows of the health of backends: marks, the circuit breaker's trials, what requests show, and probes.
import type { CoarseClock } from '../base/clock.js';
import type { Config } from '../config/config.js';
import { BackendWatch } from '../health/backend-watch.js';
import { FleetHealth } from '../health/fleet-health.js';
import { Hchecker } from '../health/hchecker.js';
import { createHealthView, type HealthView } from '../health/health-view.js';
import { LocalMarks } from '../health/local-marks.js';
import { createPassiveHealth, type PassiveHealth } from '../health/passive.js';
import { createStartProbe } from '../health/probe.js';
import { Trials } from '../health/trials.js';
import type { EventBus } from '../observe/events.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import type { Store, StoreListener } from '../store/store.js';
import { createRouteEvents } from './route-events.js';

export interface NodeHealthParts {
  readonly config: Pick<Config, 'server'>;
  readonly store: Store;
  readonly clock: CoarseClock;
  readonly metrics: Metrics;
  /** Null: nobody wants to know. */
  readonly events: EventBus | null;
  /** Authorities of backends besides those of the system, in PEM. */
  readonly authorities: readonly string[];
  readonly log: Logger;
}

export interface NodeHealth {
  readonly view: HealthView;
  readonly passive: PassiveHealth;
  readonly trials: Trials;
  /** To be told of changes by the store, in this order, and after everybody else. */
  readonly listeners: readonly StoreListener[];
  readonly lastListeners: readonly StoreListener[];
  start(): void;
  /** Ends what is told to others; `stop` ends the work on the store. */
  close(): void;
  stop(): Promise<void>;
}

export function createNodeHealth({ config, store, clock, metrics, events, authorities, log }: NodeHealthParts): NodeHealth {
  const { server } = config;
  const hchecker = new Hchecker(store, log);
  const marks = new LocalMarks();
  const trials = new Trials({ store, now: Date.now });
  const watch = events === null ? null : new BackendWatch({ store, marks, events });
  const passive = createPassiveHealth({
    store,
    marks,
    trials,
    hchecker,
    rules: server,
    log,
    metrics,
    ...(watch === null ? {} : { marked: (route, backend, what) => watch.marked(route, backend, what) }),
  });
  const fleet = new FleetHealth({ ...server, store, startProbe: createStartProbe({ ca: authorities }), hchecker, log });
  clock.add(fleet);
  return {
    view: createHealthView(marks, trials),
    passive,
    trials,
    listeners: [marks, fleet],
    lastListeners: events === null || watch === null ? [] : [watch, createRouteEvents(events)],
    start() {
      hchecker.start();
      fleet.start();
    },
    close() {
      hchecker.stop();
      watch?.close();
    },
    stop: () => fleet.stop(),
  };
}
