// A node of which the permits are tried: the keeper and several workers, joined by channels whose messages arrive when the test says so.
import { Permits } from '../../../src/proxy/permits.js';
import type { Waiter } from '../../../src/queue/admission.js';
import { NodeAdmission } from '../../../src/queue/node-permits.js';
import type { PermitAnswer, PermitRequest } from '../../../src/queue/permit-messages.js';

/** A node with some workers; `messages` counts what went over the channels. */
export class PermitNode<W extends Waiter> {
  readonly permits: Permits;
  readonly workers = new Map<number, NodeAdmission<W>>();
  readonly #toKeeper = new Map<number, PermitRequest[]>();
  readonly #toWorker = new Map<number, PermitAnswer[]>();
  messages = 0;
  #born = 0;

  constructor(workers: number) {
    this.permits = new Permits((worker, answer) => {
      // As over a real channel: plain JSON.
      this.#toWorker.get(worker)?.push(JSON.parse(JSON.stringify(answer)) as PermitAnswer);
      this.messages++;
    });
    for (let count = 0; count < workers; count++) this.fork();
  }

  fork(): number {
    const worker = this.#born++;
    const requests: PermitRequest[] = [];
    this.#toKeeper.set(worker, requests);
    this.#toWorker.set(worker, []);
    this.workers.set(
      worker,
      new NodeAdmission<W>((request) => {
        requests.push(JSON.parse(JSON.stringify(request)) as PermitRequest);
        this.messages++;
      }),
    );
    return worker;
  }

  /** Delivers one message; false: there is none on that channel. */
  deliver(worker: number, upwards: boolean): boolean {
    if (upwards) {
      const request = this.#toKeeper.get(worker)?.shift();
      if (request === undefined) return false;
      this.permits.hear(worker, request);
      return true;
    }
    const answer = this.#toWorker.get(worker)?.shift();
    if (answer === undefined) return false;
    this.workers.get(worker)?.hear(answer);
    return true;
  }

  deliverAll(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const worker of this.#toKeeper.keys()) {
        for (const upwards of [true, false]) while (this.deliver(worker, upwards)) busy = true;
      }
    }
  }

  /** What it had sent before may still arrive; what was sent to it does not. */
  kill(worker: number): void {
    this.workers.delete(worker);
    this.#toWorker.delete(worker);
    while (this.deliver(worker, true));
    this.#toKeeper.delete(worker);
    this.permits.lose(worker);
  }
}
