// How long an exchange and its attempts may take, where the policy of its frontend says so.
import { performance } from 'node:perf_hooks';
import { type Deadlined, DeadlineList } from '../../base/deadline-list.js';
import { ProxyError } from '../../errors/proxy-error.js';
import type { Ending, Exchange } from '../../exchange/exchange.js';
import type { TimeLimits } from '../../exchange/time-limits.js';
import type { RoutePolicy } from '../../model/policy/policy.js';
import type { Answer, Stage } from '../stage.js';

/** What keeping time needs. */
export interface TimeLimitParts {
  /** What holds where a policy does not say; milliseconds. */
  readonly settings: { readonly connectTimeout: number; readonly backendTimeout: number };
  readonly answer: (exchange: Exchange, decision: ProxyError | Answer) => void;
  /** Gives up the running attempt of an exchange. */
  readonly attemptExpired: (exchange: Exchange, error: ProxyError) => void;
}

const never = Number.POSITIVE_INFINITY;

/** The limits of an exchange and how far they are away. */
class Watched implements TimeLimits, Deadlined, Ending {
  slot = -1;
  readonly exchange: Exchange;
  readonly connectTimeout: number;
  readonly backendTimeout: number;
  readonly tryTimeout: number;
  endsAt = never;
  attemptEndsAt = never;
  readonly #list: DeadlineList<Watched>;

  constructor(exchange: Exchange, policy: RoutePolicy, { settings }: TimeLimitParts, list: DeadlineList<Watched>) {
    this.exchange = exchange;
    this.connectTimeout = policy.connectTimeout ?? settings.connectTimeout;
    this.backendTimeout = policy.backendTimeout ?? policy.proxyTimeout ?? settings.backendTimeout;
    this.tryTimeout = policy.tryTimeout ?? 0;
    this.#list = list;
    const timeout = policy.timeout ?? 0;
    if (timeout > 0) this.endsAt = exchange.startedAt + timeout;
    if (timeout === 0 && this.tryTimeout === 0) return;
    exchange.onFinish(this);
    list.watch(this);
  }

  get deadline(): number {
    return Math.min(this.endsAt, this.attemptEndsAt);
  }

  exchangeEnded(): void {
    this.#list.remove(this);
  }

  attemptBegins(): void {
    if (this.tryTimeout === 0) return;
    this.attemptEndsAt = performance.now() + this.tryTimeout;
    this.#list.watch(this);
  }

  answered(tunnel: boolean): void {
    this.attemptEndsAt = never;
    // A tunnel lasts for as long as both ends want it to.
    if (tunnel) this.endsAt = never;
  }

  allow(milliseconds: number): boolean {
    return this.endsAt === never || performance.now() + milliseconds < this.endsAt;
  }
}

/** Makes the stage. It comes right behind the route, so that waiting for anything counts too. */
export function createTimeLimits(parts: TimeLimitParts): Stage {
  const list = new DeadlineList<Watched>(expired);

  function expired(watched: Watched, now: number): void {
    const { exchange } = watched;
    if (now >= watched.endsAt) {
      const { startedAt } = exchange;
      const detail = `${exchange.route?.frontend}: ${Math.round(watched.endsAt - startedAt)} ms are over`;
      watched.endsAt = never;
      watched.attemptEndsAt = never;
      exchange.upstream?.cut();
      parts.answer(exchange, new ProxyError('total-timeout', detail));
      return;
    }
    const clientIsSending = exchange.sentAt > 0 && !exchange.body.complete;
    // Nobody can answer what has not come yet: the listener watches over slow clients.
    watched.attemptEndsAt = clientIsSending ? now + watched.tryTimeout : never;
    if (clientIsSending) return;
    const detail = `${exchange.backend?.origin} did not answer within ${watched.tryTimeout} ms`;
    parts.attemptExpired(exchange, new ProxyError('backend-try-timeout', detail));
  }

  return (exchange) => {
    const policy = exchange.route?.policy ?? null;
    if (policy !== null && saysSomething(policy)) exchange.limits = new Watched(exchange, policy, parts, list);
    return undefined;
  };
}

function saysSomething({ timeout, tryTimeout, connectTimeout, backendTimeout, proxyTimeout }: RoutePolicy): boolean {
  return (
    timeout !== undefined ||
    tryTimeout !== undefined ||
    connectTimeout !== undefined ||
    backendTimeout !== undefined ||
    proxyTimeout !== undefined
  );
}
