// Keeps the workers of a node running, replaces them by others without a pause, and ends them together.
import type { Config } from '../config/config.js';
import type { StartError } from '../errors/start-error.js';
import { WindowCounts } from '../limits/window-counts.js';
import type { NodePhase } from '../model/node.js';
import type { Logger } from '../observe/logger.js';
import { handOverAccessLog } from './access-log-owner.js';
import type { ForkWorker, WorkerHandle } from './fork-worker.js';
import { Generation } from './generation.js';
import { NodeStats } from './node-stats.js';
import { Permits } from './permits.js';
import { type Identity, resolveIdentity } from './privileges.js';
import { Publication } from './publication.js';
import type { ServedAddress } from './served-proxy.js';
import type { NodeIdentity } from './worker-messages.js';
import type { WorkerReport } from './worker-slot.js';
import { sumUp, type WorkerStatus } from './worker-status.js';

/** How often the workers are told how the node is, in milliseconds. */
const announceInterval = 1_000;

/**
 * The supervisor of a node that was started as root stays root, as the masters of nginx and HAProxy do: it opens privileged
 * ports for workers that replace crashed ones and hands rotated logs over. It reads nothing from the network, never loads
 * the data plane, and its workers can tell it no more than the few messages of worker-messages.ts.
 *
 * Listening sockets belong to it, and its workers accept on them: as long as one worker of any generation uses a socket it
 * stays open, so that a connection that comes during a change of generations waits in the kernel for the next one.
 */
export class Supervisor {
  readonly #fork: ForkWorker;
  readonly #logger: Logger;
  readonly #node: NodeIdentity;
  readonly #permits: Permits;
  /** Those for connections, which have names of their own. */
  readonly #connectionPermits: Permits;
  /** Counters of rate limits, which are asked for while Redis is away. */
  readonly #points: WindowCounts;
  readonly #handles = new Map<number, WorkerHandle>();
  readonly #statuses = new Map<number, WorkerStatus>();
  readonly #stats: NodeStats;
  readonly #publication: Publication;
  /** Process id of the worker that wrote the counts last. */
  #writer = 0;
  #identity: Identity | null;
  #current: Generation;
  #incoming: Generation | null = null;
  /** Generations that finish what they have. */
  readonly #leaving = new Set<Generation>();
  #phase: NodePhase = 'starting';
  /** Changes of the workers follow one another. */
  #changes: Promise<unknown> = Promise.resolve();
  #revision = 0;
  #giveUp: (error: StartError) => void = () => {};
  /** Rejects when the workers of the current configuration end again and again, and none is left. */
  readonly gaveUp: Promise<never>;
  #timer: NodeJS.Timeout | null = null;

