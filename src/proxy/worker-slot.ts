// One place among the workers: keeps a process in it, starts another after a crash, and one before an overweight one leaves.
import type { Backoff } from '../base/backoff.js';
import type { Logger } from '../observe/logger.js';
import type { ForkWorker, WorkerHandle } from './fork-worker.js';
import type { ServedAddress } from './served-proxy.js';
import type { FromWorker, StartOrder, ToWorker } from './worker-messages.js';

/** Who watches over the slot. */
interface SlotOwner {
  /** A worker of this slot serves. */
  serving(addresses: readonly ServedAddress[], handle: WorkerHandle): void;
  /** A worker ended before it served. Answers whether to try again. */
  failed(reason: string): boolean;
  /** The place is empty, unasked. Answers whether another process may be started. */
  lost(): boolean;
  /** A process of this slot is gone, for whatever reason. */
  gone(handle: WorkerHandle): void;
  /** A process says something that is no matter of its slot. */
  heard(handle: WorkerHandle, message: WorkerReport): void;
}

/** What the owner of a slot is told as it comes. */
export type WorkerReport = Exclude<FromWorker, { readonly kind: 'ready' | 'serving' | 'refused' | 'overweight' }>;

/** What a slot works with. */
export interface SlotSettings {
  readonly order: StartOrder;
  readonly fork: ForkWorker;
  readonly backoff: Backoff;
  readonly owner: SlotOwner;
  readonly logger: Logger;
}

/** A worker that served this long, in milliseconds, was healthy: its crash is not counted together with earlier ones. */
const healthyAfter = 60_000;
/** Milliseconds beyond the drain timeout after which a worker that does not leave is killed. */
export const killAfter = 2_000;
/** The longest that a timer can wait. */
export const longestTimer = 2 ** 31 - 1;

interface Occupant {
  readonly handle: WorkerHandle;
  serving: boolean;
  servingSince: number;
  refusal: string;
}

