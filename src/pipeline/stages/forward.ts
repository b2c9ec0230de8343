// Sends an exchange to a backend: the one loop over attempts, which asks each error whether another attempt may help.
import { performance } from 'node:perf_hooks';
import type { AttemptReport, Engine } from '../../engine/engine.js';
import type { ErrorCode } from '../../errors/catalog.js';
import { ProxyError } from '../../errors/proxy-error.js';
import type { Ending, Exchange } from '../../exchange/exchange.js';
import { isRepeatable } from '../../exchange/repeatable.js';
import type { PassiveHealth } from '../../health/passive.js';
import { Kind } from '../../http1/headers.js';
import type { ResponseHead } from '../../http1/message.js';
import type { Backend } from '../../model/backend.js';
import type { Route } from '../../model/frontend.js';
import type { RoutePolicy } from '../../model/policy/policy.js';
import type { Metrics } from '../../observe/metrics.js';
import type { AnswerChanges } from '../answer-changes.js';
import type { AttemptObserver } from '../attempt-observer.js';
import type { DebugLines } from '../debug-lines.js';
import { changeForAttempt } from '../header-rules.js';
import type { Mirrors } from '../mirror.js';
import type { Retries } from '../retries.js';
import type { Answer, StageResult } from '../stage.js';
import type { TrafficSplit } from '../traffic-split.js';
import type { PickBackend } from './pick-backend.js';

/** What forwarding needs. */
export interface ForwardParts {
  readonly engine: Engine;
  readonly picker: PickBackend;
  readonly passive: PassiveHealth;
  readonly metrics: Metrics;
  readonly debug: DebugLines;
  readonly answer: (exchange: Exchange, decision: ProxyError | Answer) => void;
  readonly answers: AnswerChanges;
  readonly retries: Retries;
  readonly mirrors: Mirrors;
  readonly split: TrafficSplit;
  /** Told of the attempts for routes with a policy, and of all others too if `observeAll`. */
  readonly observers: readonly AttemptObserver[];
  readonly observeAll: boolean;
}

/** The stage and, for the engine, the listener of its attempts. One for all exchanges. */
export class Forward implements AttemptReport, Ending {
  readonly #parts: ForwardParts;

  constructor(parts: ForwardParts) {
    this.#parts = parts;
  }

  readonly stage = (exchange: Exchange): StageResult => {
    const backend = this.#parts.picker.pick(exchange);
    if (backend === null) return new ProxyError('no-backend', exchange.route?.frontend);
    const policy = exchange.route?.policy ?? null;
    if (policy !== null) {
      this.#parts.retries.begins(exchange, policy);
      if (policy.mirror !== undefined) this.#parts.mirrors.copy(exchange, policy.mirror);
    }
    this.#attempt(exchange, backend);
    return 'taken';
  };

