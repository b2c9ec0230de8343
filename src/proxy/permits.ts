// The keeper of a node's permits: the supervisor's side of limits that hold for the node and not for each worker.
import type { PermitAnswer, PermitLimits, PermitRequest } from '../queue/permit-messages.js';
import { PermitPool } from './permit-pool.js';

/** Frontends come and go with the requests for them; a pool without a permit outside is dropped. */
export class Permits {
  readonly #send: (worker: number, answer: PermitAnswer) => void;
  readonly #pools = new Map<string, PermitPool>();

  /** @param send to a worker, in order; one that is gone hears nothing */
  constructor(send: (worker: number, answer: PermitAnswer) => void) {
    this.#send = send;
  }

  /** Frontends of which some worker holds or wants permits. */
  get size(): number {
    return this.#pools.size;
  }

  /** @param worker a number that no other process of this node has had */
  hear(worker: number, request: PermitRequest): void {
    switch (request.kind) {
      case 'ask':
        this.#pool(request.frontend, request.limits).ask(worker, request.id, request.limits);
        break;
      case 'withdraw':
        this.#pools.get(request.frontend)?.withdraw(worker, request.id);
        break;
      case 'give':
        this.#pools.get(request.frontend)?.give(worker, request.count, false);
        break;
      case 'recalled':
        this.#pools.get(request.frontend)?.give(worker, request.count, true);
        break;
      case 'limits':
        this.#pools.get(request.frontend)?.change(worker, request.limits);
        break;
    }
    this.#dropIfEmpty(request.frontend);
  }

  /** A worker has gone: what it held is free. */
  lose(worker: number): void {
    for (const [frontend, pool] of this.#pools) {
      pool.lose(worker);
      this.#dropIfEmpty(frontend);
    }
  }

  #pool(frontend: string, limits: PermitLimits): PermitPool {
    let pool = this.#pools.get(frontend);
    if (pool === undefined) {
      pool = new PermitPool(frontend, limits, this.#send);
      this.#pools.set(frontend, pool);
    }
    return pool;
  }

  #dropIfEmpty(frontend: string): void {
    if (this.#pools.get(frontend)?.empty === true) this.#pools.delete(frontend);
  }
}
