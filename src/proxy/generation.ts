// The workers that run with one configuration: started together, kept running, told to leave together.
import { Backoff } from '../base/backoff.js';
import type { Config } from '../config/config.js';
import { StartError } from '../errors/start-error.js';
import type { Logger } from '../observe/logger.js';
import type { ForkWorker, WorkerHandle } from './fork-worker.js';
import type { Identity } from './privileges.js';
import type { ServedAddress } from './served-proxy.js';
import type { NodeIdentity, ToWorker } from './worker-messages.js';
import { killAfter, longestTimer, type WorkerReport, WorkerSlot } from './worker-slot.js';

/** Delays between restarts of a worker that keeps ending, in milliseconds. */
const firstDelay = 100;
const longestDelay = 10_000;

/** What a generation works with. */
export interface GenerationParts {
  readonly config: Config;
  /** Whom the workers become. */
  readonly identity: Identity | null;
  readonly node: NodeIdentity;
  readonly fork: ForkWorker;
  readonly logger: Logger;
  /** A worker has begun to serve. */
  serving(handle: WorkerHandle): void;
  heard(handle: WorkerHandle, message: WorkerReport): void;
  gone(handle: WorkerHandle): void;
  /** More workers have ended than `server.workerExits` allows: all others are told to leave, and none is started. */
  gaveUp(error: StartError): void;
}

/** The time in which exits are counted, in milliseconds. */
const exitsWithin = 60_000;

export class Generation {
  readonly config: Config;
  readonly #parts: GenerationParts;
  readonly #slots: readonly WorkerSlot[];
  readonly #up = new Set<number>();
  /** `Date.now()` of each of the last exits that nobody asked for. */
  #exits: number[] = [];
  /** Set while the first workers start. */
  #starting: { resolve(addresses: readonly ServedAddress[]): void; reject(error: StartError): void } | null = null;
  /** Set once the workers are told to leave; settles when none is left. */
  #left: Promise<void> | null = null;
  #noneLeft: () => void = () => {};

  constructor(parts: GenerationParts) {
    this.config = parts.config;
    this.#parts = parts;
    this.#slots = Array.from({ length: parts.config.server.workers }, (_, index) => this.#slot(index + 1));
  }

  /** Workers that serve. */
  get serving(): number {
    return this.#slots.filter(({ serving }) => serving).length;
  }

  /** One of the processes that serve; null: none does. */
  get anyone(): WorkerHandle | null {
    return this.#slots.find(({ serving }) => serving)?.current ?? null;
  }

  /** The one after another one, in turn, of those that serve; null: none does. */
  after(pid: number): WorkerHandle | null {
    const serving = this.#slots.flatMap((slot) => (slot.serving && slot.current !== null ? [slot.current] : []));
    return serving[(serving.findIndex((handle) => handle.pid === pid) + 1) % serving.length] ?? null;
  }

  /**
   * Starts the workers.
   * @returns the addresses, when every worker serves; no address if it was stopped before
   * @throws StartError with the reason of the first worker that could not start; by then all of them have ended
   */
  start(): Promise<readonly ServedAddress[]> {
    return new Promise((resolve, reject) => {
      this.#starting = { resolve, reject };
      for (const slot of this.#slots) slot.start();
    });
  }

  /**
   * Replaces the workers one after the other, each when the one before serves.
   * @returns whether all of them were replaced
   */
  async roll(): Promise<boolean> {
    for (const slot of this.#slots) {
      if (this.#left !== null || !(await slot.replace())) return false;
    }
    return true;
  }

  send(order: ToWorker): void {
    for (const slot of this.#slots) slot.send(order);
  }

  /**
   * Lets every worker finish what it does; resolves when none is left. One that overstays the drain timeout is killed.
   * @param order `drain`: the node stops; `yield`: another generation has taken over
   */
  stop(order: 'drain' | 'yield'): Promise<void> {
    this.#starting?.resolve([]);
    this.#starting = null;
    return this.#leave(Math.min(this.config.server.drainTimeout + killAfter, longestTimer), order);
  }

  /** Ends every worker at once. */
  kill(): void {
    for (const slot of this.#slots) slot.kill();
  }

  #slot(workerId: number): WorkerSlot {
    const { config, identity, node, fork, logger, serving, heard, gone } = this.#parts;
    return new WorkerSlot({
      order: { kind: 'start', workerId, config, identity, node },
      fork,
      backoff: new Backoff(firstDelay, longestDelay),
      owner: {
        serving: (addresses, handle) => {
          this.#noteServing(workerId, addresses);
          serving(handle);
        },
        failed: (reason) => this.#noteFailure(reason),
        lost: () => this.#noteExit(),
        heard,
        gone: (handle) => {
          gone(handle);
          this.#noteGone();
        },
      },
      logger,
    });
  }

  #leave(limit: number, order: 'drain' | 'yield'): Promise<void> {
    this.#left ??= new Promise((resolve) => {
      const overdue = setTimeout(() => {
        this.#parts.logger.warn('Some workers did not leave in time, killing them');
        this.kill();
      }, limit);
      this.#noneLeft = () => {
        clearTimeout(overdue);
        resolve();
      };
    });
    for (const slot of this.#slots) slot.stop({ kind: order });
    this.#noteGone();
    return this.#left;
  }

  #noteServing(workerId: number, addresses: readonly ServedAddress[]): void {
    this.#up.add(workerId);
    if (this.#starting !== null && this.#up.size === this.#slots.length) {
      this.#starting.resolve(addresses);
      this.#starting = null;
    }
  }

  /** During the start what stops one worker stops all, and trying again would only repeat it; later a port may come free again. */
  #noteFailure(reason: string): boolean {
    if (this.#starting !== null) {
      const { reject } = this.#starting;
      this.#starting = null;
      void this.#leave(killAfter, 'yield').then(() => reject(new StartError(reason)));
    }
    return this.#left === null;
  }

  /** Who ends again and again may never come right by itself. @returns whether to go on trying */
  #noteExit(): boolean {
    const { workerExits, workers } = this.config.server;
    if (workerExits === 0) return true;
    const now = Date.now();
    this.#exits = [...this.#exits.filter((at) => now - at < exitsWithin), now];
    const most = workerExits * workers;
    if (this.#exits.length < most) return true;
    const error = new StartError(`${most} workers have exited within one minute`);
    void this.stop('drain').then(() => this.#parts.gaveUp(error));
    return false;
  }

  #noteGone(): void {
    if (this.#slots.every((slot) => slot.empty)) this.#noneLeft();
  }
}
