// Spans of OpenTelemetry where whoever starts the program has registered an SDK: one for each exchange, one for each of its attempts.
// Where nobody has, there is no tracing, nothing of the API is loaded, and no exchange pays for it.
import type { Context, Span, SpanContext, Tracer } from '@opentelemetry/api';
import { packageVersion } from '../../base/package-version.js';
import type { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange, ExchangeTrace } from '../../exchange/exchange.js';
import { Kind } from '../../http1/headers.js';
import type { Backend } from '../../model/backend.js';
import { isPing } from '../stages/self.js';
import { attemptAttributes, requestAttributes, spanName } from './span-attributes.js';
import { parseTraceParent, traceNames } from './trace-parent.js';

type Api = typeof import('@opentelemetry/api');

export interface Tracing {
  /** An exchange begins: it is a span from here on, and belongs to the trace of its client. */
  begins(exchange: Exchange): void;
  /** Hands over what an SDK holds back. Never rejects, and takes no longer than a second. */
  flush(): Promise<void>;
}

/** Where every copy of the first version of the API keeps what was registered. */
const registry = Symbol.for('opentelemetry.js.api.1');
/** Milliseconds. */
const mostFlush = 1_000;

/** Looks once whether there is an SDK; null: there is none. */
export async function createTracing(): Promise<Tracing | null> {
  const { trace } = (Reflect.get(globalThis, registry) ?? {}) as { readonly trace?: unknown };
  if (trace === undefined) return null;
  const api = await import('@opentelemetry/api');
  const tracer = api.trace.getTracer('cjs-proxy', packageVersion);
  return {
    begins(exchange) {
      // As in the log: health checks of load balancers would drown the rest.
      if (isPing(exchange.head.authority)) return;
      exchange.trace = new ExchangeSpans(api, tracer, exchange);
    },
    flush: () => flush(api.trace.getTracerProvider()),
  };
}

class ExchangeSpans implements ExchangeTrace {
  readonly #api: Api;
  readonly #tracer: Tracer;
  readonly #span: Span;
  /** In which its attempts run. */
  readonly #context: Context;
  #attempt: Span | null = null;

  constructor(api: Api, tracer: Tracer, exchange: Exchange) {
    this.#api = api;
    this.#tracer = tracer;
    const { method } = exchange.head;
    const parent = parentContext(api, exchange);
    const options = { kind: api.SpanKind.SERVER, attributes: requestAttributes(exchange) };
    this.#span = tracer.startSpan(spanName(method), options, parent);
    this.#context = api.trace.setSpan(parent, this.#span);
    if (exchange.head.headers.has(Kind.trace)) exchange.changes.removeAll(traceNames, false);
    exchange.traceLine = traceLines(this.#span.spanContext());
  }

  attemptBegins(exchange: Exchange, backend: Backend): void {
    const options = { kind: this.#api.SpanKind.CLIENT, attributes: attemptAttributes(exchange, backend) };
    this.#attempt = this.#tracer.startSpan(spanName(exchange.head.method), options, this.#context);
    exchange.traceLine = traceLines(this.#attempt.spanContext());
  }

  answered(status: number): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    attempt.setAttribute('http.response.status_code', status);
    if (status >= 400) this.#fail(attempt, String(status));
  }

  attemptFailed(error: ProxyError): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    // An answer that was turned down has said what was wrong.
    if (error.code !== 'backend-discarded') this.#fail(attempt, error.code, error.message);
    this.#endAttempt();
  }

  ended(exchange: Exchange): void {
    this.#endAttempt();
    const span = this.#span;
    const { status, error, outcome, route } = exchange;
    if (status > 0) span.setAttribute('http.response.status_code', status);
    if (route !== null) span.setAttribute('cjs_proxy.frontend', route.frontend);
    if (status >= 500 || outcome === 'cut') this.#fail(span, error?.code ?? String(status), error?.message);
    else if (outcome === 'client-gone') span.setAttribute('error.type', outcome);
    span.end();
  }

  #fail(span: Span, type: string, message?: string): void {
    span.setAttribute('error.type', type);
    span.setStatus({ code: this.#api.SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) });
  }

  #endAttempt(): void {
    this.#attempt?.end();
    this.#attempt = null;
  }
}

/** The span of the client, as far as it tells of one that makes sense. */
function parentContext(api: Api, { head: { headers } }: Exchange): Context {
  if (!headers.has(Kind.trace)) return api.ROOT_CONTEXT;
  const parents = headers.values('traceparent');
  const parent = parents.length === 1 ? parseTraceParent(parents[0] as string) : null;
  if (parent === null) return api.ROOT_CONTEXT;
  const { traceId, spanId, flags } = parent;
  const state = headers.values('tracestate').join(',');
  return api.trace.setSpanContext(api.ROOT_CONTEXT, {
    ...{ traceId, spanId, traceFlags: flags & api.TraceFlags.SAMPLED, isRemote: true },
    ...(state === '' ? {} : { traceState: api.createTraceState(state) }),
  });
}

/** How a backend is told of its parent: header lines, each ended by CRLF. */
function traceLines({ traceId, spanId, traceFlags, traceState }: SpanContext): string {
  const parent = `traceparent: 00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}\r\n`;
  const state = traceState?.serialize() ?? '';
  return state === '' ? parent : `${parent}tracestate: ${state}\r\n`;
}

/** The API knows no way, but every SDK does. */
async function flush(provider: object): Promise<void> {
  const real = 'getDelegate' in provider && typeof provider.getDelegate === 'function' ? provider.getDelegate() : provider;
  const { forceFlush } = real as { readonly forceFlush?: unknown };
  if (typeof forceFlush !== 'function') return;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, mostFlush);
  });
  await Promise.race([(async () => forceFlush.call(real))().catch(() => {}), limit]);
  clearTimeout(timer);
}
