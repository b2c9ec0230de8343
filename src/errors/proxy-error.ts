// An error of an exchange: what went wrong, whose fault it was, what the client is told, and whether another attempt may help.
import { catalog, type ErrorCode, type ErrorSource, type RetryAdvice } from './catalog.js';

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
