// The life of a worker process: opens the proxy it was ordered to, gives up root, follows its supervisor, leaves when it is told.
import cluster from 'node:cluster';
import { StartError } from '../errors/start-error.js';
import { createLogger, type Logger } from '../observe/logger.js';
import type { WaitingExchange } from '../pipeline/stages/queue.js';
import type { Waiter } from '../queue/admission.js';
import { NodeAdmission } from '../queue/node-permits.js';
import { crashOnUncaught } from './crash.js';
import { drainProxy } from './drain.js';
import { watchMemory } from './memory-monitor.js';
import { MetricsQuestion } from './metrics-question.js';
import { leaveSignalsToSupervisor } from './node-signals.js';
import { PointsQuestions } from './points-questions.js';
import { Presence } from './presence.js';
import { dropPrivileges } from './privileges.js';
import type { OpenProxy, ServedProxy } from './served-proxy.js';
import type { FromWorker, StartOrder, ToWorker } from './worker-messages.js';

/** Waits for the order to start and follows the supervisor from then on. To be called once, first thing in the process. */
export function runWorker(open: OpenProxy): void {
  leaveSignalsToSupervisor();
  let worker: Worker | null = null;
  process.on('message', (order: ToWorker) => {
    if (order.kind === 'start') {
      worker = new Worker(open, order);
      void worker.start();
    } else if (worker !== null) {
      worker.follow(order);
    } else if (order.kind === 'drain' || order.kind === 'yield' || order.kind === 'retire') {
      process.exit(0);
    }
  });
  // Whoever sends SIGTERM to one worker gets rid of that process; the supervisor fills its place.
  process.on('SIGTERM', () => leave(worker, { kind: 'yield' }));
  cluster.worker?.on('disconnect', () => {
    // The supervisor has vanished. Node would exit at once here; what runs shall finish first.
    if (cluster.worker !== undefined) {
      cluster.worker.exitedAfterDisconnect = true;
    }
    worker?.loseSupervisor();
    leave(worker, { kind: 'drain' });
  });
  tell({ kind: 'ready' });
}

function leave(worker: Worker | null, order: Exclude<ToWorker, StartOrder>): void {
  if (worker === null) {
    process.exit(0);
  }
  worker.follow(order);
}

class Worker {
  readonly #open: OpenProxy;
  readonly #order: StartOrder;
  readonly #logger: Logger;
  readonly #admission: NodeAdmission<WaitingExchange>;
  readonly #connectionAdmission: NodeAdmission<Waiter>;
  readonly #points = new PointsQuestions((id, question) => tell({ kind: 'points', id, question }));
  readonly #presence: Presence;
  readonly #metrics = new MetricsQuestion(() => tell({ kind: 'metrics' }));
  #proxy: ServedProxy | null = null;
  #leaving = false;

  constructor(open: OpenProxy, order: StartOrder) {
    this.#open = open;
    this.#order = order;
    this.#logger = createLogger(order.config.logLevel, { worker: order.workerId });
    crashOnUncaught(this.#logger);
    this.#admission = new NodeAdmission((request) => tell({ kind: 'permits', request }));
    this.#connectionAdmission = new NodeAdmission((request) => tell({ kind: 'connection-permits', request }));
    this.#presence = new Presence({
      config: order.config,
      node: order.node,
      logger: this.#logger,
      tell: (status) => tell({ kind: 'status', status }),
      tellCounts: (counts) => tell({ kind: 'counts', worker: order.workerId, counts }),
      metrics: () => this.#metrics.ask(),
    });
  }

  async start(): Promise<void> {
    const { config, workerId, identity } = this.#order;
    try {
      await this.#presence.open();
      this.#proxy = await this.#open(config, {
        workerId,
        logger: this.#logger,
        admission: this.#admission,
        connectionAdmission: this.#connectionAdmission,
        askPoints: this.#points.ask,
        revisionChanged: () => this.#presence.revisionChanged(),
        closing: () => this.#presence.end(),
      });
      if (identity !== null) {
        dropPrivileges(identity, this.#logger);
      }
    } catch (error) {
      if (!(error instanceof StartError)) {
        throw error;
      }
      // The supervisor decides what to say and whether to try again; exit when it has heard.
      tell({ kind: 'refused', message: error.message }, () => process.exit(1));
      return;
    }
    if (config.server.memoryLimit > 0) {
      watchMemory(config.server.memoryLimit, (rss) => tell({ kind: 'overweight', rss }));
    }
    tell({ kind: 'serving', addresses: this.#proxy.addresses });
    this.#presence.watch(this.#proxy);
  }

  /** Nobody hands out permits any more, and nobody else answers for the node. */
  loseSupervisor(): void {
    this.#admission.becomeAlone();
    this.#connectionAdmission.becomeAlone();
    this.#points.becomeAlone();
    this.#presence.loseSupervisor();
  }

  follow(order: Exclude<ToWorker, StartOrder>): void {
    switch (order.kind) {
      case 'reopen-logs':
        this.#proxy?.reopenLogs();
        return;
      case 'node':
        this.#presence.follow(order.state);
        return;
      case 'permits':
        this.#admission.hear(order.answer);
        return;
      case 'connection-permits':
        this.#connectionAdmission.hear(order.answer);
        return;
      case 'points':
        this.#points.hear(order.id, order.answer);
        return;
      case 'stats':
        void this.#presence.followStats(order.order).then((answer) => tell({ kind: 'stats', answer }));
        return;
      case 'metrics':
        this.#metrics.hear(order.snapshot);
        return;
      case 'retire':
        this.#presence.yield();
        this.#leave(Infinity);
        return;
      case 'yield':
        this.#presence.yield();
        this.#leave(this.#order.config.server.drainTimeout);
        return;
      case 'drain':
        this.#presence.stopping();
        this.#leave(this.#order.config.server.drainTimeout);
        return;
    }
  }

  /** Exits when the proxy has finished. A second order can only shorten what the first one allowed. */
  #leave(limit: number): void {
    const proxy = this.#proxy;
    if (proxy === null) {
      process.exit(0);
    }
    if (!this.#leaving) {
      this.#leaving = true;
      void drainProxy(proxy, limit, this.#logger).then(() => process.exit(0));
    } else if (limit !== Infinity) {
      setTimeout(() => void proxy.close().then(() => process.exit(0)), limit);
    }
  }
}

function tell(message: FromWorker, heard: () => void = () => {}): void {
  // Without a supervisor nobody listens, and 'disconnect' has been handled.
  process.send?.(message, undefined, {}, heard);
}
