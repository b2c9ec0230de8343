// How many requests of a frontend are in flight, and who waits until one of them ends.
import { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange } from '../../exchange/exchange.js';
import type { Route } from '../../model/frontend.js';
import type { RoutePolicy } from '../../model/policy/policy.js';
import { queueFields } from '../../model/policy/queue.js';
import type { Metrics } from '../../observe/metrics.js';
import type { Admission, Line, QueueLimits, Refusal, Waiter } from '../../queue/admission.js';
import type { StageResult } from '../stage.js';
import type { FindRoute } from './route.js';

/** What queueing needs. */
export interface QueueParts {
  readonly admission: Admission<WaitingExchange>;
  readonly find: FindRoute;
  readonly metrics: Pick<Metrics, 'queued' | 'waiting'>;
}

const unlimited: QueueLimits = Object.freeze({ active: Number.POSITIVE_INFINITY, waiting: 0, timeout: 0 });

/** An exchange that waits for its turn. */
export class WaitingExchange implements Waiter {
  readonly exchange: Exchange;
  readonly #metrics: QueueParts['metrics'];
  #decide: (decision: ProxyError | null) => void = () => {};

  constructor(exchange: Exchange, metrics: QueueParts['metrics']) {
    this.exchange = exchange;
    this.#metrics = metrics;
  }

  /** Begins to wait. Gives null once it is its turn, or why it is not. */
  wait(): Promise<ProxyError | null> {
    this.exchange.waiting = true;
    this.#metrics.queued++;
    this.#metrics.waiting++;
    this.exchange.counts?.waits();
    return new Promise((resolve) => {
      this.#decide = resolve;
    });
  }

  admitted(): void {
    this.stop(null);
  }

  refused(why: Refusal): void {
    this.stop(new ProxyError(why === 'full' ? 'queue-full' : 'queue-timeout', this.exchange.route?.frontend));
  }

  /** Ends the waiting; nothing happens when it has ended. */
  stop(decision: ProxyError | null): void {
    if (!this.exchange.waiting) return;
    this.exchange.waiting = false;
    this.#metrics.waiting--;
    if (this.exchange.counts !== null) this.exchange.counts.waiting--;
    this.#decide(decision);
  }
}

/** The stage, and the listener of the store that lets waiters know what has changed about their frontend. */
export class Queue {
  readonly #parts: QueueParts;
  /** Frontends whose waiters are being looked at; true when there was another change meanwhile. */
  readonly #looking = new Map<string, boolean>();

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  readonly stage = (exchange: Exchange): StageResult | Promise<StageResult> => {
    const route = exchange.route as Route;
    const { policy } = route;
    if (policy === null || policy.reqActiveLength === undefined) return undefined;
    const limits = limitsOf(policy);
    const line = this.#parts.admission.line(route.frontend, limits);
    if (!areEqual(line.limits, limits)) this.#refresh(line, exchange);
    if (!line.enter()) return this.#wait(exchange, line);
    exchange.onFinish(line.leave);
    return undefined;
  };

  /** How many requests of a frontend are in flight and how many wait, as far as it has limits. */
  lengths(frontend: string): { readonly active: number; readonly waiting: number } {
    const { active, waiting } = this.#parts.admission.known(frontend) ?? { active: 0, waiting: 0 };
    return { active, waiting };
  }

