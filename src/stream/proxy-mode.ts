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
  #admitting = false;
  #retired = false;

  constructor(parts: StreamModeParts) {
    this.parts = parts;
    this.plan = parts.plan;
    this.#line = new WaitingClients(parts.clock, parts.counters);
    this.#endListening = parts.targets.onFree(() => this.#admitWaiting());
  }

  accept(client: StreamClient): void {
    const relay = new Relay(client, this, this.parts.targets);
    this.#relays.set(client, relay);
    // Nobody passes those who wait, but for one who waits for what others do not need.
    if (this.#line.size === 0 || !this.await(relay)) relay.go();
    else this.#admitWaiting();
  }

  update(plan: StreamPlan): void {
    this.plan = plan;
    // There may be more room now, or another target.
    this.#admitWaiting();
  }

  retire(): void {
    this.#retired = true;
    if (this.#relays.size === 0) this.#endListening();
  }

  close(): void {
    for (const client of this.#relays.keys()) client.finish('cut');
  }

  await({ client }: Relay): boolean {
    // It keeps the place that it has.
    if (this.#line.has(client)) return true;
    if (this.plan.settings.overflow === 'drop') return false;
    this.#line.join(client, this.plan.settings.waitTimeout);
    return true;
  }

  /** There may be room for the next one. */
  chosen({ client }: Relay): void {
    if (this.#line.leave(client)) this.#admitWaiting();
  }

  over({ client }: Relay): void {
    this.#line.leave(client);
    this.#relays.delete(client);
    if (this.#retired) this.retire();
  }

  /** Lets those who wait try, in their order, up to the first that finds no room or has to ask for it. */
  #admitWaiting(): void {
    // Who finds room calls this again.
    if (this.#admitting) return;
    this.#admitting = true;
    for (const client of this.#line) {
      const relay = this.#relays.get(client);
      if (relay === undefined || client.endedBy !== null) continue;
      if (!relay.asks) relay.go();
      // One for whom some targets are out of the question may find no room where others would.
      if (relay.asks || (this.#line.has(client) && client.endedBy === null && !relay.hasTried)) break;
    }
    this.#admitting = false;
  }
}
