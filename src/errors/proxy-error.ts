// An error of an exchange: what went wrong, whose fault it was, what the client is told, and whether another attempt may help.
import { catalog, type ErrorCode } from './catalog.js';

/** Who caused an error: the client, the backend, or the proxy itself (its configuration, its store, its limits). */
export type ErrorSource = 'client' | 'backend' | 'proxy';

/**
 * Whether the request may be tried again on another backend:
 * `yes` nothing of it has reached a backend; `if-idempotent` a backend may have seen it but nothing was answered
 * (RFC 9110 section 9.2.2); `no` an answer has begun or trying again cannot help.
 */
export type RetryAdvice = 'no' | 'if-idempotent' | 'yes';

/** The one error type that travels through the pipeline; everything foreign is translated into it by `classify`. */
export class ProxyError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly source: ErrorSource;
  readonly retry: RetryAdvice;

  /**
   * @param code an entry of the catalog; status, source, retry advice and public text come from there
   * @param detail what a person who reads the log needs to know beyond the public text; never shown to clients
   * @param cause the foreign error that was translated, if any
   */
  constructor(code: ErrorCode, detail = '', cause?: unknown) {
    const entry = catalog[code];
    super(detail === '' ? entry.text : `${entry.text} (${detail})`, cause === undefined ? undefined : { cause });
    this.name = 'ProxyError';
    this.code = code;
    this.status = entry.status;
    this.source = entry.source;
    this.retry = entry.retry;
  }
}