/** Once stopped, a slot starts no more processes. */
export class WorkerSlot {
  readonly #settings: SlotSettings;
  readonly #name: string;
  readonly #processes = new Set<Occupant>();
  #current: Occupant | null = null;
  /** Replacement of the current worker, until it serves. */
  #incoming: Occupant | null = null;
  /** What the old process is told when its replacement serves. */
  #farewell: Extract<ToWorker, { readonly kind: 'yield' | 'retire' }> = { kind: 'retire' };
  /** Told whether a replacement that somebody asked for serves. */
  #replaced: ((done: boolean) => void) | null = null;
  #restart: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(settings: SlotSettings) {
    this.#settings = settings;
    this.#name = `Worker ${settings.order.workerId}`;
  }

  /** No process of this slot is left, retiring ones included. */
  get empty(): boolean {
    return this.#processes.size === 0;
  }

  start(): void {
    this.#restart = null;
    this.#current = this.#fork();
  }

  /** The process that serves in this place, or is about to. */
  get current(): WorkerHandle | null {
    return this.#current?.handle ?? null;
  }

  /** Whether the process in this place serves. */
  get serving(): boolean {
    return this.#current?.serving === true;
  }

  /**
   * Puts a new process in the place of the one that is there, which then finishes within the drain timeout.
   * @returns whether the new one serves; if not, the old one stays
   */
  replace(): Promise<boolean> {
    if (this.#stopped) return Promise.resolve(false);
    // One that is being started anyway is as new as can be.
    if (this.#incoming === null && this.#current?.serving === true) this.#incoming = this.#fork();
    if (this.#incoming === null) return Promise.resolve(true);
    this.#farewell = { kind: 'yield' };
    return new Promise((resolve) => {
      this.#endReplacement(false);
      this.#replaced = resolve;
    });
  }

  /** Sends an order to every process of this slot. */
  send(order: ToWorker): void {
    for (const { handle } of this.#processes) handle.send(order);
  }

  reopenLogs(): void {
    this.send({ kind: 'reopen-logs' });
  }

  /**
   * Every process finishes what it does within the drain timeout; `gone` is told of each.
   * @param order why: `drain`: the node stops; `yield`: others have taken over
   */
  stop(order: Extract<ToWorker, { readonly kind: 'drain' | 'yield' }> = { kind: 'drain' }): void {
    this.#stopped = true;
    this.#endReplacement(false);
    if (this.#restart !== null) {
      clearTimeout(this.#restart);
    }
    this.send(order);
  }

  /** Ends every process at once. */
  kill(): void {
    this.#stopped = true;
    for (const { handle } of this.#processes) {
      handle.kill();
    }
  }

  #fork(): Occupant {
    const occupant: Occupant = {
      handle: this.#settings.fork({
        said: (message) => this.#hear(occupant, message),
        gone: (how) => this.#lose(occupant, how),
      }),
      serving: false,
      servingSince: 0,
      refusal: '',
    };
    this.#processes.add(occupant);
    return occupant;
  }

  #hear(occupant: Occupant, message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        occupant.handle.send(this.#stopped ? { kind: 'drain' } : this.#settings.order);
        return;
      case 'serving':
        occupant.serving = true;
        occupant.servingSince = Date.now();
        if (occupant === this.#incoming) {
          this.#changeOver(occupant);
        } else if (occupant === this.#current) {
          this.#endReplacement(true);
        }
        this.#settings.owner.serving(message.addresses, occupant.handle);
        return;
      case 'refused':
        occupant.refusal = message.message;
        return;
      case 'overweight':
        if (occupant === this.#current && this.#incoming === null && !this.#stopped) {
          this.#settings.logger.warn(
            `${this.#name} (pid ${occupant.handle.pid}) uses ${megabytes(message.rss)} MB, more than server.memoryLimit: starting its replacement`,
          );
          this.#farewell = { kind: 'retire' };
          this.#incoming = this.#fork();
        }
        return;
      case 'status':
      case 'permits':
      case 'connection-permits':
      case 'points':
      case 'counts':
      case 'stats':
      case 'metrics':
        this.#settings.owner.heard(occupant.handle, message);
        return;
    }
  }

  /** The replacement serves: the old worker takes nothing new and leaves when its last transfer is through. */
  #changeOver(incoming: Occupant): void {
    const old = this.#current;
    this.#current = incoming;
    this.#incoming = null;
    if (old !== null) {
      this.#settings.logger.info(
        `${this.#name} is now pid ${incoming.handle.pid}; pid ${old.handle.pid} finishes what it has begun`,
      );
      old.handle.send(this.#farewell);
      if (this.#farewell.kind === 'yield') this.#killWhenOverdue(old);
    }
    this.#endReplacement(true);
  }

  /** A process that hangs does not keep to its drain timeout. */
  #killWhenOverdue({ handle }: Occupant): void {
    const limit = Math.min(this.#settings.order.config.server.drainTimeout + killAfter, longestTimer);
    // To one that has left, it does nothing.
    setTimeout(() => handle.kill(), limit).unref();
  }

  #endReplacement(done: boolean): void {
    this.#replaced?.(done);
    this.#replaced = null;
  }

  #lose(occupant: Occupant, how: string): void {
    const { logger, owner } = this.#settings;
    const { pid } = occupant.handle;
    this.#processes.delete(occupant);
    if (!this.#stopped) {
      if (occupant === this.#incoming) {
        this.#incoming = null;
        logger.warn(`The replacement of ${this.#name} did not come up (${occupant.refusal || how}): the old one stays`);
        this.#endReplacement(false);
      } else if (occupant === this.#current) {
        this.#refill(occupant, how);
      } else {
        logger.info(`${this.#name}: pid ${pid} has finished and left (${how})`);
      }
    }
    occupant.serving = false;
    owner.gone(occupant.handle);
  }

  /** The place is empty: taken by a replacement that is on its way, or by a new process after a delay. */
  #refill(lost: Occupant, how: string): void {
    const { logger, owner, backoff } = this.#settings;
    this.#current = this.#incoming;
    this.#incoming = null;
    if (this.#current !== null) {
      return;
    }
    this.#endReplacement(false);
    if (!lost.serving && !owner.failed(lost.refusal || `worker ended during its start (${how})`)) {
      return;
    }
    if (!owner.lost()) return;
    if (lost.serving && Date.now() - lost.servingSince >= healthyAfter) {
      backoff.reset();
    }
    const delay = backoff.next();
    const what = lost.refusal === '' ? `ended (${how})` : `could not start (${lost.refusal})`;
    logger.error(`${this.#name} (pid ${lost.handle.pid}) ${what}, another one starts in ${delay} ms`);
    this.#restart = setTimeout(() => this.start(), delay);
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
