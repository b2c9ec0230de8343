// All TCP streams of a worker: opens their listeners, follows the store, stops them.
import type { CoarseClock } from '../base/clock.js';
import type { AddressSet } from '../base/ip.js';
import type { ServerConfig } from '../config/config.js';
import type { StreamConfig } from '../config/stream-config.js';
import { StartError } from '../errors/start-error.js';
import type { HealthView } from '../health/health-view.js';
import { createStartProbe } from '../health/probe.js';
import type { BlockLists } from '../limits/block-lists.js';
import type { Connections } from '../listener/connections.js';
import type { RecordKind } from '../model/record-kind.js';
import { parseTargets } from '../model/stream-target.js';
import type { AccessLog } from '../observe/access-log.js';
import type { Logger } from '../observe/logger.js';
import { createStreamCounters, type StreamCounters } from '../observe/stream-counters.js';
import { jsonStreamLine, textStreamLine } from '../observe/stream-line.js';
import type { Admission, Waiter } from '../queue/admission.js';
import type { NodeCap } from '../queue/node-cap.js';
import { ownRoutesOf } from '../routing/own-routes.js';
import type { PatternList } from '../routing/pattern-list.js';
import type { RouteCache } from '../routing/route-cache.js';
import type { Store, StoreListener } from '../store/store.js';
import { createFindL4Route } from './l4/l4-routes.js';
import { createStreamModes } from './modes.js';
import { StreamPlans } from './stream-plans.js';
import { Targets } from './targets.js';
import { TcpListener } from './tcp-listener.js';

export interface StreamsParts {
  readonly configs: readonly StreamConfig[];
  readonly server: Pick<ServerConfig, 'workers' | 'headTimeout' | 'deadBackendTTL' | 'recoveryInterval' | 'accessLogFormat'>;
  readonly store: Pick<Store, 'readRecord'>;
  /** Has the lists of all streams. */
  readonly blocked: Pick<BlockLists, 'refuses' | 'onChange'>;
  readonly trusted: AddressSet;
  /** PEM certificates that targets may be signed by, besides the system's. */
  readonly ca: readonly string[];
  /** Where the node counts what streams may have. */
  readonly admission: Admission<Waiter>;
  /** The cap on all connections of clients to the node; null: there is none. */
  readonly all: NodeCap | null;
  /** Where connections of the mode `l4` go. */
  readonly routes: Pick<RouteCache, 'find' | 'patternFor'>;
  readonly view: HealthView;
  readonly connections: Connections;
  readonly clock: CoarseClock;
  readonly log: Logger;
  readonly accessLog: Pick<AccessLog, 'enabled' | 'line'>;
  /** Gets the counters of each stream under its name. */
  readonly counters: Map<string, StreamCounters>;
}

export class Streams implements StoreListener {
  readonly listeners: readonly TcpListener[];
  readonly #plans: StreamPlans;

  /** @throws StartError for a target of the configuration that is none, or a certificate that cannot be used */
  constructor(parts: StreamsParts) {
    const { configs, server, store, blocked, trusted, ca, admission, all, connections, clock, log, accessLog } = parts;
    const ownRoutes = new Map<string, PatternList>();
    for (const { name, targets, routes } of configs) {
      const own = ownRoutesOf(routes);
      const fault = parseTargets(targets).faults[0] ?? own.faults[0];
      if (fault !== undefined) throw new StartError(`stream ${name}: ${fault}`);
      ownRoutes.set(name, own.list);
    }
    this.#plans = new StreamPlans(store, configs, log, (plan) => this.#of(plan.name)?.update(plan));
    // What a target speaks is not ours to know: no protocol is offered in the handshake.
    const trust = { ca, alpn: [] };
    const startProbe = createStartProbe(trust);
    const deadTime = server.deadBackendTTL * 1000;
    const workers = Math.max(1, server.workers);
    const modes = createStreamModes({
      find: (stream) => createFindL4Route(parts.routes, ownRoutes.get(stream) ?? null),
      view: parts.view,
      startProbe,
      deadTime,
      recoveryInterval: server.recoveryInterval,
      headTimeout: server.headTimeout,
      workers,
    });
    const made = configs.map((config) => {
      const counters = createStreamCounters(config.name);
      parts.counters.set(config.name, counters);
      const targets = new Targets({
        plan: this.#plans.of(config.name),
        log,
        counters,
        startProbe,
        deadTime,
        recoveryInterval: server.recoveryInterval,
        node: { admission, stream: config.name, workers },
      });
      const listener = new TcpListener({
        config,
        plan: this.#plans.of(config.name),
        modes,
        targets,
        blocked,
        trusted,
        trust,
        admission,
        all,
        workers,
        connections,
        clock,
        counters,
        log,
        accessLog,
        lineFormat: server.accessLogFormat === 'json' ? jsonStreamLine : textStreamLine,
        headTimeout: server.headTimeout,
      });
      return listener;
    });
    this.listeners = made;
    blocked.onChange(() => {
      for (const listener of this.listeners) listener.blockedChanged();
    });
  }

  /**
   * Reads what the store says and listens.
   * @throws StartError in one line for a place that cannot be had
   */
  async open(): Promise<void> {
    await this.#plans.start();
    for (const listener of this.listeners) await listener.open();
  }

  /** Where they listen. */
  get addresses(): readonly { address: string; port: number; secure: boolean; stream: string }[] {
    return this.listeners.map(({ address, port, secure, name }) => ({ address, port, secure, stream: name }));
  }

  /** Told by the clock. */
  sweep(): void {
    this.#plans.sweep();
    for (const listener of this.listeners) listener.sweep();
  }

  changed(): void {
    // Frontends are not our affair.
  }

  recordChanged(kind: RecordKind, name: string): void {
    this.#plans.recordChanged(kind, name);
  }

  everythingChanged(): void {
    this.#plans.everythingChanged();
  }

  /** Stops accepting; connections go on. */
  stop(): void {
    for (const listener of this.listeners) listener.stop();
  }

  /** Ends everything at once. */
  close(): void {
    for (const listener of this.listeners) listener.close();
  }

  #of(name: string): TcpListener | undefined {
    return this.listeners.find((listener) => listener.name === name);
  }
}
