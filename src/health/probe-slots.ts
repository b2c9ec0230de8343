// A bound on the probes that run at a time, and the one place that can stop them all.
import type { Backend } from '../model/backend.js';
import type { ProbeRequest, ProbeResult, RunningProbe, StartProbe } from './probe.js';

export class ProbeSlots {
  readonly #startProbe: StartProbe;
  readonly #most: number;
  readonly #running = new Set<RunningProbe>();

  /** @param most probes that run at a time */
  constructor(startProbe: StartProbe, most: number) {
    this.#startProbe = startProbe;
    this.#most = most;
  }

  /** Whether another probe may begin; one that may not is due again at the next look. */
  get free(): boolean {
    return this.#running.size < this.#most;
  }

  /** Begins a probe; `found` is not called for one that was stopped. */
  run(backend: Backend, request: ProbeRequest, found: (result: ProbeResult) => void): void {
    const probe = this.#startProbe(backend, request);
    this.#running.add(probe);
    void probe.result.then((result) => {
      if (this.#running.delete(probe)) found(result);
    });
  }

  stopAll(): void {
    const stopped = [...this.#running];
    this.#running.clear();
    for (const probe of stopped) probe.stop();
  }
}
