// Asks the supervisor what all workers of the node have counted, on behalf of monitors that have reached one of them.
import type { MetricsSnapshot } from './node-stats.js';

/** Milliseconds in which a supervisor answers that is not hung. */
const patience = 2_000;

interface Asker {
  answer(snapshot: MetricsSnapshot): void;
}

export class MetricsQuestion {
  readonly #send: () => void;
  readonly #askers = new Set<Asker>();

  /** @param send asks; the answer is given to `hear` */
  constructor(send: () => void) {
    this.#send = send;
  }

  /** Rejects when no answer comes. */
  ask(): Promise<MetricsSnapshot> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        this.#askers.delete(asker);
        reject(new Error('the supervisor of this node does not answer'));
      }, patience);
      const asker: Asker = {
        answer(snapshot) {
          clearTimeout(limit);
          resolve(snapshot);
        },
      };
      this.#askers.add(asker);
      this.#send();
    });
  }

  /** One answer is enough for all who have asked. */
  hear(snapshot: MetricsSnapshot): void {
    for (const asker of this.#askers) asker.answer(snapshot);
    this.#askers.clear();
  }
}
