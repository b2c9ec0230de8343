// One client of the proxy mode with its connection to a target: connects, tries others, passes bytes both ways, ends both.
import { performance } from 'node:perf_hooks';
import type { ProxyError } from '../errors/proxy-error.js';
import { formatProxyHeader } from '../listener/proxy-protocol.js';
import type { StreamPlan } from '../model/stream.js';
import type { StreamTarget } from '../model/stream-target.js';
import { type DialUser, dialTarget } from './dial-target.js';
import type { StreamModeParts } from './stream.js';
import type { StreamClient } from './stream-client.js';
import type { StreamSocket, StreamUser } from './stream-socket.js';

/** The mode that a relay belongs to. */
export interface RelayOwner {
  readonly parts: StreamModeParts;
  readonly plan: StreamPlan;
  /** All targets that may be tried are full: `go` is to be called again when one is free. @returns false: the client cannot wait */
  await(relay: Relay): boolean;
  /** Its client has gone. */
  over(relay: Relay): void;
}

/** Milliseconds that bytes on their way to one side may take once the other has gone. */
const linger = 30_000;

export class Relay implements StreamUser, DialUser {
  readonly client: StreamClient;

  readonly #owner: RelayOwner;
  readonly #tried: string[] = [];
  #upstream: StreamSocket | null = null;
  /** The target whose place it holds; null: none. */
  #target: StreamTarget | null = null;
  #cancel: (() => void) | null = null;
  #dialledAt = 0;
  /** Milliseconds of silence after which the connection is closed; 0: never. */
  #patience = 0;

  constructor(client: StreamClient, owner: RelayOwner) {
    this.client = client;
    this.#owner = owner;
    client.user = this;
  }

  /** Connects to a target: at once, since in many protocols the server speaks first. */
  go(): void {
    const { parts, plan } = this.#owner;
    const { targets, trust } = parts;
    const picked = targets.pick(this.client.source.address, this.#tried);
    if (picked === 'full' && this.#owner.await(this)) return;
    if (picked === 'full' || picked === 'none') {
      this.client.abort(picked === 'full' ? 'too-many' : 'no-target');
      return;
    }
    this.#target = picked;
    this.client.target = picked.origin;
    this.#tried.push(picked.id);
    targets.opened(picked);
    this.#dialledAt = performance.now();
    this.#cancel = dialTarget(picked, plan.settings, trust, this);
  }

  connected(side: StreamSocket): void {
    const { parts, plan } = this.#owner;
    const { settings } = plan;
    const { client } = this;
    this.#cancel = null;
    this.#upstream = side;
    side.user = this;
    parts.targets.connected(this.#target as StreamTarget, performance.now() - this.#dialledAt);
    this.#patience = settings.inactivityTimeout;
    this.#touch();
    if (settings.sendProxyProtocol !== 'none') {
      side.write(formatProxyHeader(settings.sendProxyProtocol, { source: client.source, destination: client.destination }));
    }
    const { head } = client;
    client.head = null;
    if (head === null || side.write(head)) client.resume();
  }

  failed(error: ProxyError): void {
    const { parts, plan } = this.#owner;
    const target = this.#target as StreamTarget;
    this.#cancel = null;
    parts.targets.failed(target, error);
    this.#release();
    if (this.#tried.length > plan.settings.retries) {
      parts.observer?.targetFailed(error);
      this.client.abort('no-target');
      return;
    }
    // Nothing of the client was sent, so that another target may serve it.
    parts.counters.retries++;
    this.go();
  }

  received(from: StreamSocket, bytes: Buffer): void {
    if (this.#patience !== 0) this.#touch();
    const { observer } = this.#owner.parts;
    if (observer !== undefined) observer.relayed(this.client, from === this.client ? 'client' : 'target', bytes);
    if (!this.#other(from).write(from.lasting(bytes))) from.pause();
  }

  drained(side: StreamSocket): void {
    if (this.#patience !== 0) this.#touch();
    this.#other(side).resume();
  }

  /** A closed direction is passed on, and the other one goes on. */
  ended(from: StreamSocket): void {
    this.#other(from).end();
    if (from !== this.client) this.#owner.parts.observer?.relayEnded(this.client, null);
  }

  closed(side: StreamSocket, error: Error | null): void {
    this.#owner.parts.observer?.relayEnded(this.client, error);
    if (side === this.client) this.#clientClosed(error);
    else this.#upstreamClosed();
  }

  #clientClosed(error: Error | null): void {
    const upstream = this.#upstream;
    const inGoodOrder = error === null && this.client.endedBy === null;
    this.client.because(error === null ? 'closed' : 'client-reset');
    this.#cancel?.();
    this.#cancel = null;
    if (upstream === null) this.#release();
    else if (!inGoodOrder) upstream.reset();
    // Both directions have ended; what the target has not read yet is still sent to it.
    else if (!upstream.isClosed) setTimeout(() => upstream.destroy(), linger).unref();
    this.#owner.over(this);
  }

  #upstreamClosed(): void {
    this.#release();
    if (this.client.isClosed) return;
    if (this.#upstream?.hasEnded !== true) {
      this.client.abort('target-reset');
      return;
    }
    // It had said all it had to say, and the client still gets it. What the client goes on sending is dropped, for a while.
    this.client.resume();
    if (!this.client.hasEnded) this.client.expireAt(this.#owner.parts.clock.now + linger, 'closed');
  }

  #touch(): void {
    const { clock } = this.#owner.parts;
    this.client.expireAt(this.#patience === 0 ? 0 : clock.now + this.#patience, 'inactive');
  }

  #other(side: StreamSocket): StreamSocket {
    return side === this.client ? (this.#upstream as StreamSocket) : this.client;
  }

  #release(): void {
    const target = this.#target;
    this.#target = null;
    if (target !== null) this.#owner.parts.targets.released(target);
  }
}