  answered(exchange: Exchange, backend: Backend, head: ResponseHead): ResponseHead | null {
    const route = exchange.route as Route;
    exchange.trace?.answered(head.status);
    this.#parts.passive.answered(route, backend, head.status, head.headers.has(Kind.retryAfter));
    exchange.attemptCounts?.codes.add(head.status, 1);
    if (exchange.observed !== null) this.#observeAnswer(exchange, route, backend, head.status);
    const { policy } = route;
    if (policy !== null && this.#turnsDown(exchange, backend, head.status, policy)) return null;
    exchange.answeredAt = performance.now();
    exchange.status = head.status;
    exchange.attemptCounts?.latency.record(exchange.answeredAt - exchange.sentAt);
    exchange.limits?.answered(head.status === 101);
    if (head.status === 101) {
      this.#parts.metrics.upgrades++;
      this.#parts.metrics.tunnels++;
    }
    // What an earlier attempt ran into is history.
    exchange.error = null;
    if (policy?.split !== undefined) this.#parts.split.tell(exchange, policy.split);
    if (policy !== null) this.#parts.picker.answered(exchange, route, backend);
    this.#parts.debug.forwarded(exchange);
    if (policy === null) return head;
    const { answers } = this.#parts;
    if (head.status >= 400) answers.replacesBody(exchange, policy, head);
    return answers.changeHead(exchange, policy, head);
  }

  ended(exchange: Exchange): void {
    exchange.end('forwarded');
  }

  failed(exchange: Exchange, backend: Backend, error: ProxyError): void {
    if (exchange.ended) return;
    const { passive, metrics, retries, answer } = this.#parts;
    exchange.error = error;
    passive.failed(exchange.route as Route, backend, error);
    const { begun } = exchange.downstream;
    if (!begun) this.#parts.answers.undo(exchange);
    // The backend closed a kept connection just as we used it: no fault of its, and not an attempt.
    if (!begun && error.code === 'backend-stale' && isRepeatable(exchange)) {
      metrics.staleConnections++;
      this.#parts.engine.send(exchange, backend, true, this);
      return;
    }
    if (exchange.observed !== null) this.#observeFailure(exchange, error.code);
    exchange.attemptCounts?.errors.add(error.code, 1);
    exchange.endAttempt();
    exchange.trace?.attemptFailed(error);
    if (!begun) {
      let { next } = exchange;
      exchange.next = null;
      if (next === null && retries.afterError(exchange, error)) next = this.#next(exchange, backend);
      if (next !== null) {
        metrics.retries++;
        this.#again(exchange, next);
        return;
      }
    }
    answer(exchange, error);
  }

  /** Ends the attempt that still runs. */
  exchangeEnded(exchange: Exchange): void {
    this.#observeEnd(exchange);
  }

  /** The running attempt takes longer than the policy allows it: another one may do better. */
  attemptExpired(exchange: Exchange, error: ProxyError): void {
    const { upstream, backend } = exchange;
    if (exchange.ended || upstream === null || backend === null || exchange.downstream.begun) return;
    upstream.cut();
    this.failed(exchange, backend, error);
  }

  /** Whether an answer is dropped because another backend may give a better one, which is then chosen already. */
  #turnsDown(exchange: Exchange, backend: Backend, status: number, policy: RoutePolicy): boolean {
    if (!this.#parts.retries.afterAnswer(exchange, policy, status)) return false;
    exchange.next = this.#next(exchange, backend);
    exchange.gaveUp = '';
    return exchange.next !== null;
  }

  /** A further attempt, now or after a delay that the policy asks for. */
  #again(exchange: Exchange, backend: Backend): void {
    const delay = this.#parts.retries.charge(exchange);
    if (delay === 0) {
      this.#attempt(exchange, backend);
      return;
    }
    const timer = setTimeout(() => {
      if (!exchange.ended) this.#attempt(exchange, backend);
    }, delay);
    exchange.onFinish(() => clearTimeout(timer));
  }

  #attempt(exchange: Exchange, backend: Backend): void {
    exchange.backend = backend;
    exchange.attempts++;
    exchange.sentAt = 0;
    exchange.answeredAt = 0;
    exchange.limits?.attemptBegins();
    const policy = exchange.route?.policy ?? null;
    if (policy !== null) changeForAttempt(exchange, policy, backend);
    const route = exchange.route as Route;
    countAttempt(exchange, route, backend);
    if (route.policy !== null || this.#parts.observeAll) this.#observeStart(exchange, route, backend);
    exchange.trace?.attemptBegins(exchange, backend);
    this.#parts.engine.send(exchange, backend, false, this);
  }

  #observeStart(exchange: Exchange, route: Route, backend: Backend): void {
    const { observers } = this.#parts;
    if (observers.length === 0) return;
    // Whatever ends the exchange ends its attempt: the client may leave without a word of the engine.
    if (exchange.attempts === 1) exchange.onFinish(this);
    exchange.observed = backend;
    for (const observer of observers) observer.started(route, backend, exchange.attempts === 1);
  }

  #observeAnswer(exchange: Exchange, route: Route, backend: Backend, status: number): void {
    const milliseconds = performance.now() - exchange.sentAt;
    for (const observer of this.#parts.observers) observer.answered(route, backend, status, milliseconds);
  }

  #observeFailure(exchange: Exchange, code: ErrorCode): void {
    const { observed } = exchange;
    // An answer that was turned down was told as an answer.
    if (observed !== null && code !== 'backend-discarded') {
      for (const observer of this.#parts.observers) observer.failed(exchange.route as Route, observed, code);
    }
    this.#observeEnd(exchange);
  }

  #observeEnd(exchange: Exchange): void {
    const { observed } = exchange;
    if (observed === null) return;
    exchange.observed = null;
    for (const observer of this.#parts.observers) observer.ended(exchange.route as Route, observed);
  }

  /** Each attempt goes to a backend that was not tried yet. */
  #next(exchange: Exchange, failed: Backend): Backend | null {
    if (exchange.tried === null) exchange.tried = [failed];
    else exchange.tried.push(failed);
    const next = this.#parts.picker.pick(exchange);
    if (next === null) exchange.gaveUp = 'Cannot find a valid backend';
    return next;
  }
}

function countAttempt(exchange: Exchange, route: Route, backend: Backend): void {
  const { counts } = exchange;
  if (counts === null) return;
  if (exchange.attempts === 1) counts.forwarded();
  else counts.retries++;
  const attempt = route.counts.backend(counts, backend.index, backend.id);
  attempt.begins();
  exchange.attemptCounts = attempt;
}
