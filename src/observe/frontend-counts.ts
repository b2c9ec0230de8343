// What is counted of one frontend and of its backends: by a worker since it last told, by a node and by the fleet since their start.
import { KeyedCounts } from './keyed-counts.js';
import { LatencyCounts } from './latency-counts.js';

/** Exchanges that found no frontend, and those of frontends that are too many to be told apart. No frontend can be called so. */
export const noFrontend = '(none)';
export const otherFrontends = '(other)';
/** The same for backends of one frontend. */
export const otherBackends = '(other)';

/** The most backends of a frontend that are told apart, where nobody says otherwise. */
const standardBackends = 200;

/** Of one backend, as a frontend's list names it. Plain numbers, changed in place. */
export class BackendCounts {
  readonly id: string;
  /** Attempts that ended. */
  attempts = 0;
  /** Attempts that run, and the most there were at one time. */
  active = 0;
  activeMax = 0;
  /** Answers by status; errors by code. */
  readonly codes = new KeyedCounts<number>(0);
  readonly errors = new KeyedCounts<string>('other');
  /** From the request as sent to the head of the answer; and, where it is kept in windows, what the window before had. */
  latency = new LatencyCounts();
  earlier: LatencyCounts | null = null;
  /** It is let go of: whoever holds it looks it up anew. */
  dropped = false;
  /** In a worker: what its node knows it by (-1: nothing yet), what was told of `active`, and how often in a row there was nothing to tell. */
  number = -1;
  toldActive = 0;
  quiet = 0;
  /** In a sum: when it last changed, in milliseconds on the scale of whoever keeps it. */
  usedAt = 0;

  constructor(id: string) {
    this.id = id;
  }

  begins(): void {
    if (++this.active > this.activeMax) this.activeMax = this.active;
  }

  /** Adds what another one counted since then; what is true now stays. */
  add(other: BackendCounts): void {
    this.attempts += other.attempts;
    this.activeMax = Math.max(this.activeMax, other.activeMax);
    this.codes.addAll(other.codes);
    this.errors.addAll(other.errors);
    this.latency.add(other.latency);
  }

  /** Begins anew with what is true now. */
  clear(): void {
    this.attempts = 0;
    this.activeMax = this.active;
    this.codes.clear();
    this.errors.clear();
    this.latency.clear();
  }
}

/** Of one frontend. */
export class FrontendCounts {
  readonly name: string;
  /** Exchanges that ended; of them those that were sent to a backend. */
  requests = 0;
  hits = 0;
  /** Exchanges that have begun and not ended; of them those that were sent to a backend and those that wait for their turn; and the most there were. */
  active = 0;
  running = 0;
  runningMax = 0;
  waiting = 0;
  waitingMax = 0;
  /** Exchanges that had to wait. */
  queued = 0;
  /** Attempts after the first. */
  retries = 0;
  /** Bytes of requests and of responses, heads included. */
  bytesIn = 0;
  bytesOut = 0;
  /** Answers by status; errors that decided an answer or ended an exchange, by code. */
  readonly codes = new KeyedCounts<number>(0);
  readonly errors = new KeyedCounts<string>('other');
  /** From the head of the request to the end of the response, where a backend answered, without tunnels; and, in windows, the one before. */
  latency = new LatencyCounts();
  earlier: LatencyCounts | null = null;
  readonly backends = new Map<string, BackendCounts>();
  /** As those of a backend. */
  dropped = false;
  number = -1;
  toldActive = 0;
  toldRunning = 0;
  toldWaiting = 0;
  quiet = 0;
  usedAt = 0;

  readonly #mostBackends: number;

  constructor(name: string, mostBackends = standardBackends) {
    this.name = name;
    this.#mostBackends = mostBackends;
  }

  /** Another backend is told apart from the others. */
  get hasRoom(): boolean {
    return this.backends.size < this.#mostBackends;
  }

  begins(): void {
    this.active++;
  }

  forwarded(): void {
    this.hits++;
    if (++this.running > this.runningMax) this.runningMax = this.running;
  }

  waits(): void {
    this.queued++;
    if (++this.waiting > this.waitingMax) this.waitingMax = this.waiting;
  }

  backend(id: string): BackendCounts {
    const known = this.backends.get(id);
    if (known !== undefined) return known;
    if (!this.hasRoom && id !== otherBackends) return this.backend(otherBackends);
    const made = new BackendCounts(id);
    this.backends.set(id, made);
    return made;
  }

  /** Adds what another one counted since then; what is true now stays. */
  add(other: FrontendCounts): void {
    this.requests += other.requests;
    this.hits += other.hits;
    this.runningMax = Math.max(this.runningMax, other.runningMax);
    this.waitingMax = Math.max(this.waitingMax, other.waitingMax);
    this.queued += other.queued;
    this.retries += other.retries;
    this.bytesIn += other.bytesIn;
    this.bytesOut += other.bytesOut;
    this.codes.addAll(other.codes);
    this.errors.addAll(other.errors);
    this.latency.add(other.latency);
    for (const backend of other.backends.values()) this.backend(backend.id).add(backend);
  }

  /** Its backends are no longer told apart: it is counted with other frontends. */
  foldBackends(): void {
    const all = [...this.backends.values()];
    this.backends.clear();
    for (const backend of all) this.backend(otherBackends).add(backend);
  }

  /** A window of latencies begins, for it and its backends. @param next the one before was the one that ended just now */
  beginWindow(next: boolean): void {
    for (const counts of [this, ...this.backends.values()]) {
      counts.earlier = next ? counts.latency : null;
      counts.latency = new LatencyCounts();
    }
  }

  /** Begins anew with what is true now; the backends are not touched. */
  clear(): void {
    this.requests = 0;
    this.hits = 0;
    this.runningMax = this.running;
    this.waitingMax = this.waiting;
    this.queued = 0;
    this.retries = 0;
    this.bytesIn = 0;
    this.bytesOut = 0;
    this.codes.clear();
    this.errors.clear();
    this.latency.clear();
  }
}
