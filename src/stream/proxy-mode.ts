// The mode `proxy`: every client gets a connection to a target of its own.
import type { StreamPlan } from '../model/stream.js';
import { Relay, type RelayOwner } from './relay.js';
import type { StreamMode, StreamModeParts } from './stream.js';
import type { StreamClient } from './stream-client.js';
import { WaitingClients } from './waiting-clients.js';

export function createProxyMode(parts: StreamModeParts): StreamMode {
  return new ProxyMode(parts);
}

class ProxyMode implements StreamMode, RelayOwner {
  readonly parts: StreamModeParts;
  plan: StreamPlan;
  readonly #relays = new Map<StreamClient, Relay>();
  readonly #line: WaitingClients;
  readonly #endListening: () => void;
  #retired = false;

  constructor(parts: StreamModeParts) {
    this.parts = parts;
    this.plan = parts.plan;
    this.#line = new WaitingClients(parts.clock, parts.counters);
    this.#endListening = parts.targets.onFree(() => this.#next());
  }

  accept(client: StreamClient): void {
    const relay = new Relay(client, this, this.parts.targets);
    this.#relays.set(client, relay);
    relay.go();
  }

  update(plan: StreamPlan): void {
    this.plan = plan;
    // There may be more room now, or another target.
    for (let waiting = this.#line.size; waiting > 0; waiting--) this.#next();
  }

  retire(): void {
    this.#retired = true;
    if (this.#relays.size === 0) this.#endListening();
  }

  close(): void {
    for (const client of this.#relays.keys()) client.finish('cut');
  }

  await(relay: Relay): boolean {
    if (this.plan.settings.overflow === 'drop') return false;
    this.#line.join(relay.client, this.plan.settings.waitTimeout);
    return true;
  }

  over({ client }: Relay): void {
    this.#line.leave(client);
    this.#relays.delete(client);
    if (this.#retired) this.retire();
  }

  /** Lets the first who waits try; who finds no room joins the end of the line again. */
  #next(): void {
    const client = this.#line.first();
    if (client === null) return;
    this.#line.leave(client);
    this.#relays.get(client)?.go();
  }
}
