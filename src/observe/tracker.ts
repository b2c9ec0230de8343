// Statistics of a proxy and its frontends, in sliding windows: made from the events of the bus alone.
import type { ErrorCode } from '../errors/catalog.js';
import type {
  AttemptEvent,
  EndedRequest,
  EventBus,
  ProxyEventListener,
  ProxyEventName,
  ProxyEvents,
  ProxyRequest,
} from './events.js';
import { RateWindow } from './rate-window.js';
import type { AttemptFigures, RequestFigures } from './request-figures.js';
import { SampleWindow } from './sample-window.js';

/** What is counted of requests, of all or of one frontend. Counts grow from the start, or from when the frontend was last idle for long. */
export interface RequestStats extends RequestFigures {
  /** The last 50 answers of backends, oldest first, whose mean `avgLatencyMs` is. */
  readonly latency: readonly number[];
}

/** What is counted of a backend's attempts. */
export interface BackendStats extends AttemptFigures {
  readonly latency: readonly number[];
}

export interface RouteStats extends RequestStats {
  /** By backend id. */
  readonly backends: Readonly<Record<string, BackendStats>>;
}

export interface ProxyStats extends RequestStats {
  /** By name of the frontend; those that were asked for in the last quarter of an hour. */
  readonly routes: Readonly<Record<string, RouteStats>>;
}

/** What turned a request away before it was let through. */
const turnedAway: ReadonlySet<ErrorCode> = new Set(['queue-full', 'queue-timeout']);

/** A frontend that nobody asked for in this time is forgotten, in milliseconds; how often that is looked for. */
const idleTime = 15 * 60_000;
const sweepEvery = 60_000;

/** Samples for percentiles: enough for a p99 that means something. */
const routeSamples = 1000;
const backendSamples = 200;

/** Counts of one backend. */
class BackendCounts {
  hits = 0;
  active = 0;
  activeMax = 0;
  readonly errors = new Map<string, number>();
  readonly codes = new Map<string, number>();
  readonly latency = new SampleWindow(backendSamples);

  show(): BackendStats {
    const mean = this.latency.mean();
    return {
      hits: this.hits,
      activeLength: this.active,
      activeLengthMax: this.activeMax,
      errorsTotal: sumOf(this.errors),
      errors: Object.fromEntries(this.errors),
      codes: Object.fromEntries(this.codes),
      avgLatencyMs: mean,
      latencyAvg: mean,
      latency: this.latency.last(),
      latencyMs: this.latency.percentiles(),
    };
  }
}

/** Counts of one frontend, or of all. */
class RequestCounts {
  total = 0;
  hits = 0;
  /** Begun and not ended; of them those that were sent to a backend. */
  running = 0;
  active = 0;
  activeMax = 0;
  misses = 0;
  waiting = 0;
  waitingMax = 0;
  lastUse = 0;
  readonly errors = new Map<string, number>();
  readonly codes = new Map<string, number>();
  readonly latency = new SampleWindow(routeSamples);
  readonly rate = new RateWindow();
  readonly backends = new Map<string, BackendCounts>();

  began(now: number): void {
    this.running++;
    this.lastUse = now;
  }

  /** Its first attempt begins: it is let through. */
  forwarded(): void {
    this.hits++;
    this.active++;
    this.activeMax = Math.max(this.activeMax, this.active);
  }

  waits(waiting: number): void {
    this.waiting = waiting;
    this.waitingMax = Math.max(this.waitingMax, waiting);
  }

  ended(request: EndedRequest, code: ErrorCode | null, now: number): void {
    const { res, durationMs, backendMs, tunnel, attempts } = request;
    this.total++;
    if (attempts > 0) this.active--;
    this.lastUse = now;
    this.rate.count(now);
    if (res.statusCode > 0) add(this.codes, String(res.statusCode));
    if (code !== null) add(this.errors, code);
    if (code !== null && turnedAway.has(code)) this.misses++;
    // How long a WebSocket was open says nothing about how fast its backend is.
    if (backendMs !== null && !tunnel) this.latency.record(durationMs);
  }

  backend(id: string): BackendCounts {
    let counts = this.backends.get(id);
    if (counts === undefined) {
      counts = new BackendCounts();
      this.backends.set(id, counts);
    }
    return counts;
  }

