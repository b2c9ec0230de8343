// What the bus is told of exchanges: put together here, and only where somebody listens.
import { performance } from 'node:perf_hooks';
import { catalog, type ErrorCode } from '../errors/catalog.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Backend } from '../model/backend.js';
import type { Route } from '../model/frontend.js';
import type { EndedRequest, EventBus, ProxyRequest } from '../observe/events.js';
import type { AttemptObserver } from './attempt-observer.js';
import type { Stage, StageResult } from './stage.js';

function requestOf(exchange: Exchange): ProxyRequest {
  const { head, backend, client, clientAddress } = exchange;
  return {
    id: exchange.id,
    req: { method: head.method, url: head.target, host: head.authority, httpVersion: exchange.protocol.slice('HTTP/'.length) },
    res: { statusCode: exchange.status, bytesSent: exchange.downstream.bytesSent },
    startTime: performance.timeOrigin + exchange.startedAt,
    retries: Math.max(0, exchange.attempts - 1),
    meta: {
      vHost: exchange.route?.frontend ?? '',
      clientIp: clientAddress === '' ? client.address : clientAddress,
      ...(backend === null ? {} : { targetId: backend.id }),
    },
  };
}

/**
 * Tells how an exchange ended.
 * @param backendMs negative: no backend answered
 */
export function tellEnd(events: EventBus, exchange: Exchange, durationMs: number, backendMs: number): void {
  const code = failureOf(exchange);
  if (!events.listens(code === null ? 'request.completed' : 'request.failed')) return;
  const ended: EndedRequest = {
    ...requestOf(exchange),
    durationMs,
    backendMs: backendMs < 0 ? null : backendMs,
    attempts: exchange.attempts,
    tunnel: exchange.tunnel,
  };
  if (code === null) events.emit('request.completed', ended);
  else {
    const { source, text } = catalog[code];
    events.emit('request.failed', { ...ended, error: { code, source, message: text } });
  }
}

/** The error that decided an exchange; null: it came to a good end. */
function failureOf({ error, outcome }: Exchange): ErrorCode | null {
  if (error !== null) return error.code;
  return outcome === 'forwarded' || outcome === 'answered' ? null : 'client-gone';
}

/** The stage that finds the frontend, which then tells of the request; also where the frontend's record turns out to be faulty. */
export function announcingRoute(stage: Stage, events: EventBus): Stage {
  const tell = (exchange: Exchange, result: StageResult): StageResult => {
    if (exchange.route !== null && events.listens('request.started')) events.emit('request.started', requestOf(exchange));
    return result;
  };
  return (exchange) => {
    const result = stage(exchange);
    if (!(result instanceof Promise)) return tell(exchange, result);
    // A client that left meanwhile has ended its exchange: nobody's request, as far as anybody was told.
    return result.then((later) => (exchange.ended ? later : tell(exchange, later)));
  };
}

/**
 * The stage where requests wait, which then tells how many do.
 * @param waiting asks for how many of a frontend wait now
 */
export function announcingQueue(stage: Stage, waiting: (frontend: string) => number, events: EventBus): Stage {
  return (exchange) => {
    const result = stage(exchange);
    if (!(result instanceof Promise)) return result;
    const vHost = (exchange.route as Route).frontend;
    const tell = (): void => {
      if (events.listens('queue.changed')) events.emit('queue.changed', { vHost, waiting: waiting(vHost) });
    };
    tell();
    return result.finally(tell);
  };
}

/** Tells of attempts. */
export class AttemptEvents implements AttemptObserver {
  readonly #events: EventBus;

  constructor(events: EventBus) {
    this.#events = events;
  }

  started({ frontend }: Route, { id }: Backend, first: boolean): void {
    if (this.#events.listens('attempt.started')) {
      this.#events.emit('attempt.started', { vHost: frontend, backendId: id, first });
    }
  }

  answered({ frontend }: Route, { id }: Backend, status: number, milliseconds: number): void {
    if (this.#events.listens('attempt.answered')) {
      this.#events.emit('attempt.answered', { vHost: frontend, backendId: id, status, milliseconds });
    }
  }

  failed({ frontend }: Route, { id }: Backend, code: ErrorCode): void {
    if (this.#events.listens('attempt.failed')) {
      this.#events.emit('attempt.failed', { vHost: frontend, backendId: id, code });
    }
  }

  ended({ frontend }: Route, { id }: Backend): void {
    if (this.#events.listens('attempt.ended')) this.#events.emit('attempt.ended', { vHost: frontend, backendId: id });
  }
}
