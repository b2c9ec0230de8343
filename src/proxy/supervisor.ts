// Keeps the workers of a node running, and ends them together.
import { Backoff } from '../base/backoff.js';
import type { Config } from '../config/config.js';
import { StartError } from '../errors/start-error.js';
import type { Logger } from '../observe/logger.js';
import { handOverAccessLog } from './access-log-owner.js';
import type { ForkWorker } from './fork-worker.js';
import { type Identity, resolveIdentity } from './privileges.js';
import type { ServedAddress } from './served-proxy.js';
import { WorkerSlot } from './worker-slot.js';

/** Delays between restarts of a worker that keeps ending, in milliseconds. */
const firstDelay = 100;
const longestDelay = 10_000;
/** Milliseconds beyond the drain timeout after which a worker that does not leave is killed. */
const grace = 2_000;
/** The longest that a timer can wait. */
const longestTimer = 2 ** 31 - 1;

/**
 * The supervisor of a node that was started as root stays root, as the masters of nginx and HAProxy do: it opens privileged
 * ports for workers that replace crashed ones and hands rotated logs over. It reads nothing from the network, never loads
 * the data plane, and its workers can tell it no more than the few messages of worker-messages.ts.
 */
export class Supervisor {
  readonly #config: Config;
  readonly #logger: Logger;
  readonly #identity: Identity | null;
  readonly #slots: WorkerSlot[];
  readonly #serving = new Set<number>();
  /** Set while the first workers start. */
  #starting: { resolve(addresses: readonly ServedAddress[]): void; reject(error: StartError): void } | null = null;
  /** Set once the workers are told to leave; settles when none is left. */
  #left: Promise<void> | null = null;
  #noneLeft: () => void = () => {};

  /** @throws StartError for a user or group that does not exist */
  constructor(config: Config, fork: ForkWorker, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    this.#identity = resolveIdentity(config.user, config.group);
    this.#slots = Array.from({ length: config.server.workers }, (_, index) => {
      const workerId = index + 1;
      return new WorkerSlot({
        order: { kind: 'start', workerId, config, identity: this.#identity },
        fork,
        backoff: new Backoff(firstDelay, longestDelay),
        owner: {
          serving: (addresses) => this.#noteServing(workerId, addresses),
          failed: (reason) => this.#noteFailure(reason),
          gone: () => this.#noteGone(),
        },
        logger,
      });
    });
  }

  /**
   * Starts the workers.
   * @returns the addresses, when every worker serves; no address if it was stopped before
   * @throws StartError with the reason of the first worker that could not start; by then all of them have ended
   */
  start(): Promise<readonly ServedAddress[]> {
    handOverAccessLog(this.#config.server.accessLog, this.#identity, this.#logger);
    return new Promise((resolve, reject) => {
      this.#starting = { resolve, reject };
      for (const slot of this.#slots) {
        slot.start();
      }
    });
  }

  reopenLogs(): void {
    handOverAccessLog(this.#config.server.accessLog, this.#identity, this.#logger);
    for (const slot of this.#slots) {
      slot.reopenLogs();
    }
  }

  /** Lets every worker finish what it does; resolves when none is left. One that overstays the drain timeout is killed. */
  stop(): Promise<void> {
    this.#starting?.resolve([]);
    this.#starting = null;
    return this.#leave(Math.min(this.#config.server.drainTimeout + grace, longestTimer));
  }

  /** Ends every worker at once. */
  kill(): void {
    for (const slot of this.#slots) {
      slot.kill();
    }
  }

  #leave(limit: number): Promise<void> {
    this.#left ??= new Promise((resolve) => {
      const overdue = setTimeout(() => {
        this.#logger.warn('Some workers did not leave in time, killing them');
        this.kill();
      }, limit);
      this.#noneLeft = () => {
        clearTimeout(overdue);
        resolve();
      };
    });
    for (const slot of this.#slots) {
      slot.stop();
    }
    this.#noteGone();
    return this.#left;
  }

  #noteServing(workerId: number, addresses: readonly ServedAddress[]): void {
    this.#serving.add(workerId);
    if (this.#starting !== null && this.#serving.size === this.#slots.length) {
      this.#starting.resolve(addresses);
      this.#starting = null;
    }
  }

  /** During the start what stops one worker stops all, and trying again would only repeat it; later a port may come free again. */
  #noteFailure(reason: string): boolean {
    if (this.#starting !== null) {
      const { reject } = this.#starting;
      this.#starting = null;
      void this.#leave(grace).then(() => reject(new StartError(reason)));
    }
    return this.#left === null;
  }

  #noteGone(): void {
    if (this.#slots.every((slot) => slot.empty)) {
      this.#noneLeft();
    }
  }
}