  /** @throws StartError for a user or group that does not exist */
  constructor(config: Config, fork: ForkWorker, logger: Logger, node: NodeIdentity) {
    this.#fork = fork;
    this.#logger = logger;
    this.#node = node;
    this.#permits = new Permits((worker, answer) => this.#handles.get(worker)?.send({ kind: 'permits', answer }));
    this.#connectionPermits = new Permits((worker, answer) =>
      this.#handles.get(worker)?.send({ kind: 'connection-permits', answer }),
    );
    this.#points = new WindowCounts(config.limits.clients);
    this.#stats = new NodeStats(config.metrics.frontends, (text) => logger.warn(text));
    this.#publication = new Publication({
      totals: this.#stats.totals,
      boot: node.boot,
      send: (worker, order) => this.#handles.get(worker)?.send({ kind: 'stats', order }),
      telling: () => this.#current.serving,
      // In turn: of many frontends it is some work.
      writer: () => {
        const next = this.#current.after(this.#writer);
        this.#writer = next?.pid ?? 0;
        return next === null ? null : next.pid;
      },
    });
    this.#identity = resolveIdentity(config.user, config.group);
    this.gaveUp = new Promise((_resolve, reject) => {
      this.#giveUp = reject;
    });
    // Whoever waits for it is told all the same.
    this.gaveUp.catch(() => {});
    this.#current = this.#generation(config, this.#identity);
  }

  /** Some worker serves and tells of itself: the node is not hung. */
  get alive(): boolean {
    return this.#phase === 'starting' || this.#current.serving > 0;
  }

  /**
   * Starts the workers.
   * @returns the addresses, when every worker serves; no address if it was stopped before
   * @throws StartError with the reason of the first worker that could not start; by then all of them have ended
   */
  async start(): Promise<readonly ServedAddress[]> {
    this.#handOverLog(this.#current);
    const addresses = await this.#current.start();
    if (this.#phase === 'starting') this.#enter('serving');
    this.#timer ??= setInterval(() => this.#announce(), announceInterval).unref();
    return addresses;
  }

  /**
   * Starts workers with another configuration. When all of them serve, those that are there finish what they have; until then
   * nothing changes.
   * @returns the addresses; none if the node was stopped meanwhile
   * @throws StartError with the reason why the new ones could not start: nothing has changed then
   */
  reload(config: Config): Promise<readonly ServedAddress[]> {
    return this.#inTurn('reloading', async () => {
      if (this.#phase === 'stopping') return [];
      const identity = resolveIdentity(config.user, config.group);
      const incoming = this.#generation(config, identity);
      this.#incoming = incoming;
      try {
        this.#handOverLog(incoming);
        const addresses = await incoming.start();
        if (addresses.length === 0) return [];
        const old = this.#current;
        this.#current = incoming;
        this.#identity = identity;
        this.#leaving.add(old);
        void old.stop('yield').then(() => this.#leaving.delete(old));
        return addresses;
      } finally {
        this.#incoming = null;
      }
    });
  }

  /**
   * Replaces the workers one after the other.
   * @returns whether all were replaced; if not, the log says which one stayed
   */
  roll(): Promise<boolean> {
    return this.#inTurn('reloading', () => this.#current.roll());
  }

  reopenLogs(): void {
    this.#handOverLog(this.#current);
    for (const generation of this.#all()) generation.send({ kind: 'reopen-logs' });
  }

  /** Lets every worker finish what it does; resolves when none is left. One that overstays the drain timeout is killed. */
  async stop(): Promise<void> {
    this.#enter('stopping');
    await Promise.all(this.#all().map((generation) => generation.stop('drain')));
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#publication.close();
  }

  /** Ends every worker at once. */
  kill(): void {
    for (const generation of this.#all()) generation.kill();
  }

  #all(): Generation[] {
    return [this.#current, ...(this.#incoming === null ? [] : [this.#incoming]), ...this.#leaving];
  }

  #generation(config: Config, identity: Identity | null): Generation {
    return new Generation({
      config,
      identity,
      node: this.#node,
      fork: (events) => {
        const handle = this.#fork(events);
        this.#handles.set(handle.pid, handle);
        return handle;
      },
      logger: this.#logger,
      serving: () => this.#announce(),
      heard: (handle, message) => this.#hear(handle, message),
      gone: (handle) => this.#forget(handle),
      gaveUp: (error) => this.#giveUp(error),
    });
  }

  /** One change after the other; none begins once the node stops. */
  #inTurn<T>(phase: NodePhase, change: () => Promise<T>): Promise<T> {
    const turn = this.#changes.then(async () => {
      if (this.#phase !== 'stopping') this.#enter(phase);
      try {
        return await change();
      } finally {
        if (this.#phase === phase) this.#enter('serving');
      }
    });
    this.#changes = turn.catch(() => {});
    return turn;
  }

  #enter(phase: NodePhase): void {
    this.#phase = phase;
    this.#announce();
  }

  #hear(handle: WorkerHandle, message: WorkerReport): void {
    switch (message.kind) {
      case 'permits':
        this.#permits.hear(handle.pid, message.request);
        return;
      case 'connection-permits':
        this.#connectionPermits.hear(handle.pid, message.request);
        return;
      case 'points':
        handle.send({ kind: 'points', id: message.id, answer: this.#points.answer(message.question) });
        return;
      case 'status':
        this.#statuses.set(handle.pid, message.status);
        // Whoever waits for a revision to be in force everywhere should not wait for the next second.
        if (sumUp([...this.#statuses.values()]).revision !== this.#revision) this.#announce();
        return;
      case 'counts':
        this.#stats.hear(handle.pid, message.worker, message.counts);
        if (message.counts.last) this.#publication.leaves(handle.pid);
        else this.#publication.heard(handle.pid);
        return;
      case 'stats':
        this.#publication.answered(message.answer);
        return;
      case 'metrics':
        handle.send({ kind: 'metrics', snapshot: this.#stats.snapshot() });
        return;
    }
  }

  #forget(handle: WorkerHandle): void {
    this.#handles.delete(handle.pid);
    this.#statuses.delete(handle.pid);
    this.#stats.lose(handle.pid);
    this.#publication.gone(handle.pid);
    this.#permits.lose(handle.pid);
    this.#connectionPermits.lose(handle.pid);
    this.#announce();
  }

  /** Tells every worker how the node is, and one of them to keep its heartbeat. */
  #announce(): void {
    const sum = sumUp([...this.#statuses.values()]);
    this.#revision = sum.revision;
    const leader = this.#current.anyone;
    const state = { phase: this.#phase, serving: this.#current.serving, wanted: this.#current.config.server.workers, ...sum };
    for (const handle of this.#handles.values()) {
      handle.send({ kind: 'node', state: { ...state, leads: handle === leader } });
    }
  }

  #handOverLog({ config }: Generation): void {
    handOverAccessLog(config.server.accessLog, this.#identity, this.#logger);
  }
}
