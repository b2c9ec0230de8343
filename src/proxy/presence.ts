// How a process that serves is seen: it answers on the admin listener, tells its supervisor how it is, and keeps the heartbeat of
// its node when it is the one to do so.
import { performance } from 'node:perf_hooks';
import { packageVersion } from '../base/package-version.js';
import type { Config } from '../config/config.js';
import type { Logger } from '../observe/logger.js';
import { type AdminListener, type AdminRoutes, jsonAnswer, openAdmin } from './admin.js';
import { Heartbeat } from './heartbeat.js';
import type { MetricsSnapshot } from './node-stats.js';
import { reasonsNotReady } from './readiness.js';
import type { ServedProxy } from './served-proxy.js';
import type { StatsAnswer, StatsOrder } from './stats-order.js';
import { StatsWriter } from './stats-writer.js';
import { CountsTeller, type WorkerCounts } from './worker-counts.js';
import type { NodeIdentity } from './worker-messages.js';
import type { NodeState, WorkerStatus } from './worker-status.js';

/** How often a process tells how it is, in milliseconds. */
const tellInterval = 1_000;

export interface PresenceParts {
  readonly config: Config;
  readonly node: NodeIdentity;
  readonly logger: Logger;
  /** Is told once a second, and when something has changed that others wait for. */
  readonly tell: (status: WorkerStatus) => void;
  /** Is told once a second what has been counted, and once more at the end. */
  readonly tellCounts: (counts: WorkerCounts) => void;
  /** Gives what all processes of the node have counted. */
  readonly metrics: () => Promise<MetricsSnapshot>;
}

/** Milliseconds in which what a process counted last is written before it closes its store, or is not. */
const lastWordLimit = 1_000;

