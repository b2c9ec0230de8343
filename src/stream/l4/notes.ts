// Tells each thing once: what every connection would say anew is one line in the log.
import type { Logger } from '../../observe/logger.js';

const most = 1_000;

export class Notes {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #told = new Set<string>();

  constructor(log: Pick<Logger, 'warn'>) {
    this.#log = log;
  }

  note(text: string): void {
    if (this.#told.has(text)) return;
    // Forgotten all at once, which may tell a thing again, and never fills the memory.
    if (this.#told.size >= most) this.#told.clear();
    this.#told.add(text);
    this.#log.warn(text);
  }
}
