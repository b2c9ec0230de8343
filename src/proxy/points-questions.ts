// A worker's questions to the supervisor, which keeps the counters of rate limits for the node while Redis is away.
import { performance } from 'node:perf_hooks';
import { type Deadlined, DeadlineList } from '../base/deadline-list.js';
import type { Taking } from '../limits/limiter.js';
import type { PointsQuestion } from '../limits/window-counts.js';

/** Milliseconds in which a supervisor answers that is not hung. */
const patience = 1_000;

interface Open extends Deadlined {
  readonly id: number;
  readonly resolve: (answer: Taking) => void;
  readonly reject: (error: Error) => void;
}

export class PointsQuestions {
  readonly #send: (id: number, question: PointsQuestion) => void;
  readonly #open = new Map<number, Open>();
  readonly #deadlines = new DeadlineList<Open>((open) => this.#giveUp(open));
  #ids = 0;
  #alone = false;

  /** @param send asks; the answer is given to `hear` */
  constructor(send: (id: number, question: PointsQuestion) => void) {
    this.#send = send;
  }

  /** Rejects when no answer comes. */
  readonly ask = (question: PointsQuestion): Promise<Taking> =>
    new Promise((resolve, reject) => {
      const open: Open = { slot: -1, deadline: performance.now() + patience, id: ++this.#ids, resolve, reject };
      if (this.#alone) {
        this.#giveUp(open);
        return;
      }
      this.#open.set(open.id, open);
      this.#deadlines.watch(open);
      this.#send(open.id, question);
    });

  hear(id: number, answer: Taking): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    this.#deadlines.remove(open);
    open.resolve(answer);
  }

  /** Nobody answers any more. */
  becomeAlone(): void {
    this.#alone = true;
    for (const open of this.#open.values()) this.#giveUp(open);
  }

  #giveUp(open: Open): void {
    this.#open.delete(open.id);
    this.#deadlines.remove(open);
    open.reject(new Error('the supervisor of this node does not answer'));
  }
}