  show(now: number): RequestStats {
    const mean = this.latency.mean();
    return {
      requestsTotal: this.total,
      requestsPerSec: this.rate.perSecond(now),
      requestsActive: this.running,
      errorsTotal: sumOf(this.errors),
      errors: Object.fromEntries(this.errors),
      codes: Object.fromEntries(this.codes),
      avgLatencyMs: mean,
      latencyAvg: mean,
      latency: this.latency.last(),
      latencyMs: this.latency.percentiles(),
      hits: this.hits,
      misses: this.misses,
      queueLength: this.waiting,
      queueLengthMax: this.waitingMax,
      activeLength: this.active,
      activeLengthMax: this.activeMax,
    };
  }

  showRoute(now: number): RouteStats {
    return {
      ...this.show(now),
      backends: Object.fromEntries([...this.backends].map(([id, counts]) => [id, counts.show()])),
    };
  }
}

/** Listens to a bus for as long as it is attached. */
export class Tracker {
  readonly #now: () => number;
  readonly #all = new RequestCounts();
  readonly #routes = new Map<string, RequestCounts>();
  #sweptAt = 0;

  /** @param now milliseconds on a steady scale */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Begins to count; what is returned ends it. Attached from the start of the proxy on, or running requests are missed. */
  attach(bus: EventBus): () => void {
    const undo: (() => void)[] = [];
    const listen = <N extends ProxyEventName>(name: N, listener: ProxyEventListener<N>): void => {
      bus.on(name, listener);
      undo.push(() => bus.off(name, listener));
    };
    listen('request.started', (request) => this.#began(request));
    listen('request.completed', (request) => this.#ended(request, null));
    listen('request.failed', (request) => this.#ended(request, request.error.code));
    listen('queue.changed', ({ vHost, waiting }) => this.#queued(vHost, waiting));
    listen('attempt.started', (attempt) => this.#attempted(attempt));
    listen('attempt.answered', (attempt) => {
      const backend = this.#backend(attempt);
      add(backend.codes, String(attempt.status));
      backend.latency.record(attempt.milliseconds);
    });
    listen('attempt.failed', (attempt) => add(this.#backend(attempt).errors, attempt.code));
    listen('attempt.ended', (attempt) => {
      this.#backend(attempt).active--;
    });
    return () => {
      for (const off of undo) off();
    };
  }

  stats(): ProxyStats {
    const now = this.#now();
    this.#sweep(now);
    return {
      ...this.#all.show(now),
      routes: Object.fromEntries([...this.#routes].map(([name, counts]) => [name, counts.showRoute(now)])),
    };
  }

  /** Those of one frontend; zeros for one that was not asked for lately. */
  statsOf(vHost: string): RouteStats {
    const now = this.#now();
    this.#sweep(now);
    return (this.#routes.get(vHost) ?? new RequestCounts()).showRoute(now);
  }

  #began({ meta }: ProxyRequest): void {
    const now = this.#now();
    this.#all.began(now);
    this.#route(meta.vHost).began(now);
    this.#sweep(now);
  }

  #ended(request: EndedRequest, code: ErrorCode | null): void {
    const now = this.#now();
    this.#all.ended(request, code, now);
    const { vHost } = request.meta;
    // Nobody's request did not start either.
    if (vHost === '') return;
    this.#all.running--;
    const route = this.#route(vHost);
    route.ended(request, code, now);
    route.running--;
  }

  #queued(vHost: string, waiting: number): void {
    const route = this.#route(vHost);
    this.#all.waits(this.#all.waiting + waiting - route.waiting);
    route.waits(waiting);
  }

  #attempted(attempt: ProxyEvents['attempt.started']): void {
    if (attempt.first) {
      this.#all.forwarded();
      this.#route(attempt.vHost).forwarded();
    }
    const backend = this.#backend(attempt);
    backend.hits++;
    backend.active++;
    backend.activeMax = Math.max(backend.activeMax, backend.active);
  }

  #route(vHost: string): RequestCounts {
    let counts = this.#routes.get(vHost);
    if (counts === undefined) {
      counts = new RequestCounts();
      counts.lastUse = this.#now();
      this.#routes.set(vHost, counts);
    }
    return counts;
  }

  #backend({ vHost, backendId }: AttemptEvent): BackendCounts {
    return this.#route(vHost).backend(backendId);
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < sweepEvery) return;
    this.#sweptAt = now;
    for (const [name, { running, lastUse }] of this.#routes) {
      if (running === 0 && now - lastUse >= idleTime) this.#routes.delete(name);
    }
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
