// Admission by all workers of a node together: each holds permits in blocks, handed out by whoever keeps them for the node.
import { DeadlineList } from '../base/deadline-list.js';
import type { Admission, Line, QueueLimits, Waiter } from './admission.js';
import { NodeLine, type NodeLineParts, type NodeTicket } from './node-line.js';
import type { PermitAnswer, PermitRequest } from './permit-messages.js';

/** How often permits that were not needed are given back, in milliseconds. */
const sweepInterval = 1000;

/** The worker's side. A frontend whose permits suffice costs no message; one that is at its limit costs some for each request. */
export class NodeAdmission<W extends Waiter> implements Admission<W> {
  readonly #lines = new Map<string, NodeLine<W>>();
  readonly #parts: NodeLineParts<W>;
  readonly #send: (request: PermitRequest) => void;
  #alone = false;
  #timer: NodeJS.Timeout | null = null;

  /** @param send to the keeper, in order; its answers are for `hear` */
  constructor(send: (request: PermitRequest) => void) {
    this.#send = send;
    let ids = 0;
    const isAlone = (): boolean => this.#alone;
    this.#parts = {
      deadlines: new DeadlineList<NodeTicket<W>>((ticket) => ticket.expire()),
      send: (request) => {
        if (!this.#alone) send(request);
      },
      nextId: () => ++ids,
      get alone() {
        return isAlone();
      },
    };
  }

  line(frontend: string, limits: QueueLimits): Line<W> {
    let line = this.#lines.get(frontend);
    if (line === undefined) {
      line = new NodeLine<W>(frontend, limits, this.#parts);
      this.#lines.set(frontend, line);
      this.#timer ??= setInterval(() => this.sweep(), sweepInterval).unref();
    } else if (!line.used) {
      this.#renew(line, limits);
    }
    return line;
  }

  known(frontend: string): Line<W> | undefined {
    const line = this.#lines.get(frontend);
    return line?.used === true ? line : undefined;
  }

  frontends(): string[] {
    return [...this.#lines].filter(([, line]) => line.used).map(([frontend]) => frontend);
  }

  /** Takes an answer of the keeper. */
  hear(answer: PermitAnswer): void {
    const line = this.#lines.get(answer.frontend);
    if (line !== undefined) line.hear(answer);
    // What comes for a line that was given up meanwhile goes back.
    else if (answer.kind === 'grant') this.#send({ kind: 'give', frontend: answer.frontend, count: answer.count });
    else if (answer.kind === 'recall') this.#send({ kind: 'recalled', frontend: answer.frontend, count: 0 });
  }

  /** The keeper is gone: from now on what a frontend allows holds for this worker by itself, so that nobody waits for ever. */
  becomeAlone(): void {
    this.#alone = true;
    for (const line of this.#lines.values()) line.becomeAlone();
  }

  /** Gives back what is not needed, and forgets lines that nobody uses. Called once a second. */
  sweep(): void {
    for (const [frontend, line] of this.#lines) {
      line.sweep();
      if (line.idle) this.#lines.delete(frontend);
    }
    if (this.#lines.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** A line that is kept for its permits alone is as good as a new one. */
  #renew(line: NodeLine<W>, limits: QueueLimits): void {
    const { active, waiting, timeout } = line.limits;
    if (active !== limits.active || waiting !== limits.waiting || timeout !== limits.timeout) line.change(limits);
  }
}
