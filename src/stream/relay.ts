// One client of the proxy mode with its connection to a target: connects, tries others, passes bytes both ways, ends both.
import { performance } from 'node:perf_hooks';
import type { ProxyError } from '../errors/proxy-error.js';
import type { StreamPlan } from '../model/stream.js';
import type { StreamTarget } from '../model/stream-target.js';
import type { StreamEnd } from '../observe/stream-counters.js';
import type { Refusal, Waiter } from '../queue/admission.js';
import { formatProxyHeader } from '../upstream/proxy-header.js';
import { type DialUser, dialTarget } from './dial-target.js';
import type { StreamModeParts } from './stream.js';
import type { StreamClient } from './stream-client.js';
import type { StreamSocket, StreamUser } from './stream-socket.js';
import type { TargetPlace } from './target-place.js';
import type { Targets } from './targets.js';

/** Why a client got nothing: no target could be connected to, or one was lost or took too long before its first byte. */
export type Unserved = 'unreachable' | 'unanswered';

/** The mode that a relay belongs to, or whoever serves its client. */
export interface RelayOwner {
  readonly parts: Pick<StreamModeParts, 'trust' | 'clock' | 'counters' | 'observer'>;
  readonly plan: Pick<StreamPlan, 'settings'>;
  /** Milliseconds without a byte of either side that a target may take to its first one; absent or 0: as long as it likes. */
  readonly responseTimeout?: number;
  /** All targets that may be tried are full: `go` is to be called again when one is free. @returns false: the client cannot wait */
  await(relay: Relay): boolean;
  /** A target is connected to; it waits no more. */
  chosen?(relay: Relay): void;
  /** The client sent more before there was an answer. @param bytes valid until this returns */
  asked?(bytes: Buffer): void;
  /** The first byte of the answer is there. */
  answered?(): void;
  /** The client got nothing. It is paused, and nothing of the relay is left. @returns whether somebody goes on with it */
  unserved?(why: Unserved): boolean;
  /** Its client has gone. */
  over(relay: Relay): void;
}

/** Milliseconds that bytes on their way to one side may take once the other has gone. */
const linger = 30_000;

export class Relay implements StreamUser, DialUser, Waiter {
  readonly client: StreamClient;

  readonly #owner: RelayOwner;
  readonly #targets: Targets;
  readonly #tried: string[] = [];
  #upstream: StreamSocket | null = null;
  /** The target that it is connected to, or connects to; null: none. */
  #target: StreamTarget | null = null;
  /** The target that it would take, while the node is asked for a place. */
  #wanted: StreamTarget | null = null;
  #place: TargetPlace | null = null;
  #cancel: (() => void) | null = null;
  #dialledAt = 0;
  /** Milliseconds of silence after which the connection is closed; 0: never. */
  #patience = 0;
  /** The target has not sent a byte, and somebody wants to know. */
  #unanswered: boolean;

  constructor(client: StreamClient, owner: RelayOwner, targets: Targets) {
    this.client = client;
    this.#owner = owner;
    this.#targets = targets;
    this.#unanswered = owner.unserved !== undefined;
    client.user = this;
  }

  /** The node is asked for a place at a target. */
  get asks(): boolean {
    return this.#wanted !== null;
  }

  /** A target was tried, in vain: this client has fewer to choose from than others. */
  get hasTried(): boolean {
    return this.#tried.length > 0;
  }

