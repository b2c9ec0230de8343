// One copy of a request on its way to a mirror: takes the body as it passes, sends head and body when it has all, reads the answer away.
import { performance } from 'node:perf_hooks';
import type { Deadlined, DeadlineList } from '../base/deadline-list.js';
import type { AttemptReport, Engine } from '../engine/engine.js';
import type { ProxyError } from '../errors/proxy-error.js';
import type { Downstream } from '../exchange/downstream.js';
import { Exchange } from '../exchange/exchange.js';
import { OutgoingChanges } from '../exchange/outgoing-changes.js';
import { isRepeatable } from '../exchange/repeatable.js';
import { type BodyCopy, type BodySource, bodyHeadroom, RequestBody } from '../exchange/request-body.js';
import type { TimeLimits } from '../exchange/time-limits.js';
import type { ResponseHead } from '../http1/message.js';
import type { Backend } from '../model/backend.js';
import type { Mirroring } from '../model/policy/mirror.js';
import type { Metrics } from '../observe/metrics.js';

/** Tells a mirror that what it gets is a copy; whoever sends it gets no copy made. */
export const mirroredField = 'X-Mirrored';

/** Who keeps the copies. */
export interface MirrorOwner {
  readonly engine: Engine;
  readonly metrics: Pick<Metrics, 'mirrored' | 'mirrorFailures' | 'mirrorsSkipped'>;
  readonly deadlines: DeadlineList<MirrorCopy>;
  /** A copy holds nothing any more. */
  over(copy: MirrorCopy): void;
}

/** A client that takes everything at once and keeps nothing. */
class Nobody implements Downstream {
  begun = false;
  readonly bytesSent = 0;
  readonly bodyBytesSent = 0;

  interim(): void {}

  begin(): boolean {
    this.begun = true;
    return true;
  }

  write(): boolean {
    return true;
  }

  end(): void {}
  switchProtocols(): void {}
  cut(): void {}
  released(): void {}
}

/** The body is at hand as a whole: there is nobody to slow down. */
const atHand: BodySource = { pauseBody() {}, resumeBody() {} };

export class MirrorCopy implements AttemptReport, BodyCopy, Deadlined {
  slot = -1;
  deadline = Number.POSITIVE_INFINITY;
  readonly frontend: string;

  readonly #owner: MirrorOwner;
  readonly #mirror: Mirroring;
  /** The request that is copied, until the copy is made. */
  #original: Exchange | null;
  readonly #changes: OutgoingChanges;
  #pieces: Buffer[] = [];
  #size = 0;
  #exchange: Exchange | null = null;
  #fresh = false;
  #over = false;

  constructor(owner: MirrorOwner, exchange: Exchange, frontend: string, mirror: Mirroring) {
    this.#owner = owner;
    this.frontend = frontend;
    this.#mirror = mirror;
    this.#original = exchange;
    this.#changes = changesOfCopy(exchange.outgoing);
  }

  /** Takes the body, of which all, a part or nothing has come; what is complete is sent at once. */
  begin(exchange: Exchange): void {
    exchange.body.copyTo(this);
    // Still waiting: a request that ends before its body does (its client left, or its answer came early) has no copy.
    if (this.#original !== null) exchange.onFinish(() => this.#skipUnsent());
  }

  bodyPassed(chunk: Buffer): void {
    if (this.#over) return;
    this.#size += chunk.length;
    if (this.#size > this.#mirror.maxBody) this.#skipUnsent();
    else this.#pieces.push(Buffer.from(chunk));
  }

  bodyComplete(trailers: string): void {
    const original = this.#original;
    if (this.#over || original === null) return;
    this.#original = null;
    const { to, timeout } = this.#mirror;
    const body = new RequestBody(original.head.body, atHand, this.#size);
    if (this.#size > 0) body.push(this.#joined());
    body.finish(trailers);
    const exchange = new Exchange(original.head, body, original.client, new Nobody(), performance.now());
    exchange.id = original.id;
    exchange.traceLine = original.traceLine;
    exchange.authority = original.authority;
    exchange.clientAddress = original.clientAddress;
    exchange.scheme = original.scheme;
    exchange.outgoing = this.#changes;
    exchange.limits = limitsOfCopy(timeout);
    this.#exchange = exchange;
    this.deadline = exchange.startedAt + timeout;
    this.#owner.deadlines.watch(this);
    this.#owner.metrics.mirrored++;
    this.#owner.engine.send(exchange, to, false, this);
  }

  answered(_exchange: Exchange, _backend: Backend, head: ResponseHead): ResponseHead {
    return head;
  }

  ended(): void {
    this.#end();
  }

  failed(exchange: Exchange, backend: Backend, error: ProxyError): void {
    if (this.#over) return;
    // The mirror closed a kept connection just as it was used.
    if (error.code === 'backend-stale' && isRepeatable(exchange) && !this.#fresh) {
      this.#fresh = true;
      this.#owner.engine.send(exchange, backend, true, this);
      return;
    }
    this.#owner.metrics.mirrorFailures++;
    this.#end();
  }

  /** Its time is over. */
  fail(): void {
    this.#owner.metrics.mirrorFailures++;
    this.abandon();
  }

  /** Gives up whatever it is doing. */
  abandon(): void {
    this.#exchange?.upstream?.cut();
    this.#end();
  }

  #skipUnsent(): void {
    if (this.#over || this.#original === null) return;
    this.#owner.metrics.mirrorsSkipped++;
    this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#original = null;
    this.#pieces = [];
    this.#owner.deadlines.remove(this);
    this.#owner.over(this);
    this.#exchange?.end('forwarded');
  }

  /** In one piece, with the room in front that an engine may write a head to. */
  #joined(): Buffer {
    const bytes = Buffer.allocUnsafeSlow(bodyHeadroom + this.#size);
    let at = bodyHeadroom;
    for (const piece of this.#pieces) at += piece.copy(bytes, at);
    this.#pieces = [];
    return bytes.subarray(bodyHeadroom);
  }
}

/** The head of the copy is changed as that of the request. */
function changesOfCopy(changes: OutgoingChanges | null): OutgoingChanges {
  const copy = changes?.copy() ?? new OutgoingChanges();
  // The body is sent at once: there is nothing to wait for 100 (Continue) with.
  copy.remove('expect');
  copy.set(mirroredField, '1');
  return copy;
}

/** A copy has one limit, whatever it waits for. */
function limitsOfCopy(timeout: number): TimeLimits {
  return { connectTimeout: timeout, backendTimeout: 0, attemptBegins() {}, answered() {}, allow: () => true };
}
