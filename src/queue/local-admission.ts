// Admission by one process alone: its own counts, nothing to ask for elsewhere.
import { DeadlineList } from '../base/deadline-list.js';
import type { Admission, Line, QueueLimits, Waiter } from './admission.js';
import { type LineTicket, WaitingLine } from './waiting-line.js';

/**
 * Lines are kept by the name of their frontend, not with its record: one that is written anew in mid-flight goes on counting
 * where it was. A line without anybody in it is dropped, so that nothing is left of frontends that are gone.
 */
export class LocalAdmission<W extends Waiter> implements Admission<W> {
  readonly #lines = new Map<string, WaitingLine<W>>();
  readonly #deadlines = new DeadlineList<LineTicket<W>>((ticket) => ticket.expire());

  line(frontend: string, limits: QueueLimits): Line<W> {
    let line = this.#lines.get(frontend);
    if (line === undefined) {
      line = new WaitingLine<W>(limits, this.#deadlines, () => this.#lines.delete(frontend));
      this.#lines.set(frontend, line);
    }
    return line;
  }

  known(frontend: string): Line<W> | undefined {
    return this.#lines.get(frontend);
  }

  frontends(): string[] {
    return [...this.#lines.keys()];
  }
}