export class Presence {
  readonly #parts: PresenceParts;
  #admin: AdminListener | null = null;
  #proxy: ServedProxy | null = null;
  #heartbeat: Heartbeat | null = null;
  #state: NodeState | null = null;
  #timer: NodeJS.Timeout | null = null;
  #reached = false;
  /** When the store was last there, by `performance.now()`. */
  #heardAt = performance.now();
  #revision = 0;
  #reading = false;
  #changedWhileReading = false;
  #yielded = false;
  /** Nobody keeps the counts any more. */
  #alone = false;
  #teller: CountsTeller | null = null;
  #writer: StatsWriter | null = null;
  #written: () => void = () => {};
  #drained = false;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
  }

  /**
   * Opens the admin listener, if there is to be one: before anything else, so that a node that cannot come up can say why.
   * @throws StartError when its address cannot be had
   */
  async open(): Promise<void> {
    const { admin } = this.#parts.config;
    if (admin.port > 0) this.#admin = await openAdmin(admin, this.#routes);
  }

  /** The proxy serves. */
  watch(proxy: ServedProxy): void {
    this.#proxy = proxy;
    const { node, logger } = this.#parts;
    this.#heartbeat = new Heartbeat({
      node,
      addresses: proxy.addresses,
      store: proxy.store,
      logger,
      drained: () => this.#drained,
    });
    this.#timer = setInterval(() => this.#tell(), tellInterval).unref();
    this.#writer = new StatsWriter(node.id, proxy.store, logger);
    this.#teller = new CountsTeller(proxy, this.#parts.tellCounts);
    this.#teller.start();
    this.revisionChanged();
    this.#tell();
  }

  /** Does what is to be done with the node's record of counts. Never rejects. */
  async followStats(order: StatsOrder): Promise<StatsAnswer> {
    const answer = (await this.#writer?.follow(order)) ?? { kind: 'failed' };
    if (answer.kind !== 'read') this.#written();
    return answer;
  }

  /** The state of the node, as its supervisor knows it. */
  follow(state: NodeState): void {
    const led = this.#state?.leads === true;
    this.#state = state;
    if (this.#yielded || this.#heartbeat === null) return;
    if (state.leads) this.#heartbeat.beat(state);
    else if (led) this.#heartbeat.handOver();
  }

  /** The node ends, as far as this process knows. */
  stopping(): void {
    if (this.#state !== null) this.#state = { ...this.#state, phase: 'stopping' };
  }

  /** The supervisor is gone: this process answers for itself until it ends. */
  loseSupervisor(): void {
    this.#alone = true;
    this.stopping();
  }

  /** Another process has taken over: that one answers from now on. */
  yield(): void {
    this.#yielded = true;
    this.#heartbeat?.handOver();
    this.#admin?.close();
    this.#admin = null;
  }

  /** The store counts another revision: it is told as soon as it is in force here. */
  revisionChanged(): void {
    const proxy = this.#proxy;
    if (this.#reading) this.#changedWhileReading = true;
    if (proxy === null || this.#reading) return;
    this.#reading = true;
    this.#changedWhileReading = false;
    // A store that is away is asked again at the next second.
    const read = Promise.all([this.#readDrained(proxy), proxy.store.readAppliedRevision()]);
    const known = read.catch(() => [this.#drained, this.#revision] as const);
    void known.then(([drained, revision]) => {
      this.#reading = false;
      if (revision !== this.#revision || drained !== this.#drained) {
        this.#drained = drained;
        this.#revision = revision;
        this.#tell();
      }
      if (this.#changedWhileReading) this.revisionChanged();
    });
  }

  /** The store is about to be closed. */
  async end(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#admin?.close();
    await this.#tellLast();
    if (this.#yielded || this.#state?.leads !== true || this.#state.phase !== 'stopping') return;
    await this.#heartbeat?.remove();
  }

  /** Tells what is left, and waits until the node's record has it. */
  async #tellLast(): Promise<void> {
    const teller = this.#teller;
    if (teller === null || this.#alone) return;
    this.#teller = null;
    await new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, lastWordLimit);
      this.#written = () => {
        clearTimeout(limit);
        resolve();
      };
      teller.end();
    });
  }

  async #readDrained({ store }: ServedProxy): Promise<boolean> {
    const { values } = await store.readRecord('drained', '');
    return values.includes(this.#parts.node.id);
  }

  #tell(): void {
    const proxy = this.#proxy;
    if (proxy === null) return;
    const status = this.#status(proxy);
    // A change that was missed while nobody told changes.
    if (status.store !== 'away') this.revisionChanged();
    this.#parts.tell(status);
  }

  #status(proxy: ServedProxy): WorkerStatus {
    const { state } = proxy.store;
    const heard = state !== 'away' && proxy.store.cutOff !== true;
    const now = performance.now();
    // What an earlier process has read is as good as that it was reached: known hosts are served.
    if ((proxy.store.recalled ?? 0) > 0) this.#reached = true;
    if (state !== 'away') this.#reached = true;
    if (heard) this.#heardAt = now;
    return {
      active: proxy.activeExchanges,
      connections: proxy.openConnections,
      store: state,
      reached: this.#reached,
      staleness: heard ? 0 : Math.round(now - this.#heardAt),
      revision: this.#revision,
    };
  }

  readonly #routes: AdminRoutes = {
    '/metrics': async () => {
      const { config, node, metrics } = this.#parts;
      const { renderMetrics } = await import('./metrics-page.js');
      return renderMetrics({ snapshot: await metrics(), node, state: this.#state, names: config.metrics.names });
    },
    '/live': () => {
      const { node } = this.#parts;
      return jsonAnswer(200, {
        live: true,
        node: node.id,
        version: packageVersion,
        startedAt: new Date(node.startedAt).toISOString(),
      });
    },
    '/ready': () => {
      const { node } = this.#parts;
      const status = this.#proxy === null ? null : this.#status(this.#proxy);
      const store = status === null ? null : { state: status.store, reached: status.reached, staleness: status.staleness };
      const state = this.#state;
      const reasons = reasonsNotReady({
        node: status === null ? null : state,
        store,
        overloaded: this.#proxy?.overloaded ?? false,
        drained: this.#drained,
      });
      return jsonAnswer(reasons.length === 0 ? 200 : 503, {
        ready: reasons.length === 0,
        reasons,
        node: node.id,
        phase: state?.phase ?? 'starting',
        workers: { serving: state?.serving ?? 0, wanted: state?.wanted ?? 0 },
        store,
        revision: state?.revision ?? 0,
      });
    },
  };
}
