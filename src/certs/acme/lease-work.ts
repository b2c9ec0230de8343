// What exists while a worker has the lease on certificates. What it takes to order is loaded with the first order: most workers never do.
import type { AcmeToolParts, AcmeTools } from './acme-tools.js';

export class LeaseWork {
  readonly #parts: AcmeToolParts;
  readonly #controller = new AbortController();
  #tools: Promise<AcmeTools> | null = null;

  constructor(parts: AcmeToolParts) {
    this.#parts = parts;
  }

  /** Aborted when the lease is gone. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  tools(): Promise<AcmeTools> {
    this.#tools ??= import('./acme-tools.js').then(({ createAcmeTools }) => createAcmeTools(this.#parts, this.signal));
    return this.#tools;
  }

  end(): void {
    this.#controller.abort();
    void this.#tools?.then((tools) => tools.close());
  }
}
