// Whether a request may be sent to another backend: the rule for errors, for answers, and what a frontend's policy says of both.
import { performance } from 'node:perf_hooks';
import type { ProxyError } from '../errors/proxy-error.js';
import type { Exchange } from '../exchange/exchange.js';
import { isRepeatable } from '../exchange/repeatable.js';
import type { Route } from '../model/frontend.js';
import type { RoutePolicy } from '../model/policy/policy.js';
import { type RetryBackoff, type RetryBudget, standardRetryBudget } from '../model/policy/retries.js';
import { includesStatus } from '../model/status-ranges.js';
import type { Metrics } from '../observe/metrics.js';
import type { RetryBudgets } from './retry-budget.js';

/** What the decision needs. */
export interface RetryParts {
  readonly budgets: RetryBudgets;
  readonly metrics: Pick<Metrics, 'retriesRefused'>;
  /** Further attempts after the first, where the frontend does not say. */
  readonly retryOnError: number;
  /** From 0 to below 1; a test passes its own. */
  readonly random?: () => number;
}

/** Decides about further attempts. That another backend is there is for the caller to find out. */
export class Retries {
  readonly #parts: RetryParts;
  readonly #random: () => number;

  constructor(parts: RetryParts) {
    this.#parts = parts;
    this.#random = parts.random ?? Math.random;
  }

  /** A request is sent for the first time, under a policy. */
  begins(exchange: Exchange, policy: RoutePolicy): void {
    const budget = budgetOf(policy);
    if (budget !== null) this.#parts.budgets.request(frontendOf(exchange), budget, exchange.startedAt);
  }

  /** Whether an attempt that failed may be followed by another one. If not, and another might have helped, `exchange.gaveUp` says why. */
  afterError(exchange: Exchange, error: ProxyError): boolean {
    return mayHelp(exchange, error) && this.#allows(exchange);
  }

  /** Whether an answer may be dropped in favour of another attempt. */
  afterAnswer(exchange: Exchange, { retryOn }: RoutePolicy, status: number): boolean {
    if (retryOn === undefined || !includesStatus(retryOn, status) || !isRepeatable(exchange)) return false;
    const allowed = this.#allows(exchange);
    // The answer is passed on: nothing was given up.
    exchange.gaveUp = '';
    return allowed;
  }

  /**
   * A further attempt is made: it is charged to the budget.
   * @returns milliseconds to wait before it
   */
  charge(exchange: Exchange): number {
    const policy = exchange.route?.policy ?? null;
    if (policy === null) return 0;
    const budget = budgetOf(policy);
    if (budget !== null) this.#parts.budgets.retry(frontendOf(exchange), budget, performance.now());
    return policy.retryBackoff === undefined ? 0 : this.#delay(policy.retryBackoff, exchange.attempts);
  }

  #allows(exchange: Exchange): boolean {
    const policy = exchange.route?.policy ?? null;
    const most = policy?.retries ?? this.#parts.retryOnError;
    if (exchange.attempts > most) {
      exchange.gaveUp = most === 0 ? 'Retry on error is disabled' : 'Reached max retries limit';
      return false;
    }
    if (policy === null) return true;
    const longest = policy.retryBackoff === undefined ? 0 : stepOf(policy.retryBackoff, exchange.attempts);
    if (exchange.limits?.allow(longest) === false) {
      exchange.gaveUp = 'No time left for another attempt';
      return false;
    }
    const budget = budgetOf(policy);
    if (budget === null || this.#parts.budgets.allows(frontendOf(exchange), budget, performance.now())) return true;
    this.#parts.metrics.retriesRefused++;
    exchange.gaveUp = 'Retry budget is used up';
    return false;
  }

  /** Between half of the step and the whole, so that those who failed together do not come back together. */
  #delay(backoff: RetryBackoff, attempts: number): number {
    const step = stepOf(backoff, attempts);
    return step / 2 + (step / 2) * this.#random();
  }
}

/** Whether the request may be sent to another backend after this error. */
function mayHelp(exchange: Exchange, error: ProxyError): boolean {
  switch (error.retry) {
    case 'no':
      return false;
    case 'if-idempotent':
      // An attempt that ran out of time while it waited for its connection has shown nothing to a backend.
      return exchange.sentAt === 0 ? exchange.body.repeatable : isRepeatable(exchange);
    case 'yes':
      return exchange.body.repeatable;
  }
}

/** A budget comes with the wish for retries; a hash that says nothing of them changes nothing about them. */
function budgetOf({ retryBudget, retries, retryOn }: RoutePolicy): RetryBudget | null {
  if (retryBudget !== undefined) return retryBudget === false ? null : retryBudget;
  return retries === undefined && retryOn === undefined ? null : standardRetryBudget;
}

function stepOf({ first, max }: RetryBackoff, attempts: number): number {
  return Math.min(first * 2 ** (attempts - 1), max);
}

function frontendOf(exchange: Exchange): string {
  return (exchange.route as Route).frontend;
}
