// Sends an exchange to a backend: the one loop over attempts, which asks each error whether another attempt may help.
import { performance } from 'node:perf_hooks';
import type { Balancer } from '../../balancing/balancer.js';
import type { AttemptReport, Engine } from '../../engine/engine.js';
import { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange } from '../../exchange/exchange.js';
import { isRepeatable } from '../../exchange/repeatable.js';
import type { HealthView } from '../../health/health-view.js';
import type { PassiveHealth } from '../../health/passive.js';
import { Kind } from '../../http1/headers.js';
import type { ResponseHead } from '../../http1/message.js';
import type { Backend } from '../../model/backend.js';
import type { Route } from '../../model/frontend.js';
import type { Metrics } from '../../observe/metrics.js';
import type { DebugLines } from '../debug-lines.js';
import type { Answer, StageResult } from '../stage.js';

/** What forwarding needs. */
export interface ForwardParts {
  readonly engine: Engine;
  readonly balancer: Balancer;
  readonly view: HealthView;
  readonly passive: PassiveHealth;
  readonly metrics: Metrics;
  readonly debug: DebugLines;
  readonly answer: (exchange: Exchange, decision: ProxyError | Answer) => void;
  /** Further attempts after the first. */
  readonly retryOnError: number;
}

/** The stage and, for the engine, the listener of its attempts. One for all exchanges. */
export class Forward implements AttemptReport {
  readonly #parts: ForwardParts;

  constructor(parts: ForwardParts) {
    this.#parts = parts;
  }

  readonly stage = (exchange: Exchange): StageResult => {
    const backend = this.#pick(exchange);
    if (backend === null) return new ProxyError('no-backend', exchange.route?.frontend);
    this.#attempt(exchange, backend);
    return 'taken';
  };

  answered(exchange: Exchange, backend: Backend, head: ResponseHead): ResponseHead | null {
    exchange.answeredAt = performance.now();
    exchange.status = head.status;
    if (head.status === 101) {
      this.#parts.metrics.upgrades++;
      this.#parts.metrics.tunnels++;
    }
    // What an earlier attempt ran into is history.
    exchange.error = null;
    this.#parts.passive.answered(exchange.route as Route, backend, head.status, head.headers.has(Kind.retryAfter));
    this.#parts.debug.forwarded(exchange);
    return head;
  }

  ended(exchange: Exchange): void {
    exchange.end('forwarded');
  }

  failed(exchange: Exchange, backend: Backend, error: ProxyError): void {
    if (exchange.ended) return;
    const { passive, metrics, answer } = this.#parts;
    exchange.error = error;
    passive.failed(exchange.route as Route, backend, error);
    if (!exchange.downstream.begun) {
      // The backend closed a kept connection just as we used it: no fault of its, and not an attempt.
      if (error.code === 'backend-stale' && isRepeatable(exchange)) {
        metrics.staleConnections++;
        this.#parts.engine.send(exchange, backend, true, this);
        return;
      }
      const next = this.#mayRetry(exchange, error) ? this.#next(exchange, backend) : null;
      if (next !== null) {
        metrics.retries++;
        this.#attempt(exchange, next);
        return;
      }
    }
    answer(exchange, error);
  }

  #attempt(exchange: Exchange, backend: Backend): void {
    exchange.backend = backend;
    exchange.attempts++;
    exchange.sentAt = 0;
    exchange.answeredAt = 0;
    this.#parts.engine.send(exchange, backend, false, this);
  }

  #pick(exchange: Exchange): Backend | null {
    const route = exchange.route as Route;
    const candidates = this.#parts.view.candidates(route, exchange.tried);
    return candidates.length === 0 ? null : this.#parts.balancer.pick(candidates, route.frontend);
  }

  /** Each attempt goes to a backend that was not tried yet. */
  #next(exchange: Exchange, failed: Backend): Backend | null {
    if (exchange.tried === null) exchange.tried = [failed];
    else exchange.tried.push(failed);
    const next = this.#pick(exchange);
    if (next === null) exchange.gaveUp = 'Cannot find a valid backend';
    return next;
  }

  #mayRetry(exchange: Exchange, error: ProxyError): boolean {
    if (!mayHelp(exchange, error)) return false;
    const { retryOnError } = this.#parts;
    if (exchange.attempts <= retryOnError) return true;
    exchange.gaveUp = retryOnError === 0 ? 'Retry on error is disabled' : 'Reached max retries limit';
    return false;
  }
}

/** Whether the request may be sent to another backend after this error. */
function mayHelp(exchange: Exchange, error: ProxyError): boolean {
  switch (error.retry) {
    case 'no':
      return false;
    case 'if-idempotent':
      return isRepeatable(exchange);
    case 'yes':
      return exchange.body.repeatable;
  }
}