  /** Told by the store, after the routes. */
  changed(frontend: string): void {
    if ((this.#parts.admission.known(frontend)?.waiting ?? 0) > 0) void this.#lookAgain(frontend);
  }

  /** Told by the store, after the routes. */
  everythingChanged(): void {
    for (const frontend of this.#parts.admission.frontends()) this.changed(frontend);
  }

  /** Either the line knows old limits or the exchange does, if it has been on its way for long: what is in force decides. */
  #refresh(line: Line<WaitingExchange>, exchange: Exchange): void {
    const found = this.#parts.find(exchange);
    if (found instanceof Promise || !serves(found, (exchange.route as Route).frontend)) return;
    line.change(limitsOf(found.policy));
  }

  #wait(exchange: Exchange, line: Line<WaitingExchange>): ProxyError | Promise<StageResult> {
    const waiter = new WaitingExchange(exchange, this.#parts.metrics);
    const place = line.wait(waiter);
    if (place === null) {
      return new ProxyError('queue-full', `${exchange.route?.frontend}: ${line.active} in flight, ${line.waiting} waiting`);
    }
    const decided = waiter.wait();
    exchange.onFinish(() => {
      waiter.stop(null);
      // Whichever it holds by then: its place in the line, or the one in flight.
      place.giveBack();
    });
    exchange.downstream.isClientThere?.();
    return this.#turn(exchange, decided);
  }

  async #turn(exchange: Exchange, decided: Promise<ProxyError | null>): Promise<StageResult> {
    const refusal = await decided;
    if (refusal !== null || exchange.ended) return refusal ?? undefined;
    const there = exchange.downstream.isClientThere?.() ?? null;
    if (there !== null && !(await there)) return new ProxyError('client-gone', 'left while it waited');
    return exchange.ended ? undefined : takeRoute(exchange, await this.#parts.find(exchange));
  }

  async #lookAgain(frontend: string): Promise<void> {
    const busy = this.#looking.has(frontend);
    this.#looking.set(frontend, busy);
    if (busy) return;
    do {
      this.#looking.set(frontend, false);
      await this.#look(frontend);
    } while (this.#looking.get(frontend) === true);
    this.#looking.delete(frontend);
  }

  /** Applies what is in force now to those who wait. */
  async #look(frontend: string): Promise<void> {
    const { admission, find } = this.#parts;
    for (const waiter of admission.known(frontend)?.waiters() ?? []) {
      if (!waiter.exchange.waiting) continue;
      const found = await find(waiter.exchange);
      if (serves(found, frontend)) {
        admission.known(frontend)?.change(limitsOf(found.policy));
        // The frontend is there and makes sense, so the others may go on waiting.
        return;
      }
      const error = isGone(found, frontend);
      if (error !== null && waiter.exchange.waiting) waiter.stop(error);
    }
  }
}

function limitsOf(policy: RoutePolicy | null): QueueLimits {
  if (policy === null || policy.reqActiveLength === undefined) return unlimited;
  return { active: policy.reqActiveLength, waiting: policy.reqQueueLength, timeout: policy.queueTimeout };
}

function areEqual(one: QueueLimits, other: QueueLimits): boolean {
  return one.active === other.active && one.waiting === other.waiting && one.timeout === other.timeout;
}

function serves(found: Route | ProxyError, frontend: string): found is Route {
  return !(found instanceof ProxyError) && found.frontend === frontend && found.fault === '';
}

/** Why an exchange cannot go on to a frontend that let it wait, or null. A store that does not reply says nothing about it. */
function isGone(found: Route | ProxyError, frontend: string): ProxyError | null {
  if (found instanceof ProxyError) return found.code === 'store-away' || found.code === 'store-late' ? null : found;
  if (found.frontend !== frontend || found.fault === '') return null;
  return new ProxyError('bad-frontend-record', `${frontend}: ${found.fault}`);
}

/**
 * The backends may have changed while the exchange waited, so it takes the route that is in force. It keeps the one that it
 * came with where another frontend serves its host by now, or where the rules are others: those it has passed are the old ones.
 */
function takeRoute(exchange: Exchange, found: Route | ProxyError): StageResult {
  const route = exchange.route as Route;
  const error = isGone(found, route.frontend);
  if (error !== null) return error;
  if (found !== route && serves(found, route.frontend) && rulesOf(found) === rulesOf(route)) exchange.route = found;
  return undefined;
}

/** All that a frontend asks for, but for what concerns waiting alone. */
function rulesOf({ records, frontend }: Route): string {
  const { policy = [] } = records.find(({ name }) => name === frontend) ?? {};
  const rules: string[] = [];
  for (let at = 0; at < policy.length; at += 2) {
    if (!Object.hasOwn(queueFields, policy[at] as string)) rules.push(JSON.stringify([policy[at], policy[at + 1]]));
  }
  return rules.sort().join();
}
