// The mode `l4`: the host that a client asks for, by its first Host line or its greeting in TLS, decides where its bytes go.
import type { HealthView } from '../health/health-view.js';
import type { StartProbe } from '../health/probe.js';
import type { StreamPlan } from '../model/stream.js';
import { Destinations } from './l4/destinations.js';
import { L4Client, type L4Parts } from './l4/l4-client.js';
import type { FindL4Route } from './l4/l4-routes.js';
import { Notes } from './l4/notes.js';
import { Opening } from './l4/opening.js';
import type { CreateStreamMode, StreamMode, StreamModeParts } from './stream.js';
import type { StreamClient } from './stream-client.js';

/** What the mode needs besides what every mode works with. */
export interface L4ModeParts {
  /** @param stream name of the stream, whose own routes count too */
  readonly find: (stream: string) => FindL4Route;
  readonly view: HealthView;
  readonly startProbe: StartProbe;
  readonly deadTime: number;
  readonly recoveryInterval: number;
  readonly headTimeout: number;
  /** Workers of the node. */
  readonly workers: number;
}

export function createL4Mode(l4: L4ModeParts): CreateStreamMode {
  return (parts) => new L4Mode(parts, l4);
}

class L4Mode implements StreamMode {
  #plan: StreamPlan;
  readonly #l4: L4ModeParts;
  readonly #parts: L4Parts;

  constructor({ plan, log, counters, clock, trust, admission }: StreamModeParts, l4: L4ModeParts) {
    const notes = new Notes(log);
    const node = { admission, stream: plan.name, workers: l4.workers };
    this.#plan = plan;
    this.#l4 = l4;
    this.#parts = {
      trust,
      clock,
      counters,
      destinations: new Destinations({ ...l4, log, counters, node }, plan.settings),
      find: l4.find(plan.name),
      note: (text) => notes.note(text),
    };
  }

  accept(client: StreamClient): void {
    const { settings } = this.#plan;
    const limits = { secure: settings.secure, specTimeout: settings.specTimeout, headTimeout: this.#l4.headTimeout };
    new Opening(client, this.#parts.clock, limits, (opened) =>
      new L4Client(client, opened, settings, this.#parts).start(),
    ).start();
  }

  update(plan: StreamPlan): void {
    this.#plan = plan;
    this.#parts.destinations.update(plan.settings);
  }

  probeTargets(): void {
    this.#parts.destinations.sweep();
  }

  retire(): void {
    // What runs needs nothing of it.
    this.#parts.destinations.close();
  }

  close(): void {
    this.#parts.destinations.close();
  }
}
