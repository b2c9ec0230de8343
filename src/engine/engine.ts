// The contract of an engine: what speaks HTTP to a backend. Routing, headers, retries and accounting live above it.
import type { ProxyError } from '../errors/proxy-error.js';
import type { Exchange } from '../exchange/exchange.js';
import type { ResponseHead } from '../http1/message.js';
import type { Backend } from '../model/backend.js';

/** Told how an attempt goes. One static object (the stage `forward`), so that an attempt needs no closure. */
export interface AttemptReport {
  /**
   * The backend's final head is here and nothing of it was relayed yet. May set `exchange.responseLines`.
   * @returns the head to relay, or null to drop this answer: the attempt then fails with `backend-discarded`
   */
  answered(exchange: Exchange, backend: Backend, head: ResponseHead): ResponseHead | null;
  /** The response was handed over whole (for a tunnel: both directions have ended). */
  ended(exchange: Exchange, backend: Backend): void;
  /** The attempt failed. Whether the response had begun is for `exchange.downstream.begun` to say. */
  failed(exchange: Exchange, backend: Backend, error: ProxyError): void;
}

/** What speaks to a backend. */
export interface Engine {
  /**
   * Sends the request of an exchange to a backend and relays its answer through `exchange.downstream`.
   * Sets `exchange.upstream` for as long as the attempt runs. Exactly one of `ended` and `failed` is called, unless
   * `exchange.upstream.cut()` was called before. Never throws.
   * @param fresh true asks for a new connection instead of a pooled one
   */
  send(exchange: Exchange, backend: Backend, fresh: boolean, report: AttemptReport): void;
  /** Closes idle connections; running attempts go on. */
  close(): void;
}