  /** Connects to a target: at once, since in many protocols the server speaks first. */
  go(): void {
    const targets = this.#targets;
    for (;;) {
      const picked = targets.pick(this.client.source.address, this.#tried);
      if (picked === 'full' && this.#owner.await(this)) return;
      if (picked === 'full' || picked === 'none') {
        this.#giveUp('unreachable', picked === 'full' ? 'too-many' : 'no-target');
        return;
      }
      this.#place = targets.placeAt(picked, this);
      const taken = this.#place === null ? 'held' : this.#place.take();
      if (taken === 'held') {
        this.#dial(picked);
        return;
      }
      if (taken === 'asks') {
        this.#wanted = picked;
        return;
      }
      // It will not be picked again before there is room.
      this.#place = null;
    }
  }

  admitted(): void {
    const wanted = this.#wanted as StreamTarget;
    this.#wanted = null;
    this.#dial(wanted);
  }

  refused(why: Refusal): void {
    this.#wanted = null;
    this.#place = null;
    if (why === 'full') this.go();
    else this.#giveUp('unreachable', 'too-many');
  }

  #dial(target: StreamTarget): void {
    const { parts, plan } = this.#owner;
    this.#target = target;
    this.client.target = target.origin;
    this.#tried.push(target.id);
    this.#targets.opened(target);
    this.#dialledAt = performance.now();
    const { source, destination } = this.client;
    const version = target.sendProxyProtocol ?? plan.settings.sendProxyProtocol;
    const preface = version === 'none' ? null : formatProxyHeader(version, { source, destination });
    this.#cancel = dialTarget(target, plan.settings, parts.trust, preface, this);
    this.#owner.chosen?.(this);
  }

  connected(side: StreamSocket): void {
    const { settings } = this.#owner.plan;
    const { client } = this;
    this.#cancel = null;
    this.#upstream = side;
    side.user = this;
    const target = this.#target as StreamTarget;
    this.#targets.connected(target, performance.now() - this.#dialledAt);
    this.#patience = settings.inactivityTimeout;
    this.#touch();
    const { head } = client;
    client.head = null;
    const written = head === null || side.write(head);
    // It may have said all it has to say before there was anybody to tell.
    if (client.hasEnded) side.end();
    if (written) client.resume();
  }

  failed(error: ProxyError): void {
    const { parts, plan } = this.#owner;
    const target = this.#target as StreamTarget;
    this.#cancel = null;
    this.#targets.failed(target, error);
    this.#release();
    if (this.#tried.length > plan.settings.retries) {
      parts.observer?.targetFailed(error);
      this.#giveUp('unreachable', 'no-target');
      return;
    }
    // Nothing of the client was sent, so that another target may serve it.
    parts.counters.retries++;
    this.go();
  }

  received(from: StreamSocket, bytes: Buffer): void {
    if (this.#unanswered) this.#beforeAnswer(from, bytes);
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
    if (this.#unanswered && from !== this.client) {
      this.#giveUp('unanswered', 'target-reset');
      return;
    }
    this.#other(from).end();
    if (from !== this.client) this.#owner.parts.observer?.relayEnded(this.client, null);
  }

  closed(side: StreamSocket, error: Error | null): void {
    this.#owner.parts.observer?.relayEnded(this.client, error);
    if (side === this.client) this.#clientClosed(error);
    else if (this.#unanswered) this.#giveUp('unanswered', 'target-reset');
    else this.#upstreamClosed();
  }

  expired(): boolean {
    if (!this.#unanswered || this.#upstream === null) return false;
    this.#giveUp('unanswered', 'no-answer');
    return true;
  }

  #beforeAnswer(from: StreamSocket, bytes: Buffer): void {
    if (from === this.client) {
      this.#owner.asked?.(bytes);
      this.#touch();
      return;
    }
    this.#unanswered = false;
    this.#owner.answered?.();
    this.#touch();
  }

  /** Leaves a client that got nothing to whoever goes on with it, or ends it. */
  #giveUp(why: Unserved, end: StreamEnd): void {
    const { client } = this;
    const upstream = this.#upstream;
    this.#upstream = null;
    if (upstream !== null) {
      upstream.user = null;
      upstream.reset();
    }
    this.#release();
    if (client.isClosed) return;
    client.pause();
    client.expireAt(0, end);
    if (this.#unanswered && this.#owner.unserved?.(why) === true) return;
    client.abort(end);
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
    const { parts, responseTimeout = 0 } = this.#owner;
    if (this.#unanswered && responseTimeout > 0 && (this.#patience === 0 || responseTimeout < this.#patience)) {
      this.client.expireAt(parts.clock.now + responseTimeout, 'no-answer');
    } else this.client.expireAt(this.#patience === 0 ? 0 : parts.clock.now + this.#patience, 'inactive');
  }

  #other(side: StreamSocket): StreamSocket {
    return side === this.client ? (this.#upstream as StreamSocket) : this.client;
  }

  #release(): void {
    const target = this.#target;
    const place = this.#place;
    this.#target = null;
    this.#wanted = null;
    this.#place = null;
    place?.giveBack();
    if (target !== null) this.#targets.released(target);
  }
}
